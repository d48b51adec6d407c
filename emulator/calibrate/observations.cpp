#include "emulator/calibrate/observations.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/cost/protocol.hpp"
#include "emulator/profile/judgement.hpp"
#include "emulator/schedule/catalogue.hpp"

namespace fabricast {
namespace {

// 5th to 95th percentile of a normal distribution, in standard deviations.
constexpr double width_of_90 = 3.29;
// Standard error of a median relative to that of a mean (normal distribution).
constexpr double median_penalty = 1.2533;

std::int32_t element_bytes(const std::string& dtype) {
  if (dtype == "float16" || dtype == "bfloat16" || dtype == "half") return 2;
  const bool fp8 = dtype.starts_with("f8") || dtype.starts_with("fp8") || dtype == "float8";
  if (dtype == "int8" || dtype == "uint8" || dtype == "char" || fp8) return 1;
  if (dtype == "float64" || dtype == "double" || dtype.ends_with("int64")) return 8;
  return 4;
}

Observation observe(const Conditions& conditions, const SampleSet::Summary& summary) {
  Observation seen;
  seen.conditions = conditions;
  seen.parameter = is_modeled_collective(conditions) ? "" : conditions.parameter;
  seen.ln_value = std::log(summary.median);
  const double spread = (summary.p95 - summary.p05) / (width_of_90 * summary.median);
  const double error = median_penalty * spread / std::sqrt(static_cast<double>(summary.count));
  seen.sigma = std::hypot(judgement::least_sigma, error);
  seen.micro = is_modeled_micro(conditions);
  if (!is_collective(seen)) return seen;
  seen.point.executor = model_of(conditions);
  seen.point.collective = conditions.collective;
  seen.point.algorithm = conditions.algorithm;
  seen.point.bytes = conditions.bytes;
  seen.point.element_bytes = element_bytes(conditions.dtype);
  seen.point.channels = conditions.channels;
  seen.choose = conditions.algorithm == "nccl" || conditions.protocol == "auto";
  if (seen.choose) {
    seen.point.channels = 0;
  } else {
    seen.point.protocol = conditions.suite == "collective_multimem"
                              ? Protocol::multimem
                              : protocol_from_name(conditions.protocol);
  }
  return seen;
}

using SweepKey = std::tuple<std::string, Collective, std::string, std::string, std::int32_t,
                            std::int32_t, std::string, bool>;

SweepKey sweep_of(const Conditions& c) {
  return {c.suite, c.collective, c.algorithm, c.protocol, c.ranks, c.channels, c.dtype, c.in_place};
}

void hold_out(std::vector<Observation>& observations, double fraction) {
  if (fraction <= 0) return;
  const auto every = static_cast<std::size_t>(std::max(2L, std::lround(1 / fraction)));
  std::map<SweepKey, std::vector<Observation*>> sweeps;
  for (Observation& seen : observations) {
    if (is_collective(seen)) sweeps[sweep_of(seen.conditions)].push_back(&seen);
  }
  for (auto& [key, sweep] : sweeps) {
    std::stable_sort(sweep.begin(), sweep.end(), [](const Observation* a, const Observation* b) {
      return a->conditions.bytes < b->conditions.bytes;
    });
    for (std::size_t i = every - 1; i < sweep.size(); i += every) sweep[i]->held_out = true;
  }
}

}  // namespace

bool is_of_file(const Conditions& conditions) {
  return is_modeled_collective(conditions) && conditions.algorithm != "nccl" &&
         find_algorithm(conditions.algorithm, conditions.collective) == nullptr;
}

bool is_of_unmodelled_protocol(const Conditions& conditions) {
  const bool chosen = conditions.algorithm == "nccl" || conditions.protocol == "auto";
  if (!is_modeled_collective(conditions) || chosen) return false;
  const auto known = protocols_of(model_of(conditions));
  const auto protocol = protocol_from_name(conditions.protocol);
  return std::find(known.begin(), known.end(), protocol) == known.end();
}

bool is_unmodelled_between_gpus(const Conditions& conditions) {
  if (model_of(conditions) != ExecutorKind::peers) return false;
  const bool on_integers = conditions.suite == "collective_multimem" && conditions.dtype == "int32";
  return on_integers || conditions.algorithm == "two_shot";
}

NotFitted not_fitted(const Conditions& c) {
  if (is_of_file(c)) return {c.algorithm, "of a file, not of the catalogue"};
  if (is_of_unmodelled_protocol(c)) {
    return {fmt::format("protocol {}", c.protocol),
            fmt::format("executor {} has no model of it", to_string(model_of(c)))};
  }
  if (!is_unmodelled_between_gpus(c)) return {};
  if (c.algorithm == "two_shot") {
    return {c.algorithm, "between GPUs its stages share the links by turns, which has no model"};
  }
  return {fmt::format("multimem on {}", c.dtype),
          "the switch takes integers 4 bytes at a time, which has no parameters"};
}

std::vector<Observation> observations_of(const SampleSet& samples, const std::string& machine,
                                         ExecutorKind executor, double holdout_fraction) {
  std::vector<Observation> observations;
  for (std::size_t i = 0; i < samples.conditions.size(); ++i) {
    const Conditions& conditions = samples.conditions[i];
    if (model_of(conditions) != executor || conditions.machine != machine) continue;
    if (!not_fitted(conditions).what.empty()) continue;
    const bool informs = is_modeled_collective(conditions)
                             ? conditions.ranks >= 2  // one rank moves nothing over a link
                             : !conditions.parameter.empty() || is_modeled_micro(conditions);
    if (!informs) continue;
    const auto summary = samples.summarize(static_cast<std::int32_t>(i));
    if (summary.count == 0 || !(summary.median > 0)) continue;
    observations.push_back(observe(conditions, summary));
  }
  hold_out(observations, holdout_fraction);
  return observations;
}

}  // namespace fabricast
