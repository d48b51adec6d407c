#include "topologies/model/machine_cost.hpp"

#include <fmt/format.h>

namespace fabricast {

RunningCost running_cost(const MachineSpec& spec, std::int64_t ranks) {
  const CostSpec& cost = spec.cost;
  const auto count = static_cast<double>(ranks);
  RunningCost result;
  const double overhead = cost.facility_overhead ? cost.facility_overhead->value : 1;
  if (cost.domain_power_kw) {
    // Of a domain: a part of one is charged in proportion.
    result.watts = cost.domain_power_kw->value * 1000 * count / spec.domain.size.value * overhead;
    result.counts = spec.domain.noun + "s";
  } else if (spec.gpu.power_w.value > 0) {
    result.watts = spec.gpu.power_w.value * count * overhead;
    result.counts = "GPUs only";
  }
  if (result.watts > 0 && overhead > 1) {
    result.counts += fmt::format(", facility overhead {:.4g}", overhead);
  }
  if (cost.usd_per_gpu_hour) {
    result.usd_per_hour = cost.usd_per_gpu_hour->value * count;
    result.price_date = cost.date;
  }
  if (cost.usd_per_gpu) result.capital_usd = cost.usd_per_gpu->value * count;
  return result;
}

double joules(const RunningCost& cost, double seconds) { return cost.watts * seconds; }

double dollars(const RunningCost& cost, double seconds) {
  return cost.usd_per_hour * seconds / 3600;
}

}  // namespace fabricast
