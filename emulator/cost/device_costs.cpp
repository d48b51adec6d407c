#include "emulator/cost/device_costs.hpp"

#include <cmath>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/units.hpp"

namespace fabricast {
namespace {

constexpr double ps_times_gb = 1e3;  // ps per byte at one GB/s

}  // namespace

double parameter_value(const ParameterValues& values, std::string_view id) {
  const auto found = values.find(id);
  if (found == values.end()) {
    throw UsageError(
        fmt::format("the profile has no parameter \"{}\" (it belongs to another "
                    "machine or executor, or to an older version) calibrate for this machine",
                    id));
  }
  return found->second;
}

DeviceCosts device_costs(const ParameterValues& values) {
  DeviceCosts costs;
  costs.launch_us = parameter_value(values, "cuda.launch");
  costs.cta_ps_per_byte = ps_times_gb / parameter_value(values, "cuda.cta_copy_bw");
  costs.cta_hbm_ratio = parameter_value(values, "cuda.cta_hbm_ratio");
  costs.reduce_ratio = parameter_value(values, "cuda.reduce_ratio");
  costs.l2_ps_per_byte = ps_times_gb / parameter_value(values, "cuda.l2_bw");
  costs.hbm_ps_per_byte = ps_times_gb / parameter_value(values, "cuda.hbm_bw");
  costs.l2_bytes = parameter_value(values, "cuda.l2_size") * bytes_per_mib;
  return costs;
}

LineCosts line_costs(const ParameterValues& values, Protocol protocol, double plain_ps_per_byte) {
  if (interpreter_line_bytes(protocol) == 0) return {};
  const auto of = [&](std::string_view what) {
    return parameter_value(values, fmt::format("cuda.{}.{}", what, to_string(protocol)));
  };
  const WireFormat format = wire_format(protocol);
  LineCosts costs;
  costs.ps_per_byte = plain_ps_per_byte * static_cast<double>(format.wire) /
                      static_cast<double>(format.data) / of("line_ratio");
  costs.await_ps_per_byte = costs.ps_per_byte * of("await_ratio");
  costs.order_us = of("order");
  return costs;
}

double DeviceCosts::part_in_l2(double working_set) const {
  return 1 / std::hypot(1.0, working_set / l2_bytes);
}

double DeviceCosts::copy_ps_per_byte(double working_set) const {
  const double f = part_in_l2(working_set);
  return cta_ps_per_byte * (f + (1 - f) / cta_hbm_ratio);
}

double DeviceCosts::memory_ps_per_byte(double working_set) const {
  const double f = part_in_l2(working_set);
  return f * l2_ps_per_byte + (1 - f) * hbm_ps_per_byte;
}

}  // namespace fabricast
