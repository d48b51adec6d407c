#include "emulator/sim/closed_form.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

std::int64_t ring_rounds(Collective collective, std::int32_t ranks) {
  switch (collective) {
    case Collective::all_reduce:
      return 2 * (std::int64_t{ranks} - 1);
    case Collective::all_gather:
    case Collective::reduce_scatter:
      return std::int64_t{ranks} - 1;
    default:
      throw UsageError(
          fmt::format("there is no closed form for {} on a ring (it is pipelined or "
                      "pairwise); use the sweep",
                      to_string(collective)));
  }
}

SimDuration round_of(std::int64_t chunks, const SizedCosts& costs) {
  const MessageCosts send = costs.of(chunks);
  return SimDuration(std::max(send.lane, send.port) + send.latency + costs.receiving(chunks));
}

}  // namespace

double alpha_beta_ring_us(Collective collective, std::int32_t ranks, std::int64_t bytes,
                          Bandwidth bandwidth, SimDuration latency) {
  FABRICAST_EXPECT(ranks >= 1 && bandwidth.value() > 0, "a machine");
  const auto rounds = static_cast<double>(ring_rounds(collective, ranks));
  const double message_s =
      static_cast<double>(bytes) / ranks / static_cast<double>(bandwidth.value());
  return rounds * (message_s * 1e6 + to_us(latency));
}

// Round t starts when the message of round t-1 is ready: t * (max(lane, port) + latency). The last
// round only receives. A port is free again by then, since it never outlasts the message.
std::optional<SimDuration> closed_form_ring(Collective collective, std::int32_t ranks,
                                            const MessageCosts& costs, std::int32_t fifo_depth) {
  FABRICAST_EXPECT(ranks >= 2, "a ring");
  const std::int64_t round = std::max(costs.lane, costs.port) + costs.latency;
  if (costs.lane + costs.credit > (std::int64_t{fifo_depth} - 1) * round) return std::nullopt;
  return SimDuration(ring_rounds(collective, ranks) * round + costs.lane);
}

// Message k leaves at own_copy + k * max(lane, port) or so, a straight line in k; the receiving
// lane is limited by the first message (it is the bottleneck) or by the last (the sender is).
SimDuration closed_form_pairwise(std::int32_t ranks, const MessageCosts& send, std::int64_t receive,
                                 std::int64_t own_copy) {
  const std::int64_t messages = std::int64_t{ranks} - 1;
  if (messages == 0) return SimDuration(own_copy);
  const std::int64_t pace = std::max(send.lane, send.port);
  const std::int64_t first_ready = own_copy + pace + send.latency;
  const std::int64_t last_ready = first_ready + (messages - 1) * pace;
  return SimDuration(std::max(first_ready + messages * receive, last_ready + receive));
}

MessageCosts SizedCosts::of(std::int64_t chunks) const {
  return {fixed.lane + chunks * per_chunk.lane, fixed.port + chunks * per_chunk.port,
          fixed.latency + chunks * per_chunk.latency, fixed.credit + chunks * per_chunk.credit};
}

// The ranks that others folded into are late by that round, and every further round hands the
// lateness on: each partner waits for the later of the two. Halving and doubling use the same
// partners, so the latest path ends where it began, at a rank that folds out.
SimDuration closed_form_halving_doubling(std::int32_t ranks, const SizedCosts& costs) {
  FABRICAST_EXPECT(ranks >= 2, "an exchange");
  const auto q = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint32_t>(ranks)));
  SimDuration time;
  if (q < ranks) time = time + round_of(q, costs) + round_of(q, costs);
  for (std::int64_t span = q / 2; span >= 1; span /= 2) {
    time = time + round_of(span, costs) + round_of(span, costs);
  }
  return time;
}

std::optional<SimDuration> closed_form_doubling(std::int32_t ranks, const SizedCosts& costs) {
  FABRICAST_EXPECT(ranks >= 2, "an exchange");
  const auto p = static_cast<std::uint32_t>(ranks);
  if (!std::has_single_bit(p)) return std::nullopt;
  return SimDuration(std::countr_zero(p) * round_of(1, costs).value());
}

SimDuration closed_form_pat(Collective collective, std::int32_t ranks, const SizedCosts& costs,
                            std::int64_t leaf_copy) {
  FABRICAST_EXPECT(ranks >= 2, "an exchange");
  FABRICAST_EXPECT(
      collective == Collective::all_gather || collective == Collective::reduce_scatter,
      "a collective that PAT has");
  const bool copies = collective == Collective::reduce_scatter && ranks % 2 == 1;
  SimDuration time(copies ? leaf_copy : 0);
  // At distance d the nodes 0, 2d, 4d ... below ranks - d send.
  for (std::int64_t d = 1; d < ranks; d *= 2) {
    time = time + round_of((ranks - d + 2 * d - 1) / (2 * d), costs);
  }
  return time;
}

}  // namespace fabricast
