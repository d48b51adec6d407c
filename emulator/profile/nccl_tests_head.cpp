#include "emulator/profile/nccl_tests_head.hpp"

#include <charconv>

#include "emulator/profile/log_line.hpp"
#include "emulator/profile/nccl_settings.hpp"

namespace fabricast {
namespace {

std::optional<std::int32_t> integer(std::string_view word) {
  std::int32_t value = 0;
  const auto [at, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || at == word.data()) return std::nullopt;
  return value;
}

// The integer after "name: " or "name ", or -1.
std::int32_t option_of(std::string_view line, std::string_view name) {
  const auto at = line.find(name);
  if (at == nowhere) return -1;
  const auto words = words_of(line.substr(at + name.size()));
  return words.empty() ? -1 : integer(words.front()).value_or(-1);
}

}  // namespace

std::optional<NcclTestsDevice> device_of(std::string_view line) {
  const auto words = words_of(line);
  if (words.size() < 6 || words[0] != "#" || words[1] != "Rank" || !integer(words[2])) {
    return std::nullopt;
  }
  NcclTestsDevice device;
  device.rank = *integer(words[2]);
  for (std::size_t i = 3; i + 1 < words.size(); ++i) {
    if (words[i] == "Group") device.group = integer(words[i + 1]).value_or(0);
    if (words[i] == "on") device.host = std::string(words[i + 1]);
    if (words[i] == "device") {
      const auto bracket = line.find(']');
      const auto name = bracket == nowhere ? std::string_view() : line.substr(bracket + 1);
      const auto start = name.find_first_not_of(' ');
      const auto end = name.find_last_not_of(' ');
      if (start != nowhere) device.name = std::string(name.substr(start, end - start + 1));
      if (device.host.empty() || device.rank < 0) return std::nullopt;
      return device;
    }
  }
  return std::nullopt;
}

void read_versions(std::string_view line, NcclTestsRun& run) {
  const auto words = words_of(line);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].starts_with("rccl-tests")) run.rccl = true;
    if ((words[i] == "version" || words[i] == "Version") && i + 1 < words.size())
      run.tests_version = std::string(words[i + 1]);
    constexpr std::string_view library = "ccl-library=";
    if (words[i].empty() || !words[i].substr(1).starts_with(library)) continue;
    const auto code = integer(words[i].substr(1 + library.size()));
    if (code) run.nccl_version = nccl_version_of(*code);
  }
}

void read_options(std::string_view line, NcclTestsRun& run) {
  const std::string_view warmup =
      line.find("warmupIters:") == nowhere ? "warmup iters:" : "warmupIters:";
  run.warmup = option_of(line, warmup);
  const auto at = line.find(warmup);
  run.iterations = option_of(at == nowhere ? line : line.substr(at + warmup.size()), " iters:");
  run.aggregated = option_of(line, "agg iters:");
  run.validation = option_of(line, "validation:");
  run.graph = option_of(line, "graph:");
}

}  // namespace fabricast
