#include "emulator/sim/lane_order.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

namespace fabricast {
namespace {

// Connections that the steps use, by end.
struct Ends {
  std::span<const std::int32_t> in, out;
};

Ends ends_of(const WiredSegment& segment, const WiredStep& step) {
  if (step.is_wide()) {
    const WideStep& wide = segment.wide_steps[step.wide_index()];
    const std::span all(segment.wide_connections.data() + wide.first,
                        static_cast<std::size_t>(wide.ins + wide.outs));
    return {all.first(static_cast<std::size_t>(wide.ins)),
            all.last(static_cast<std::size_t>(wide.outs))};
  }
  return {{&step.in, step.in >= 0 ? 1U : 0U}, {&step.out, step.out >= 0 ? 1U : 0U}};
}

// Every connection that is used, if each is sent on once and received from once.
std::optional<std::vector<std::int32_t>> connections_used_once(const WiredProgram& program,
                                                               const WiredSegment& segment) {
  std::vector<std::uint8_t> sent(program.connections.size(), 0);
  std::vector<std::uint8_t> received(program.connections.size(), 0);
  for (const WiredStep& step : segment.steps) {
    if (step.is_wide() && segment.wide_steps[step.wide_index()].mark >= 0) return std::nullopt;
    const Ends ends = ends_of(segment, step);
    for (const std::int32_t c : ends.in) {
      if (std::exchange(received[static_cast<std::size_t>(c)], 1) != 0) return std::nullopt;
    }
    for (const std::int32_t c : ends.out) {
      if (std::exchange(sent[static_cast<std::size_t>(c)], 1) != 0) return std::nullopt;
    }
  }
  if (sent != received) return std::nullopt;
  std::vector<std::int32_t> used;
  for (std::size_t c = 0; c < sent.size(); ++c) {
    if (sent[c] != 0) used.push_back(static_cast<std::int32_t>(c));
  }
  return used;
}

}  // namespace

std::optional<LaneOrder> lane_order(const WiredProgram& program, const WiredSegment& segment) {
  if (segment.unrolled()) return std::nullopt;
  auto used = connections_used_once(program, segment);
  if (!used) return std::nullopt;
  const auto lanes = static_cast<std::size_t>(program.lanes);
  std::vector<std::int32_t> awaited(lanes, 0);  // messages of a repetition not yet sent
  for (const std::int32_t c : *used) {
    ++awaited[static_cast<std::size_t>(
        program.connections[static_cast<std::size_t>(c)].receiving_lane)];
  }
  LaneOrder order{{}, std::move(*used), 0, !segment.wide_steps.empty()};
  std::size_t with_steps = 0;
  std::vector<std::int32_t> free;
  for (std::size_t lane = lanes; lane-- > 0;) {
    if (segment.begin[lane] == segment.begin[lane + 1]) continue;
    ++with_steps;
    if (awaited[lane] == 0) free.push_back(static_cast<std::int32_t>(lane));
  }
  // Last in, first out: who receives follows closely on the last of its senders, whose messages
  // are then still in the cache.
  while (!free.empty()) {
    const std::int32_t lane = free.back();
    free.pop_back();
    order.lanes.push_back(lane);
    const auto at = static_cast<std::size_t>(lane);
    order.most_steps = std::max(order.most_steps, segment.begin[at + 1] - segment.begin[at]);
    for (std::int32_t s = segment.begin[at]; s < segment.begin[at + 1]; ++s) {
      for (const std::int32_t c :
           ends_of(segment, segment.steps[static_cast<std::size_t>(s)]).out) {
        const std::int32_t to = program.connections[static_cast<std::size_t>(c)].receiving_lane;
        if (--awaited[static_cast<std::size_t>(to)] == 0) free.push_back(to);
      }
    }
  }
  if (order.lanes.size() != with_steps) return std::nullopt;
  return order;
}

void put_in_order(WiredProgram& program) {
  const WiredSegment* longest = nullptr;
  for (WiredSegment& segment : program.segments) {
    segment.order = lane_order(program, segment);
    if (!segment.order) continue;
    if (longest == nullptr || longest->steps.size() < segment.steps.size()) longest = &segment;
  }
  if (longest == nullptr) return;
  const std::size_t count = program.connections.size();
  std::vector<std::int32_t> number(count, -1);
  std::int32_t next = 0;
  const auto name = [&](std::int32_t connection) {
    std::int32_t& to = number[static_cast<std::size_t>(connection)];
    if (to < 0) to = next++;
  };
  for (const std::int32_t lane : longest->order->lanes) {
    const auto at = static_cast<std::size_t>(lane);
    for (std::int32_t s = longest->begin[at]; s < longest->begin[at + 1]; ++s) {
      const Ends ends = ends_of(*longest, longest->steps[static_cast<std::size_t>(s)]);
      for (const std::int32_t c : ends.out) name(c);
    }
  }
  for (std::size_t c = 0; c < count; ++c) name(static_cast<std::int32_t>(c));
  const auto rename = [&](std::int32_t& connection) {
    if (connection >= 0) connection = number[static_cast<std::size_t>(connection)];
  };
  std::vector<WiredConnection> connections(count);
  for (std::size_t c = 0; c < count; ++c) {
    connections[static_cast<std::size_t>(number[c])] = program.connections[c];
  }
  program.connections = std::move(connections);
  for (WiredSegment& segment : program.segments) {
    for (WiredStep& step : segment.steps) {
      rename(step.in);  // wide ones are negative
      rename(step.out);
    }
    for (std::int32_t& c : segment.wide_connections) rename(c);
    if (!segment.order) continue;
    auto& used = segment.order->connections;
    if (&segment == longest) {  // the first that were named, each by the lane that sends on it
      std::iota(used.begin(), used.end(), 0);
    } else {
      for (std::int32_t& c : used) rename(c);
      std::sort(used.begin(), used.end());
    }
  }
}

}  // namespace fabricast
