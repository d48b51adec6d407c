// What of a plan does not depend on sizes or parameters: the edge class of every step, and how many
// messages every link carries. Built once per (topology, collective, algorithm, channels).
//
// Phases whose peers do not vary hold one EdgeId per position and direction. Phases whose peers
// vary (pairwise exchange) hold one per key of a pair instead (position_keys.hpp). Routes of one
// key are taken to be alike; where they are not, the longest of the sampled ones counts. Messages
// are counted per link exactly. The flows that share a link are the most of any sampled repetition:
// exact up to 257 ranks; beyond, an irregular machine may have a repetition with more. Immutable
// after construction; thread safe. O(channels * positions) memory while building, then one row set
// per class of equal channels.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "emulator/cost/edge_class.hpp"
#include "emulator/cost/position_keys.hpp"
#include "emulator/cost/stage_flows.hpp"
#include "emulator/schedule/plan.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

using EdgeRow = std::shared_ptr<const std::vector<EdgeId>>;

struct PhaseEdges {
  StepWork work;
  std::int32_t lane_chunks = 1;  // of the step: all its messages together
  std::int32_t port_chunks = 1;  // charged to the port at the share of one flow
  EdgeRow send, receive;         // when the peers do not vary
  // By sender, over which edge the receiver passes the message on in the same repetition, of who
  // sends one in the group; idle where he does not. Null: nobody does.
  EdgeRow onward;
  // When they do: EdgeId by key of the pair (position_keys.hpp).
  bool varies = false;
  PeerMap peer_in, peer_out;
  Active active;
  std::vector<EdgeId> send_by_key, receive_by_key;
};

// Channels whose rows are equal.
struct ChannelTraffic {
  std::vector<std::int32_t> channels;  // front() represents them
  std::size_t schedule = 0;            // index among the plan's distinct schedules
  std::vector<std::vector<std::vector<PhaseEdges>>> phases;  // [stage][group][phase]
  std::shared_ptr<const PositionKeys> keys;                  // only when a phase varies
};

// Chunk messages per link class in one loop and slice, all channels together.
struct ClassTraffic {
  std::int64_t links = 0;  // that carry anything
  std::int64_t busiest_chunks = 0;
  std::int64_t total_chunks = 0;
};

class TrafficMap {
 public:
  // `on_device`: the ranks are CTAs of one GPU, edges cross no link.
  TrafficMap(const Topology& topology, const ExecutionPlan& plan, bool on_device);

  const EdgeTable& edges() const { return edges_; }
  const std::vector<ChannelTraffic>& channels() const { return channels_; }
  // Does a plan have the same shape, so that this map is about it too? (Slices, bytes and
  // repetitions may differ, and loops where they do not share links: loop_overlap.hpp.)
  bool matches(const ExecutionPlan& plan) const;
  // Per link class, for the repetitions of this plan.
  std::vector<ClassTraffic> traffic(const ExecutionPlan& plan) const;

 private:
  friend class TrafficBuilder;

  std::vector<std::vector<Stage>> shapes_;  // of the plan's distinct schedules
  std::size_t link_classes_ = 0;
  bool overlaps_ = false;   // loops decide how links are shared
  std::int32_t loops_ = 1;  // then: how many
  EdgeTable edges_;
  std::vector<ChannelTraffic> channels_;
  std::vector<LinkClassId> class_of_link_;
  std::vector<std::vector<std::int64_t>> stage_chunks_;  // [stage][link], one repetition ...
  std::vector<bool> whole_stage_;                        // ... or all: stages whose peers vary
};

}  // namespace fabricast
