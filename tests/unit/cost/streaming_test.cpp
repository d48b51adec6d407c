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

// One message on each channel, handed from rank to rank.
Chain chain(Collective collective, const std::string& machine, std::int32_t ranks,
            Protocol protocol, std::int64_t bytes, std::int32_t channels) {
  const auto topology = with_ranks(load_machine(machine), ranks);
  const auto values = values_of(prior_profile(*topology, ExecutorKind::nccl));
  PointSpec point;
  point.collective = collective;
  point.algorithm = "ring";
  point.protocol = protocol;
  point.bytes = bytes;
  point.channels = channels;
  const auto made = build_case(*topology, values, point);
  std::vector<std::int64_t> lane(static_cast<std::size_t>(ranks)), port(lane), latency(lane),
      credit(lane);
  made.channel_classes.front().costs->fill(0, 0, 0, 0, {lane, port, latency, credit});
  return {predict_time(*topology, values, point), *std::max_element(lane.begin(), lane.end()),
          *std::max_element(port.begin(), port.end()),
          *std::max_element(latency.begin(), latency.end())};
}

Chain broadcast(const std::string& machine, std::int32_t ranks, Protocol protocol,
                std::int64_t bytes) {
  return chain(Collective::broadcast, machine, ranks, protocol, bytes, 1);
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

// Also where many channels share a link, which then is slower than a thread block's copy.
TEST(Streaming, ASharedLinkIsPaidOnceByAChainToo) {
  constexpr std::int32_t channels = 16;
  for (const Collective collective : {Collective::broadcast, Collective::reduce}) {
    for (const Protocol protocol : {Protocol::ll, Protocol::ll128}) {
      const auto time = [&](std::int32_t ranks, std::int64_t bytes) {
        return chain(collective, "hgx-h100", ranks, protocol, channels * bytes, channels);
      };
      const std::int64_t line = line_bytes(protocol),
                         slot = protocol == Protocol::ll ? 32'768 : 576'000;
      const Chain all = time(8, slot), few = time(8, line);
      if (protocol == Protocol::ll128) {
        ASSERT_GT(all.port, all.lane);
      }
      const auto hop = [&](std::int64_t bytes) {
        return static_cast<double>((time(8, bytes).time - time(4, bytes).time).value()) / 4;
      };
      EXPECT_LT(hop(slot), 1.1 * hop(line)) << to_string(protocol);
      EXPECT_GE((all.time - few.time).value(), all.port - few.lane) << to_string(protocol);
    }
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
