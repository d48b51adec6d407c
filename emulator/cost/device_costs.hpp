// The memory of one GPU whose thread blocks are the ranks: two regimes, L2 and HBM, shared by all.
//
// What a working set of w bytes finds in L2 is f = 1 / sqrt(1 + (w / l2_size)^2), as for host
// caches: nearly all while it fits, l2_size / w when it does not. Time per byte is f of L2's and
// 1 - f of HBM's, for one CTA (cuda.cta_copy_bw, cuda.cta_hbm_ratio) and for all CTAs together
// (cuda.l2_bw, cuda.hbm_bw: bytes read and written). One place for collectives (machine_costs.hpp)
// and for the micro-benchmarks that identify the parameters (micro_model.hpp), so that both mean
// the same. The form of f is an assumption; docs/calibration.md says so. Value type; thread safe.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace fabricast {

// id -> value; what the fit varies. Made from a profile, or from priors.
using ParameterValues = std::map<std::string, double, std::less<>>;

// Throws UsageError when the profile has no such parameter.
double parameter_value(const ParameterValues& values, std::string_view id);

struct DeviceCosts {
  double launch_us = 0;
  double cta_ps_per_byte = 0;  // of a copy whose data L2 holds
  double cta_hbm_ratio = 1;
  double reduce_ratio = 1;
  double l2_ps_per_byte = 0, hbm_ps_per_byte = 0;  // of all CTAs together, per byte read or written
  double l2_bytes = 0;

  double part_in_l2(double working_set) const;
  double copy_ps_per_byte(double working_set) const;    // of one CTA
  double memory_ps_per_byte(double working_set) const;  // of all together
};

DeviceCosts device_costs(const ParameterValues& values);

}  // namespace fabricast
