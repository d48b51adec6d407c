// The memory of one GPU whose thread blocks are the ranks: two regimes, L2 and HBM, shared by all.
//
// What a working set of w bytes finds in L2 is f = 1 / sqrt(1 + (w / l2_size)^2), as for host
// caches: nearly all while it fits, l2_size / w when it does not. Time per byte is f of L2's and
// 1 - f of HBM's, for one CTA (cuda.cta_copy_bw, cuda.cta_hbm_ratio) and for all CTAs together
// (cuda.l2_bw, cuda.hbm_bw: bytes read and written). One place for collectives (machine_costs.hpp)
// and for the micro-benchmarks that identify the parameters (micro_model.hpp), so that both mean
// the same. The form of f is an assumption; docs/calibration.md says so.
//
// A message of lines (LL, LL128) moves by lines on both sides: a data byte costs a CTA
// wire / data x g / cuda.line_ratio.P, with g the copy's time per byte; an operand that is reduced
// in is a stream of plain memory, g x (reduce_ratio - 1), as beside Simple. Where lanes share data
// a step first looks through its whole message (cuda.await_ratio.P of moving it), stores before it
// sends (one more plain copy where it does both), and has cuda.order.P of fences and barriers
// (kernels/lane/move_message.hpp). Value types; thread safe.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "emulator/cost/protocol.hpp"

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

// Of messages of lines, per data byte and CTA; all zero for Simple.
struct LineCosts {
  double ps_per_byte = 0;        // moved
  double await_ps_per_byte = 0;  // looked through
  double order_us = 0;           // per step whose lanes share data
};
// `plain_ps_per_byte`: of the same CTA's copy.
LineCosts line_costs(const ParameterValues& values, Protocol protocol, double plain_ps_per_byte);

}  // namespace fabricast
