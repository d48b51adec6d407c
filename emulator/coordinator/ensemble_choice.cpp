#include "emulator/coordinator/ensemble_choice.hpp"

#include <fmt/format.h>

#include <charconv>
#include <vector>

#include "emulator/base/error.hpp"
#include "emulator/coordinator/agreement.hpp"
#include "emulator/coordinator/sample_tables.hpp"
#include "emulator/trace/trace_file.hpp"

namespace fabricast {
namespace {

constexpr std::string_view from_trace = "measured:";
// Below this a condition's own median is one of its few values.
constexpr int fewest_samples = 5;

// "content_digest of the samples' trace" and the ratios, one per line, in full precision.
std::string ratios_of(const std::string& path) {
  const auto content = read_trace(path);
  const auto samples = read_sample_tables(content);
  std::string text = content_digest(content) + "\n";
  int count = 0;
  std::vector<double> median(samples.conditions.size(), 0);
  for (std::size_t c = 0; c < samples.conditions.size(); ++c) {
    if (samples.conditions[c].suite != "collective") continue;
    const auto summary = samples.summarize(static_cast<std::int32_t>(c));
    if (summary.count >= fewest_samples) median[c] = summary.median;
  }
  for (const Sample& sample : samples.samples) {
    const double of = median[static_cast<std::size_t>(sample.condition)];
    if (sample.discarded || of <= 0) continue;
    text += fmt::format("{}\n", sample.value / of);
    ++count;
  }
  if (count < 2) {
    throw UsageError(fmt::format(
        "--jitter {}{}: no condition of a collective has {} samples or more (a trace of "
        "measure or run has them) choose another trace",
        from_trace, path, fewest_samples));
  }
  return text;
}

}  // namespace

std::string EnsembleChoice::to_yaml() const {
  if (!on()) return "";
  return fmt::format("jitter: \"{}\"\nmembers: {}\nseed: {}\n", jitter.text, members, seed);
}

Jitter choose_jitter(const Communicator& communicator, const std::string& text) {
  if (text.empty()) return {};
  if (!text.starts_with(from_trace)) return together([&] { return jitter_from(text); });
  const auto agreed =
      agree(communicator, [&] { return ratios_of(text.substr(from_trace.size())); });
  std::size_t begin = agreed.find('\n');
  const std::string digest = agreed.substr(0, begin++);
  std::vector<double> ratios;
  for (std::size_t end = 0; begin < agreed.size(); begin = end + 1) {
    end = agreed.find('\n', begin);
    double ratio = 0;
    std::from_chars(agreed.data() + begin, agreed.data() + end, ratio);
    ratios.push_back(ratio);
  }
  return measured_jitter(std::move(ratios), "content_digest " + digest);
}

}  // namespace fabricast
