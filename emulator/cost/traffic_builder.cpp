#include "emulator/cost/traffic_builder.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"
#include "emulator/cost/group_links.hpp"
#include "emulator/schedule/lowered.hpp"

namespace fabricast {
namespace {

bool equal_rows(const EdgeRow& a, const EdgeRow& b) { return a == b || (a && b && *a == *b); }

bool equal_edges(const PhaseEdges& a, const PhaseEdges& b) {
  return a.varies == b.varies && equal_rows(a.send, b.send) && equal_rows(a.receive, b.receive) &&
         equal_rows(a.onward, b.onward) && a.send_by_key == b.send_by_key &&
         a.receive_by_key == b.receive_by_key;
}

// Does a lane of the stage perhaps send more than one message of a repetition?
bool sends_twice(const Stage& stage) {
  std::set<std::uint8_t> senders;
  for (const PhaseGroup& phases : stage.groups) {
    for (const Phase& phase : phases.phases) {
      if (phase.peer_out.exists() && !senders.insert(phase.role).second) return true;
    }
  }
  return false;
}

// Chunks that a message's port is charged for: all at once in a stage with groups.
std::int32_t port_chunks(const Stage& stage, const Phase& phase) {
  return has_groups(stage) ? 1 : phase.chunk.count;
}

// Of one schedule, so only what depends on the placement is compared.
bool equal_edges(const ChannelTraffic& a, const ChannelTraffic& b) {
  if (static_cast<bool>(a.keys) != static_cast<bool>(b.keys)) return false;
  if (a.keys && !(*a.keys == *b.keys)) return false;
  for (std::size_t s = 0; s < a.phases.size(); ++s) {
    for (std::size_t g = 0; g < a.phases[s].size(); ++g) {
      for (std::size_t p = 0; p < a.phases[s][g].size(); ++p) {
        if (!equal_edges(a.phases[s][g][p], b.phases[s][g][p])) return false;
      }
    }
  }
  return true;
}

}  // namespace

TrafficBuilder::TrafficBuilder(const Topology& topology, const ExecutionPlan& plan, bool on_device,
                               TrafficMap& map)
    : topology_(topology),
      on_device_(on_device),
      map_(map),
      loops_(plan.loops),
      groups_(group_channels(plan)) {
  if (topology.link_classes().size() > EdgeClass::max_link_classes) {
    throw UsageError(
        fmt::format("machine \"{}\" has {} link classes (the model holds {}) merge some",
                    topology.name(), topology.link_classes().size(), EdgeClass::max_link_classes));
  }
  FABRICAST_EXPECT(on_device || plan.ranks() == topology.ranks(), "plan and machine agree");
  find_load_classes();
}

// Links of a rank's own, of one kind: the axes of a torus are several, trunks are nobody's.
void TrafficBuilder::find_load_classes() {
  const auto& classes = topology_.link_classes();
  for (std::size_t c = 0; c < classes.size(); ++c) {
    LoadClass as{c, 1};
    const bool own = !classes[c].direct && !is_trunk(classes[c].kind);
    for (std::size_t first = 0; own && first < c; ++first) {
      if (classes[first].kind != classes[c].kind || classes[first].direct) continue;
      as = {first, classes[first].bandwidth.value / classes[c].bandwidth.value};
      break;
    }
    load_classes_.push_back(as);
  }
}

std::int64_t TrafficBuilder::load(const EdgeClass& sent, std::size_t counted) const {
  std::int64_t most = 0;
  for (std::size_t c = counted; c < map_.link_classes_; ++c) {
    if (load_classes_[c].counts_as != counted) continue;
    const double flows = static_cast<double>(sent.flows[c]) * load_classes_[c].slower;
    most = std::max<std::int64_t>(most, std::llround(flows));
  }
  return most;
}

void TrafficBuilder::build() {
  for (std::int64_t i = 0; i < topology_.links(); ++i) {
    map_.class_of_link_.push_back(topology_.link_class(LinkId::from(i)));
  }
  map_.link_classes_ = topology_.link_classes().size();
  if (!on_device_) all_pairs_ = pairs_in_closed_form();
  const std::size_t stages = groups_.front().schedule->stages.size();
  for (std::size_t s = 0; s < stages; ++s) {
    const CountedStage& stage = counted(s);
    const Stage& of_first = groups_.front().schedule->stages[s];
    // TrafficMap::traffic() counts repetitions of the first channel for all.
    FABRICAST_EXPECT(std::all_of(groups_.begin(), groups_.end(),
                                 [&](const ChannelGroup& group) {
                                   return group.schedule->stages[s].repeat == of_first.repeat;
                                 }),
                     "channels that repeat a stage equally often");
    const bool varies = stage_varies(of_first) && !on_device_;
    map_.stage_chunks_.push_back(varies ? count_varying(s) : stage.counts->chunks);
    map_.whole_stage_.push_back(varies);
  }
  if (!on_device_) overlap_loops();
  for (const ChannelGroup& group : groups_) {
    ChannelTraffic traffic;
    traffic.channels = group.channels;
    traffic.schedule = schedule_index(group.schedule);
    std::vector<RowKey> known;
    for (std::size_t s = 0; s < stages; ++s) {
      const Stage& stage = group.schedule->stages[s];
      if (stage_varies(stage) && !on_device_ && !traffic.keys) {
        traffic.keys = std::make_shared<const PositionKeys>(topology_, group.ranks);
      }
      const LaneLoads loads = loads_of_lanes(group, stage, counted(s));
      auto& by_group = traffic.phases.emplace_back();
      for (const PhaseGroup& phases : stage.groups) {
        auto& row = by_group.emplace_back();
        for (const Phase& phase : phases.phases) {
          PhaseEdges edges = sizes_of(group, stage, phase);
          if (phase_varies(phase) && !on_device_) {
            add_varying_edges(edges, group, counted(s), phase, *traffic.keys);
          } else {
            add_edges(edges, group, counted(s), phase, loads, known);
          }
          row.push_back(std::move(edges));
        }
        const EdgeRow onward = onward_row(group, phases, row);
        for (PhaseEdges& edges : row) edges.onward = onward;
      }
    }
    add_channel(std::move(traffic));
  }
}

const TrafficBuilder::CountedStage& TrafficBuilder::counted(std::size_t stage) {
  std::vector<SendKey> key;
  for (const ChannelGroup& group : groups_) {
    for (const PhaseGroup& phases : group.schedule->stages[stage].groups) {
      for (const Phase& phase : phases.phases) {
        // What a switch reduces depends on who receives.
        if (phase.peer_in.is_group()) {
          key.push_back(
              {phase.role, phase.peer_in, phase.active, -phase.chunk.count, phase.per_member});
        }
        if (phase.peer_out.exists())
          key.push_back(
              {phase.role, phase.peer_out, phase.active, phase.chunk.count, phase.per_member});
      }
    }
  }
  // Repetitions matter only where peers vary with them.
  const Stage& shape = groups_.front().schedule->stages[stage];
  const std::int32_t repeat = stage_varies(shape) ? shape.repeat : 0;
  for (const auto& known : counted_) {
    if (known->sends == key && known->repeat == repeat) return *known;
  }
  auto fresh = std::make_unique<CountedStage>();
  fresh->sends = std::move(key);
  fresh->repeat = repeat;
  fresh->by_bytes = !stage_varies(shape) || has_groups(shape);
  if (on_device_) {
    fresh->counts = std::make_shared<const LinkCounts>();
    fresh->device_flows = count_device_flows(stage);
  } else {
    fresh->counts = std::make_shared<const LinkCounts>(count_links(topology_, groups_, stage));
    fresh->device_flows = 0;
  }
  counted_.push_back(std::move(fresh));
  return *counted_.back();
}

// CTAs share the memory of their device, whoever they talk to: every sending lane is a flow.
std::int32_t TrafficBuilder::count_device_flows(std::size_t stage) {
  std::int64_t flows = 0;
  for (const ChannelGroup& group : groups_) {
    const Schedule& schedule = *group.schedule;
    for (std::int32_t role = 0; role < schedule.roles; ++role) {
      std::vector<char> sending(group.ranks.size(), 0);
      for (const PhaseGroup& phases : schedule.stages[stage].groups) {
        for (const Phase& phase : phases.phases) {
          if (phase.role != role || !phase.peer_out.exists()) continue;
          const PhasePeers& its = peers(schedule, phase);
          for (std::size_t x = 0; x < sending.size(); ++x) {
            if (its.out[x] >= 0) sending[x] = 1;
          }
        }
      }
      flows += static_cast<std::int64_t>(group.channels.size()) *
               std::count(sending.begin(), sending.end(), 1);
    }
  }
  return static_cast<std::int32_t>(flows);
}

EdgeClass TrafficBuilder::edge(std::int32_t from, std::int32_t to, const CountedStage& stage,
                               bool is_send) const {
  if (on_device_) {
    EdgeClass shared;
    shared.kind = EdgeKind::device;
    shared.device_flows = is_send ? stage.device_flows : 0;
    return shared;
  }
  return classify(topology_, topology_.route(RankId::from(from), RankId::from(to)),
                  is_send ? std::span<const std::int64_t>(stage.counts->flows)
                          : std::span<const std::int64_t>());
}

PhaseEdges TrafficBuilder::sizes_of(const ChannelGroup& group, const Stage& stage,
                                    const Phase& phase) const {
  PhaseEdges edges;
  const auto does = [&phase](int action) { return (phase.action & action) != 0; };
  edges.work = {does(action_recv), does(action_reduce), does(action_copy), does(action_send)};
  edges.lane_chunks = chunks_of_step(phase, group.schedule->space);
  edges.port_chunks = port_chunks(stage, phase);
  return edges;
}

EdgeClass TrafficBuilder::send_edge(const ChannelGroup& group, const CountedStage& stage,
                                    const Phase& phase, std::int32_t x, std::int32_t peer) const {
  if (phase.peer_out.is_group()) return group_edge(group, stage, phase, x, true);
  return edge(group.ranks[static_cast<std::size_t>(x)], group.ranks[static_cast<std::size_t>(peer)],
              stage, true);
}

const PhasePeers& TrafficBuilder::peers(const Schedule& schedule, const Phase& phase) {
  constexpr std::size_t most_kept = std::size_t{8} << 20;  // positions, 8 bytes each
  const auto known = peers_.find(&phase);
  if (known != peers_.end()) return known->second;
  if ((peers_.size() + 1) * static_cast<std::size_t>(schedule.positions()) > most_kept) {
    peers_.clear();
  }
  return peers_.emplace(&phase, peers_of(schedule, phase, 0)).first->second;
}

TrafficBuilder::LaneLoads TrafficBuilder::loads_of_lanes(const ChannelGroup& group,
                                                         const Stage& stage,
                                                         const CountedStage& counted) {
  if (on_device_ || !counted.by_bytes || (!has_groups(stage) && !sends_twice(stage))) return {};
  const auto positions = group.ranks.size();
  LaneLoads loads;
  std::map<EdgeClass, std::int32_t> numbers;
  loads.of_lanes.resize(static_cast<std::size_t>(group.schedule->roles) * positions *
                        map_.link_classes_);
  for (const PhaseGroup& phases : stage.groups) {
    for (const Phase& phase : phases.phases) {
      if (!phase.peer_out.exists()) continue;
      const PhasePeers& its = peers(*group.schedule, phase);
      const std::int32_t chunks = port_chunks(stage, phase);
      auto& ids = loads.sent[&phase];
      ids.assign(positions, -1);
      for (std::size_t x = 0; x < positions; ++x) {
        if (its.out[x] == PhasePeers::inactive) continue;
        const EdgeClass sent =
            send_edge(group, counted, phase, static_cast<std::int32_t>(x), its.out[x]);
        const auto [known, fresh] =
            numbers.try_emplace(sent, static_cast<std::int32_t>(loads.seen.size()));
        if (fresh) loads.seen.push_back(sent);
        ids[x] = known->second;
        LaneLoad* lane = &loads.of_lanes[(phase.role * positions + x) * map_.link_classes_];
        for (std::size_t c = 0; c < map_.link_classes_; ++c) {
          const std::int64_t flows = load(sent, c);
          lane[c].sum += chunks * flows;
          lane[c].most = std::max(lane[c].most, flows);
        }
      }
    }
  }
  return loads;
}

void TrafficBuilder::divide_shares(EdgeClass& sent, std::int32_t chunks,
                                   const LaneLoad* of_lane) const {
  __extension__ using Wide = __int128;
  for (std::size_t c = 0; c < map_.link_classes_; ++c) {
    const std::int64_t flows = sent.flows[c];
    if (flows == 0) continue;
    // Where a lane sends one message, that is all of it.
    const std::size_t counted = load_classes_[c].counts_as;
    const std::int64_t sum = of_lane != nullptr ? of_lane[counted].sum : chunks * flows;
    const std::int64_t most = of_lane != nullptr ? of_lane[counted].most : flows;
    const auto share = static_cast<std::int64_t>((Wide{flows} * most + sum - 1) / sum);
    sent.flows[c] = std::max(one_flow, share);  // no message is faster than its link
  }
}

void TrafficBuilder::add_edges(PhaseEdges& edges, const ChannelGroup& group,
                               const CountedStage& stage, const Phase& phase,
                               const LaneLoads& loads, std::vector<RowKey>& known) {
  const std::uint8_t role = loads.empty() ? std::uint8_t{0} : phase.role;
  for (const RowKey& row : known) {
    if (row.stage == &stage && row.role == role && row.chunks == edges.port_chunks &&
        row.in == phase.peer_in && row.out == phase.peer_out && row.active == phase.active) {
      edges.send = row.send;
      edges.receive = row.receive;
      return;
    }
  }
  const PhasePeers& its = peers(*group.schedule, phase);
  // Phases of a ring differ in whether they send and receive, not in whom from and to.
  for (const RowKey& row : known) {
    const auto other = peers_.find(row.phase);
    if (other == peers_.end()) continue;
    if (loads.empty() && row.stage == &stage && row.chunks == edges.port_chunks &&
        !phase.peer_out.is_group() && phase.peer_out.exists() && row.out.exists() &&
        other->second.out == its.out) {
      edges.send = row.send;
    }
    if (!phase.peer_in.is_group() && phase.peer_in.exists() && row.in.exists() &&
        other->second.in == its.in) {
      edges.receive = row.receive;
    }
  }
  if (!edges.send) edges.send = send_row(edges, group, stage, phase, loads, its);
  if (!edges.receive) edges.receive = receive_row(group, stage, phase, its);
  known.push_back({&stage, &phase, role, edges.port_chunks, phase.peer_in, phase.peer_out,
                   phase.active, edges.send, edges.receive});
}

EdgeRow TrafficBuilder::send_row(const PhaseEdges& edges, const ChannelGroup& group,
                                 const CountedStage& stage, const Phase& phase,
                                 const LaneLoads& loads, const PhasePeers& its) {
  const auto seen = loads.sent.find(&phase);
  const bool local = !phase.peer_out.exists() && !phase.peer_in.exists();
  std::vector<EdgeId> row(group.ranks.size(), EdgeTable::idle);
  for (std::size_t x = 0; x < row.size(); ++x) {
    if (its.out[x] == PhasePeers::inactive) continue;
    if (local) row[x] = EdgeTable::local;
    if (!phase.peer_out.is_group() && its.out[x] < 0) continue;
    EdgeClass sent = seen != loads.sent.end()
                         ? loads.seen[static_cast<std::size_t>(seen->second[x])]
                         : send_edge(group, stage, phase, static_cast<std::int32_t>(x), its.out[x]);
    if (stage.by_bytes) {
      const std::size_t role = loads.empty() ? 0 : phase.role;
      const std::size_t lane = (role * row.size() + x) * map_.link_classes_;
      divide_shares(sent, edges.port_chunks, loads.empty() ? nullptr : &loads.of_lanes[lane]);
    }
    row[x] = map_.edges_.intern(sent);
  }
  return std::make_shared<const std::vector<EdgeId>>(std::move(row));
}

EdgeRow TrafficBuilder::receive_row(const ChannelGroup& group, const CountedStage& stage,
                                    const Phase& phase, const PhasePeers& its) {
  std::vector<EdgeId> row(group.ranks.size(), EdgeTable::idle);
  for (std::size_t x = 0; x < row.size(); ++x) {
    if (its.out[x] == PhasePeers::inactive) continue;
    if (phase.peer_in.is_group()) {
      row[x] =
          map_.edges_.intern(group_edge(group, stage, phase, static_cast<std::int32_t>(x), false));
    } else if (its.in[x] >= 0) {
      const std::int32_t from = group.ranks[static_cast<std::size_t>(its.in[x])];
      row[x] = map_.edges_.intern(edge(group.ranks[x], from, stage, false));
    }
  }
  return std::make_shared<const std::vector<EdgeId>>(std::move(row));
}

// Schedules in the order of the channels that first use them.
std::size_t TrafficBuilder::schedule_index(const Schedule* schedule) {
  const auto found = std::find(schedules_.begin(), schedules_.end(), schedule);
  const auto index = static_cast<std::size_t>(found - schedules_.begin());
  if (found == schedules_.end()) {
    schedules_.push_back(schedule);
    map_.shapes_.push_back(schedule->stages);
  }
  return index;
}

void TrafficBuilder::add_channel(ChannelTraffic traffic) {
  for (ChannelTraffic& known : map_.channels_) {
    if (known.schedule == traffic.schedule && equal_edges(known, traffic)) {
      known.channels.insert(known.channels.end(), traffic.channels.begin(), traffic.channels.end());
      return;
    }
  }
  map_.channels_.push_back(std::move(traffic));
}

}  // namespace fabricast
