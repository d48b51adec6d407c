#include "emulator/sim/closed_form.hpp"

#include <fmt/format.h>

#include <algorithm>

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

}  // namespace fabricast
