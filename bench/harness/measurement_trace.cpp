#include "bench/harness/measurement_trace.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "emulator/coordinator/trace_assembly.hpp"
#include "emulator/trace/format.hpp"

namespace fabricast {
namespace {

// A JSON string is a YAML double-quoted scalar.
std::string host_yaml(const SampleSet& samples) {
  std::string text;
  for (const auto& [key, value] : samples.environment) {
    text += fmt::format("{}: {}\n", key, nlohmann::json(format::made_valid(value)).dump());
  }
  return text;
}

}  // namespace

TraceContent measurement_trace(const SampleSet& samples, const Topology& machine,
                               const TraceOrigin& origin) {
  TraceAssembly assembly;
  assembly.add_machine(machine);
  auto attributes = run_attributes(origin.backend, origin.command_line);
  attributes["seed"] = origin.seed;
  TraceContent content = assembly.finish(origin.config_yaml, &samples, std::move(attributes));
  content.documents["/host"] = host_yaml(samples);
  return content;
}

MeasureReport report_of(SampleSet samples) {
  MeasureReport report;
  for (const Conditions& conditions : samples.conditions) {
    CaseReport entry;
    entry.conditions = conditions;
    report.cases.push_back(std::move(entry));
  }
  for (const Sample& sample : samples.samples) {
    auto& entry = report.cases[static_cast<std::size_t>(sample.condition)];
    ++entry.iterations;
    entry.discarded += sample.discarded ? 1 : 0;
  }
  report.samples = std::move(samples);
  return report;
}

}  // namespace fabricast
