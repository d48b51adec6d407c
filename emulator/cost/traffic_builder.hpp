// Builds a TrafficMap: one pass over stages, memoized, because most stages of a schedule repeat the
// same sends.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "emulator/cost/group_links.hpp"
#include "emulator/cost/traffic_map.hpp"

namespace fabricast {

class TrafficBuilder {
 public:
  TrafficBuilder(const Topology& topology, const ExecutionPlan& plan, bool on_device,
                 TrafficMap& map);
  void build();

 private:
  // The sends of a stage decide its flows.
  struct SendKey {
    std::uint8_t role;
    PeerMap out;
    Active active;
    std::int32_t chunks;
    bool per_member;
    bool operator==(const SendKey&) const = default;
  };
  struct CountedStage {
    std::vector<SendKey> sends;  // of all channel groups
    std::int32_t repeat;
    bool by_bytes;  // the flows (stage_flows.hpp)
    std::shared_ptr<const LinkCounts> counts;
    std::int32_t device_flows;
  };
  struct RowKey {
    const CountedStage* stage;
    const Phase* phase;
    std::uint8_t role;    // where lanes send several messages; 0 elsewhere
    std::int32_t chunks;  // PhaseEdges::port_chunks
    PeerMap in, out;
    Active active;
    EdgeRow send, receive;
  };

  // What a lane sends over links of a class in one repetition: its chunks (messages, in stages with
  // groups), each times the flows of its own busiest link, and the most flows of any of them. NICs
  // of unlike nodes count as one class, the first, with as many more flows as they are slower.
  struct LaneLoad {
    std::int64_t sum = 0, most = 0;  // in parts of one_flow
  };
  // Role by role, position by position, class by class. Of stages in which a lane sends several
  // messages; empty elsewhere.
  struct LaneLoads {
    std::vector<LaneLoad> of_lanes;
    // What was looked at: by phase the class of every position's message, before shares divide it.
    std::vector<EdgeClass> seen;
    std::map<const Phase*, std::vector<std::int32_t>> sent;  // indices into it
    bool empty() const { return of_lanes.empty(); }
  };
  void find_load_classes();
  // Flows on the class, of those that count as the class `counted`, as flows on that one.
  std::int64_t load(const EdgeClass& sent, std::size_t counted) const;
  LaneLoads loads_of_lanes(const ChannelGroup& group, const Stage& stage,
                           const CountedStage& counted);
  // Flows by which a message's port is charged, so that the lane's ports are busy for the bytes of
  // its busiest link.
  void divide_shares(EdgeClass& sent, std::int32_t chunks, const LaneLoad* of_lane) const;
  EdgeClass send_edge(const ChannelGroup& group, const CountedStage& stage, const Phase& phase,
                      std::int32_t x, std::int32_t peer) const;

  // Peers of a phase in its first repetition, which all channels of a schedule share. The reference
  // holds until the next call.
  const PhasePeers& peers(const Schedule& schedule, const Phase& phase);
  const CountedStage& counted(std::size_t stage);
  std::int32_t count_device_flows(std::size_t stage);
  void overlap_loops();
  void add_edges(PhaseEdges& edges, const ChannelGroup& group, const CountedStage& stage,
                 const Phase& phase, const LaneLoads& loads, std::vector<RowKey>& known);
  // PhaseEdges::onward of all phases of a group, whose rows are given.
  EdgeRow onward_row(const ChannelGroup& group, const PhaseGroup& phases,
                     const std::vector<PhaseEdges>& edges);
  EdgeRow send_row(const PhaseEdges& edges, const ChannelGroup& group, const CountedStage& stage,
                   const Phase& phase, const LaneLoads& loads, const PhasePeers& its);
  EdgeRow receive_row(const ChannelGroup& group, const CountedStage& stage, const Phase& phase,
                      const PhasePeers& its);
  void add_varying_edges(PhaseEdges& edges, const ChannelGroup& group, const CountedStage& stage,
                         const Phase& phase, const PositionKeys& keys);
  std::vector<EdgeId> edges_by_key(const ChannelGroup& group, const CountedStage& stage,
                                   const Phase& phase, const PositionKeys& keys, bool is_send);
  void count_by_link(const ChannelGroup& group, const Phase& phase, std::int32_t repeat,
                     std::vector<std::int64_t>& chunks) const;
  // Of a group that meets at a switch: the most flows on a link down to a member, and those on the
  // next one.
  struct Descents {
    bool known = false;
    std::int64_t most = 0, second = 0;
  };
  // By group of one map, the last asked for.
  struct GroupsOfMap {
    const ChannelGroup* group = nullptr;
    const CountedStage* stage = nullptr;
    PeerMap map;
    bool is_send = false;
    std::optional<SwitchGroups> at_switches;
    std::vector<Descents> descents;
  };
  GroupsOfMap& groups_of(const ChannelGroup& group, const CountedStage& stage, const PeerMap& map,
                         bool is_send) const;
  const Descents& descents(GroupsOfMap& groups, std::int32_t x) const;
  LinkId link_at_switch(const ChannelGroup& group, std::int32_t from, std::int32_t to,
                        std::size_t down) const;
  EdgeClass switch_edge(const ChannelGroup& group, const CountedStage& stage, const PeerMap& map,
                        std::int32_t x, const Descents* descents) const;
  // The worst member counts.
  EdgeClass group_edge(const ChannelGroup& group, const CountedStage& stage, const Phase& phase,
                       std::int32_t x, bool is_send) const;
  PhaseEdges sizes_of(const ChannelGroup& group, const Stage& stage, const Phase& phase) const;
  EdgeClass edge(std::int32_t from, std::int32_t to, const CountedStage& stage, bool is_send) const;
  void count_pairs(const ChannelGroup& group, const Phase& phase, std::int32_t repeat,
                   std::vector<std::int64_t>& chunks) const;
  std::vector<std::int64_t> count_varying(std::size_t stage) const;
  std::vector<std::int64_t> pairs_in_closed_form() const;
  std::size_t schedule_index(const Schedule* schedule);
  void add_channel(ChannelTraffic traffic);

  const Topology& topology_;
  bool on_device_;
  TrafficMap& map_;
  std::int32_t loops_;
  std::vector<ChannelGroup> groups_;
  std::vector<std::unique_ptr<CountedStage>> counted_;
  std::vector<const Schedule*> schedules_;  // distinct ones
  std::vector<std::int64_t> all_pairs_;     // by link; empty: none is known
  std::map<const Phase*, PhasePeers> peers_;
  struct LoadClass {
    std::size_t counts_as = 0;
    double slower = 1;
  };
  std::vector<LoadClass> load_classes_;  // by link class
  mutable GroupsOfMap groups_of_map_;
};

}  // namespace fabricast
