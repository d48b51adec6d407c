// What some ranks of a machine draw and cost, from its file: power of the facility, price of an
// hour, what it took to build.
//
// Power is that of whole nodes or racks, in proportion to the ranks, times the overhead of the
// facility; without it the rated power of the GPUs alone stands in, and `counts` says so. Zero: the
// file does not say. Value types.
#pragma once

#include <cstdint>
#include <string>

#include "topologies/model/machine_spec.hpp"

namespace fabricast {

struct RunningCost {
  double watts = 0;
  std::string counts;       // "nodes, facility overhead 1.3", "GPUs only"
  double usd_per_hour = 0;  // by the price of `price_date`
  std::string price_date;
  double capital_usd = 0;
};

RunningCost running_cost(const MachineSpec& spec, std::int64_t ranks);

// Of a time at that power and price.
double joules(const RunningCost& cost, double seconds);
double dollars(const RunningCost& cost, double seconds);

}  // namespace fabricast
