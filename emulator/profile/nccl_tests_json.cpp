#include "emulator/profile/nccl_tests_json.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "emulator/base/error.hpp"
#include "emulator/profile/json_repair.hpp"
#include "emulator/profile/nccl_settings.hpp"

namespace fabricast {
namespace {

using Json = nlohmann::json;

constexpr double half_unit = 0.5e-6;  // numbers are printed with six decimals (%lf)

// A member of an object, or null for what is not there.
const Json& member(const Json& object, const char* name) {
  static const Json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(name);
  return found == object.end() ? nothing : *found;
}

std::string text_of(const Json& object, const char* name) {
  const Json& value = member(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::optional<double> number_of(const Json& object, const char* name) {
  const Json& value = member(object, name);
  if (!value.is_number()) return std::nullopt;
  return value.get<double>();
}

std::int32_t option_of(const Json& object, const char* name) {
  const auto value = number_of(object, name);
  const bool fits = value && *value >= 0 && *value <= std::numeric_limits<std::int32_t>::max();
  return fits ? static_cast<std::int32_t>(*value) : -1;
}

void read_config(const Json& config, NcclTestsRun& run) {
  run.iterations = option_of(config, "iterations");
  run.warmup = option_of(config, "warmup_iters");
  run.aggregated = option_of(config, "aggregated_iterations");
  run.validation = option_of(config, "validation");
  run.graph = option_of(config, "graph");
  const std::string blocking = text_of(config, "blocking_collectives");
  run.blocking = blocking == "true" || option_of(config, "blocking_collectives") > 0;
  const Json& devices = member(config, "devices");
  if (!devices.is_array()) return;
  for (const Json& entry : devices) {
    NcclTestsDevice device;
    device.rank = option_of(entry, "rank");
    device.group = std::max(0, option_of(entry, "group"));
    device.host = text_of(entry, "hostname");
    device.name = text_of(entry, "device_info");
    if (device.rank >= 0) run.devices.push_back(std::move(device));
  }
}

// "NCCL_ALGO=Ring" of the environment; the program of the command line.
void read_process(const Json& document, NcclTestsRun& run) {
  for (const char* list : {"env", "args"}) {
    const Json& words = member(document, list);
    if (!words.is_array()) continue;
    for (const Json& word : words) {
      if (!word.is_string()) continue;
      const auto text = word.get<std::string>();
      if (list[0] == 'a') {
        if (run.program.empty()) run.program = shell_settings(text).program;
      } else if (text.starts_with("NCCL_") && text.find('=') != std::string::npos) {
        run.environment[text.substr(0, text.find('='))] = text.substr(text.find('=') + 1);
      }
    }
  }
}

std::string read_timing(const Json& result, const char* name, NcclTestsRun& run,
                        NcclTestsRow& row) {
  const Json& timing = member(result, name);
  if (timing.is_null()) return {};  // a placement that did not run
  if (number_of(timing, "cpu_time")) run.cpu_time = true;
  const auto time = number_of(timing, run.cpu_time ? "cpu_time" : "time");
  const auto algbw = number_of(timing, "alg_bw"), busbw = number_of(timing, "bus_bw");
  if (!time || !algbw || !busbw) return fmt::format("{} has no time or bandwidth", name);
  NcclTestsTiming made;
  made.in_place = name[0] == 'i';
  made.time_us = {*time, half_unit};
  made.algbw = {*algbw, half_unit};
  made.busbw = {*busbw, half_unit};
  made.wrong = number_of(timing, "nwrong");
  row.timings.push_back(made);
  return {};
}

std::string read_result(const Json& result, NcclTestsRun& run, NcclTestsRow& row) {
  const Json& size = member(result, "size");
  if (!size.is_number_integer() || size.get<std::int64_t>() < 0) return "no size";
  row.bytes = size.get<std::int64_t>();
  row.dtype = text_of(result, "type");
  row.redop = text_of(result, "redop");
  row.root = static_cast<std::int32_t>(std::strtol(text_of(result, "root").c_str(), nullptr, 10));
  for (const char* name : {"out_of_place", "in_place"}) {
    if (auto problem = read_timing(result, name, run, row); !problem.empty()) return problem;
  }
  return row.timings.empty() ? "no timing" : "";
}

}  // namespace

bool looks_like_json(std::string_view text) {
  const auto start = text.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  return start != std::string_view::npos && text[start] == '{';
}

NcclTestsOutput read_nccl_tests_json(std::string_view text, const std::string& file) {
  const RepairedJson repaired = repair_json(text, file);
  NcclTestsOutput made;
  made.file = file;
  made.lines = repaired.lines;
  made.cut = repaired.cut;
  if (repaired.cut) made.refused.push_back({repaired.lines, "the file ends before its JSON does"});
  if (repaired.text.empty()) return made;
  const Json document = Json::parse(repaired.text, nullptr, false);
  if (!document.is_object()) {
    throw UsageError(fmt::format("{}:1: not valid JSON; is this nccl-tests' output?", file));
  }
  NcclTestsRun run;
  run.line = 1;
  if (const auto code = number_of(document, "nccl_version"); code && *code > 0 && *code < 1e6) {
    run.nccl_version = nccl_version_of(static_cast<std::int64_t>(*code));
  }
  read_process(document, run);
  read_config(member(document, "config"), run);
  run.complete = member(document, "out_of_bounds").is_object();
  run.failed = text_of(member(document, "out_of_bounds"), "okay") == "false";
  const Json& results = member(document, "results");
  if (!results.is_array() && !repaired.cut) {
    throw UsageError(
        fmt::format("{}:1: no list \"results\" (nccl-tests writes one with -J); is this "
                    "its output?",
                    file));
  }
  const std::size_t count = results.is_array() ? results.size() : 0;
  for (std::size_t i = 0; i < count; ++i) {
    NcclTestsRow row;
    row.line = i < repaired.object_lines.size() ? repaired.object_lines[i] : 1;
    const auto problem = read_result(results[i], run, row);
    if (problem.empty()) {
      run.rows.push_back(std::move(row));
    } else {
      made.refused.push_back({row.line, problem});
    }
  }
  if (!run.rows.empty() || !run.devices.empty()) made.runs.push_back(std::move(run));
  return made;
}

}  // namespace fabricast
