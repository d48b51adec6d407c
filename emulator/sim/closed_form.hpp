// Closed forms for homogeneous machines: oracles of the tests, and a sanity line for people.
//
// `alpha_beta_ring_us` is the textbook formula, T = r(N-1)(S/(N B) + L) with r = 2 for all_reduce
// and 1 for all_gather and reduce_scatter (Thakur, Rabenseifner, Gropp 2005, section 4; with the
// reduction free). The others solve the recurrence of docs/semantics.md 3 exactly where all costs
// are equal: LogGP (Alexandrov et al. 1995) with a lane and a port per rank. Pure functions.
#pragma once

#include <cstdint>
#include <optional>

#include "emulator/base/units.hpp"
#include "emulator/schedule/collective.hpp"

namespace fabricast {

// Microseconds; bandwidth in bytes per second. Throws UsageError for collectives without a ring.
double alpha_beta_ring_us(Collective collective, std::int32_t ranks, std::int64_t bytes,
                          Bandwidth bandwidth, SimDuration latency);

// What every message costs, in ps (StepCosts of one value per row).
struct MessageCosts {
  std::int64_t lane = 0;
  std::int64_t port = 0;
  std::int64_t latency = 0;
  std::int64_t credit = 0;
};

// Ring of `ranks`, one loop, one slice: r(N-1)(max(lane, port) + latency) + lane. Empty when
// credits would hold senders up: lane + credit > (depth - 1)(max(lane, port) + latency).
std::optional<SimDuration> closed_form_ring(Collective collective, std::int32_t ranks,
                                            const MessageCosts& costs, std::int32_t fifo_depth);

// Pairwise all_to_all, one loop, one slice: `own_copy` on the sending lane, then N-1 messages back
// to back; the receiving lane spends `receive` on each.
SimDuration closed_form_pairwise(std::int32_t ranks, const MessageCosts& send, std::int64_t receive,
                                 std::int64_t own_copy);

}  // namespace fabricast
