#include "bench/suites/summary.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/harness/order_statistics.hpp"
#include "bench/harness/synthetic.hpp"
#include "emulator/profile/inventory.hpp"

namespace fabricast {
namespace {

// Of one condition.
struct Clocks {
  double sm_mhz = 0;
  int disturbed = 0, throttled = 0;
  std::set<std::string> reasons;
};

std::vector<Clocks> clocks_of(const SampleSet& samples) {
  std::vector<Clocks> result(samples.conditions.size());
  std::vector<std::vector<double>> mhz(samples.conditions.size());
  for (std::size_t i = 0; i < samples.device_states.size(); ++i) {
    const DeviceState& state = samples.device_states[i];
    const auto c = static_cast<std::size_t>(samples.samples[i].condition);
    mhz[c].push_back(state.sm_mhz);
    result[c].disturbed += state.discard == DiscardReason::disturbed;
    result[c].throttled += state.discard == DiscardReason::throttled;
    if (!state.throttle.empty()) result[c].reasons.insert(state.throttle);
  }
  for (std::size_t c = 0; c < result.size(); ++c) {
    if (!mhz[c].empty()) result[c].sm_mhz = median_of_sorted(sorted_copy(mhz[c]));
  }
  return result;
}

std::string unit_of(const Conditions& c) {
  return c.parameter.empty() ? "us" : parameter_spec(c.parameter).unit;
}

// "3012 GB/s", "798 TFLOP/s" or nothing.
std::string rate_of(const Conditions& c, double us) {
  if (unit_of(c) != "us" || us <= 0) return "";
  const auto bytes = static_cast<double>(c.bytes);
  if (c.suite == "gemm" || c.suite == "overlap") {
    const double element = c.dtype == "f32" ? 4 : c.dtype == "bf16" ? 2 : 1;
    const double n = std::sqrt(bytes / (3 * element));
    return fmt::format("{:.4g} TFLOP/s", 2 * n * n * n / (us * 1e6));
  }
  double streams = 0;
  if (c.suite == "reduce_copy" || c.suite == "memory") {
    streams = c.algorithm == "copy" ? 2 : c.algorithm == "reduce_2" ? 3 : 4;
  } else if (c.suite == "copy_engine" || c.algorithm == "both_ways") {
    streams = 2;
  } else if (c.suite == "pcie") {
    streams = 1;
  }
  return streams == 0 ? "" : fmt::format("{:.4g} GB/s", streams * bytes / (us * 1e3));
}

void add_suite(std::string& text, const SampleSet& samples, const std::string& suite,
               const std::vector<Clocks>& clocks) {
  text += fmt::format(
      "\n## {}\n\n| variant | protocol | CTAs | bytes | identifies | p50 | p95 | p99 | stdev | cv | "
      "unit | rate | kept | disturbed | throttled | SM MHz | clocks held by |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | "
      "--- | --- |\n",
      suite);
  for (std::size_t i = 0; i < samples.conditions.size(); ++i) {
    const Conditions& c = samples.conditions[i];
    if (c.suite != suite) continue;
    const auto s = samples.summarize(static_cast<std::int32_t>(i));
    text += fmt::format(
        "| {} | {} | {} | {} | {} | {:.5g} | {:.5g} | {:.5g} | {:.3g} | {:.2f} % | {} | {} | {} | {} "
        "| {} | {:.0f} | {} |\n",
        c.algorithm, c.protocol, c.channels, c.bytes, c.parameter.empty() ? "" : c.parameter,
        s.median, s.p95, s.p99, s.stdev, s.mean > 0 ? 100 * s.stdev / s.mean : 0, unit_of(c),
        rate_of(c, s.median), s.count, clocks[i].disturbed, clocks[i].throttled, clocks[i].sm_mhz,
        fmt::format("{}", fmt::join(clocks[i].reasons, ", ")));
  }
}

}  // namespace

std::string suite_summary(const SampleSet& samples) {
  const auto value = [&samples](const std::string& key) {
    const auto found = samples.environment.find(key);
    return found == samples.environment.end() ? std::string() : found->second;
  };
  std::string text = fmt::format("# Micro-benchmarks of {}\n\n", value("device"));
  if (const std::string made_up = value(synthetic_key); !made_up.empty()) {
    text += fmt::format("**SYNTHETIC, not a measurement:** {}.\n\n", made_up);
  }
  for (const char* key : {"device_description", "software", "hostname", "kernel", "cpu_model",
                          "gpu_driver", "suites", "stopping_rule", "disturbance_rule",
                          "throttle_rule"}) {
    if (const std::string text_of = value(key); !text_of.empty()) {
      text += fmt::format("- {}: {}\n", key, text_of);
    }
  }
  const auto clocks = clocks_of(samples);
  std::vector<std::string> suites;
  for (const Conditions& c : samples.conditions) {
    const bool known = std::find(suites.begin(), suites.end(), c.suite) != suites.end();
    if (!known && c.suite != "collective") suites.push_back(c.suite);
  }
  for (const std::string& suite : suites) add_suite(text, samples, suite, clocks);
  if (suites.empty()) text += "\nNo suite was measured.\n";
  std::string notes;
  for (const auto& [key, note] : samples.environment) {
    if (key.starts_with("note_")) notes += fmt::format("- {}\n", note);
  }
  if (!notes.empty()) text += "\n## Not measured\n\n" + notes;
  return text;
}

}  // namespace fabricast
