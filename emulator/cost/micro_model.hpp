// Predicted time of a micro-benchmark that the same parameters decide as the interpreter's steps.
//
// Suites "reduce_copy" and "memory" (bench/suites): k CTAs move b bytes of each of s sources into
// one destination, in one cooperative launch that passes n times over the same buffers
// (micro_passes), so that the launch does not hide short ones. The time of one pass is
//   launch / n + max(b/k x g(w) x r(s), (s + 1) x b x m(w))
// with w = (s + 1) x b the working set, g one CTA's time per byte and m all CTAs'
// (device_costs.hpp), r(1) = 1 and r(2) = cuda.reduce_ratio. Three sources are measured and not
// modeled: no executor here reduces three. How a condition says so: channels = k, bytes = b,
// algorithm = "copy" or "reduce_2". Suite "lines": k CTAs take b bytes of data out of lines that
// are there and put them into others, algorithm "move", or look through them first, "await_move":
//   launch / n + max(b/k x (l(w) + a(w)), s x wire(b) x m(w))
// with l and a the time per byte of moving and of looking through lines (a = 0 for "move"), s = 2
// and 3 streams, w = 2 wire(b).
// Suite "hand_off", algorithm "ordered_ping_pong": cuda.handoff.P + cuda.order.P. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/cost/device_costs.hpp"
#include "emulator/profile/sample.hpp"

namespace fabricast {

// Is it a condition that this file predicts?
bool is_modeled_micro(const Conditions& conditions);

// Passes of one launch over `bytes` of each source: 1 to 256, at most half a GiB together.
std::int64_t micro_passes(std::int64_t bytes);

// us of one pass. Contract: is_modeled_micro.
double micro_time_us(const ParameterValues& values, const Conditions& conditions);

// d ln T / d ln theta of the parameters that have any influence, by central differences.
struct MicroElasticity {
  std::string id;
  double value = 0;
};
std::vector<MicroElasticity> micro_elasticities(const ParameterValues& values,
                                                const Conditions& conditions);

}  // namespace fabricast
