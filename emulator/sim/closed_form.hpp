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

// What a message of `chunks` chunks costs: affine in its size, as LogGP has it.
struct SizedCosts {
  MessageCosts fixed, per_chunk;                       // of the sending step
  std::int64_t receive = 0, receive_per_chunk = 0;     // lane of a step that only receives
  MessageCosts of(std::int64_t chunks) const;
  std::int64_t receiving(std::int64_t chunks) const { return receive + receive_per_chunk * chunks; }
};

// Exchanges in rounds, each a send and then a receive: a round of n chunks takes
// max(lane, port) + latency + receive. One loop, one slice, two slots at least.
// halving_doubling (Thakur, Rabenseifner, Gropp 2005, section 4): q/2, q/4 ... 1, 1 ... q/2 of q
// chunks, q the largest power of two; where ranks fold in, two more rounds of all q.
SimDuration closed_form_halving_doubling(std::int32_t ranks, const SizedCosts& costs);
// doubling: log2 of ranks rounds of the whole message (one chunk). Empty for other numbers of ranks:
// who folded in is then late by different amounts.
std::optional<SimDuration> closed_form_doubling(std::int32_t ranks, const SizedCosts& costs);
// pat (all_gather, reduce_scatter): ceil(log2 ranks) rounds, ranks - 1 blocks in all. `leaf_copy` is
// the local step that reduce_scatter begins with when ranks is odd.
SimDuration closed_form_pat(Collective collective, std::int32_t ranks, const SizedCosts& costs,
                            std::int64_t leaf_copy);

}  // namespace fabricast
