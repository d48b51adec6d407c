// What a receiver takes up line by line (semantics 3.9), in times that can be written down.
#include <gtest/gtest.h>

#include <algorithm>

#include "emulator/sim/predict.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

struct Chain {
  SimDuration time;
  std::int64_t lane = 0, port = 0, way = 0;  // of the root's message
};

// One channel, one message, handed from rank to rank.
Chain broadcast(const std::string& machine, std::int32_t ranks, Protocol protocol,
                std::int64_t bytes) {
  const auto topology = with_ranks(load_machine(machine), ranks);
  const auto values = values_of(prior_profile(*topology, ExecutorKind::nccl));
  PointSpec point;
  point.collective = Collective::broadcast;
  point.algorithm = "ring";
  point.protocol = protocol;
  point.bytes = bytes;
  point.channels = 1;
  const auto made = build_case(*topology, values, point);
  std::vector<std::int64_t> lane(static_cast<std::size_t>(ranks)), port(lane), latency(lane),
      credit(lane);
  made.channel_classes.front().costs->fill(0, 0, 0, 0, {lane, port, latency, credit});
  return {predict_time(*topology, values, point), *std::max_element(lane.begin(), lane.end()),
          *std::max_element(port.begin(), port.end()),
          *std::max_element(latency.begin(), latency.end())};
}

// A hop more costs its hand-off, its way and one line, however long the message is.
TEST(Streaming, AHopInsideANodeCostsALineNotAMessage) {
  for (const Protocol protocol : {Protocol::ll, Protocol::ll128}) {
    const std::int64_t line = line_bytes(protocol);
    const auto hop = [&](std::int64_t bytes) {
      return (broadcast("hgx-h100", 8, protocol, bytes).time -
              broadcast("hgx-h100", 4, protocol, bytes).time)
                 .value() /
             4;
    };
    EXPECT_NEAR(static_cast<double>(hop(30'720)), static_cast<double>(hop(line)), 10.0)
        << to_string(protocol);
  }
}

// The last byte is never there before it can be: the whole message's copy is paid once.
TEST(Streaming, TheMessageIsPaidOnce) {
  const Chain one = broadcast("hgx-h100", 2, Protocol::ll, 32'768);
  const Chain few = broadcast("hgx-h100", 2, Protocol::ll, 8);
  EXPECT_GE(one.time - few.time, SimDuration(one.lane - few.lane));
}

// Simple waits for a counter behind the message.
TEST(Streaming, SimpleStoresAndForwards) {
  const Chain eight = broadcast("hgx-h100", 8, Protocol::simple, 32'768);
  const Chain four = broadcast("hgx-h100", 4, Protocol::simple, 32'768);
  EXPECT_EQ((eight.time - four.time).value(), 4 * (std::max(eight.lane, eight.port) + eight.way));
}

}  // namespace
}  // namespace fabricast
