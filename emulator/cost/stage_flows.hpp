// Who talks to whom in a stage, and how many flows cross every link meanwhile.
//
// Where peers stay the same, and in stages with groups, shares go by bytes: every chunk on a link
// in a repetition counts as a flow, and a lane that sends several messages spends a part of its
// share on each (docs/semantics.md 5). Where they vary, a flow is a lane (rank, channel, role)
// whose stage sends over the link in that repetition. Channels that have the same schedule and
// placement are counted once and multiplied. Pure functions over a plan; O(channels * positions *
// phases) routes.
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/cost/edge_class.hpp"
#include "emulator/schedule/plan.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

// Channels of a plan with equal schedule and placement.
struct ChannelGroup {
  const Schedule* schedule = nullptr;
  std::vector<std::int32_t> channels;
  std::vector<std::int32_t> ranks;  // rank at each position
};
std::vector<ChannelGroup> group_channels(const ExecutionPlan& plan);

// Peers of every position in repetition k.
struct PhasePeers {
  static constexpr std::int32_t nobody = -1;    // active, no peer in this direction, or a group
  static constexpr std::int32_t inactive = -2;  // does not execute the phase
  std::vector<std::int32_t> in, out;
};
PhasePeers peers_of(const Schedule& schedule, const Phase& phase, std::int32_t k);

bool phase_varies(const Phase& phase);
bool stage_varies(const Stage& stage);

// Per LinkId. For stages whose peers vary, flows are the most over sampled_repetitions(), chunks
// stay empty: traffic_pairs.cpp counts the pairs. Direct links (LinkClass) are the exception: a
// library spreads the rounds of an exchange over its channels, so that at any time all peers are
// served; there the flows are the mean over the rounds, rounded up to
// a part of one_flow, one at the least.
struct LinkCounts {
  std::vector<std::int64_t> flows;   // in parts of one_flow
  std::vector<std::int64_t> chunks;  // chunk messages in one repetition, loop and slice
};
LinkCounts count_links(const Topology& topology, const std::vector<ChannelGroup>& groups,
                       std::size_t stage);

// Do these phases send from every position to every other exactly once in `repeat` rounds?
bool meets_all(const Phase& phase, std::int32_t repeat, std::int32_t positions);

// Repetitions that stand for all of a varying stage: all of them up to 256, else the first, the
// last, the middle, whole domains apart, and a seeded choice. What another one has more is missed.
std::vector<std::int32_t> sampled_repetitions(std::int32_t repeat, std::int32_t domain_size);

}  // namespace fabricast
