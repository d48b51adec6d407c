#include "emulator/cost/micro_model.hpp"

#include <algorithm>
#include <cmath>

#include "emulator/base/contracts.hpp"
#include "emulator/base/units.hpp"

namespace fabricast {
namespace {

constexpr double relative_step = 1.0 / 512;

int sources_of(const Conditions& conditions) {
  if (conditions.algorithm == "copy") return 1;
  return conditions.algorithm == "reduce_2" ? 2 : 0;
}

bool has_lines(const Conditions& conditions) {
  return conditions.protocol == "ll" || conditions.protocol == "ll128";
}

double copy_us(const DeviceCosts& costs, const Conditions& conditions) {
  const int sources = sources_of(conditions);
  const auto bytes = static_cast<double>(conditions.bytes);
  const double moved = (sources + 1) * bytes;
  const double of_one = bytes / conditions.channels * costs.copy_ps_per_byte(moved) *
                        (sources == 2 ? costs.reduce_ratio : 1);
  const double of_all = moved * costs.memory_ps_per_byte(moved);
  return costs.launch_us / static_cast<double>(micro_passes(conditions.bytes)) +
         std::max(of_one, of_all) / static_cast<double>(ps_per_us);
}

double lines_us(const ParameterValues& values, const DeviceCosts& costs,
                const Conditions& conditions) {
  const Protocol protocol = protocol_from_name(conditions.protocol);
  const bool awaits = conditions.algorithm == "await_move";
  const auto wire = static_cast<double>(wire_bytes(protocol, conditions.bytes));
  const double working_set = 2 * wire;
  const LineCosts lines = line_costs(values, protocol, costs.copy_ps_per_byte(working_set));
  const double of_one = static_cast<double>(conditions.bytes) / conditions.channels *
                        (lines.ps_per_byte + (awaits ? lines.await_ps_per_byte : 0));
  const double of_all = (awaits ? 3 : 2) * wire * costs.memory_ps_per_byte(working_set);
  return costs.launch_us / static_cast<double>(micro_passes(conditions.bytes)) +
         std::max(of_one, of_all) / ps_per_us;
}

}  // namespace

std::int64_t micro_passes(std::int64_t bytes) {
  constexpr std::int64_t together = 512LL << 20, most = 256;
  return std::clamp<std::int64_t>(together / std::max<std::int64_t>(1, bytes), 1, most);
}

bool is_modeled_micro(const Conditions& c) {
  if (c.executor != ExecutorKind::cuda || !c.parameter.empty() || c.channels <= 0 || c.bytes <= 0) {
    return false;
  }
  if (c.suite == "reduce_copy" || c.suite == "memory") return sources_of(c) > 0;
  if (c.suite == "lines") {
    return has_lines(c) && (c.algorithm == "move" || c.algorithm == "await_move");
  }
  return c.suite == "hand_off" && c.algorithm == "ordered_ping_pong" && has_lines(c);
}

double micro_time_us(const ParameterValues& values, const Conditions& conditions) {
  FABRICAST_EXPECT(is_modeled_micro(conditions), "a micro-benchmark with a model");
  if (conditions.suite == "hand_off") {
    return parameter_value(values, "cuda.handoff." + conditions.protocol) +
           parameter_value(values, "cuda.order." + conditions.protocol);
  }
  const DeviceCosts costs = device_costs(values);
  return conditions.suite == "lines" ? lines_us(values, costs, conditions)
                                     : copy_us(costs, conditions);
}

std::vector<MicroElasticity> micro_elasticities(const ParameterValues& values,
                                                const Conditions& conditions) {
  std::vector<MicroElasticity> result;
  ParameterValues moved = values;
  const auto ln_time = [&] { return std::log(micro_time_us(moved, conditions)); };
  for (const auto& [id, value] : values) {
    if (!id.starts_with("cuda.")) continue;
    double& slot = moved[id];
    slot = value * (1 + relative_step);
    const double above = ln_time();
    slot = value / (1 + relative_step);
    const double below = ln_time();
    slot = value;
    if (above != below) result.push_back({id, (above - below) / (2 * std::log1p(relative_step))});
  }
  return result;
}

}  // namespace fabricast
