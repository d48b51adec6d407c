#include "emulator/cost/table_step_costs.hpp"

#include <algorithm>
#include <set>

#include "emulator/base/contracts.hpp"
#include "emulator/base/counter_rng.hpp"

namespace fabricast {

TableStepCosts::TableStepCosts(std::shared_ptr<const TrafficMap> traffic, std::size_t channel_class,
                               const MachineCosts& costs, const Schedule& schedule,
                               std::int64_t slice_bytes)
    : traffic_(std::move(traffic)),
      channel_(traffic_->channels()[channel_class]),
      space_(schedule.space) {
  const EdgeTable& edges = traffic_->edges();
  for (std::size_t e = 0; e < edges.size(); ++e) {
    credit_.push_back(costs.latency_ps(edges[static_cast<EdgeId>(e)]));
  }
  const auto table_for = [&](const PhaseEdges& phase) {
    const std::int64_t bytes = slice_bytes * phase.lane_chunks;
    const std::int64_t port_bytes = slice_bytes * phase.port_chunks;
    for (std::size_t t = 0; t < tables_.size(); ++t) {
      if (tables_[t].bytes == bytes && tables_[t].port_bytes == port_bytes &&
          tables_[t].work == phase.work) {
        return t;
      }
    }
    PhaseTable table{bytes, port_bytes, phase.work, {}, {}, {}, {}};
    for (std::size_t e = 0; e < edges.size(); ++e) {
      const EdgeClass& edge = edges[static_cast<EdgeId>(e)];
      table.lane.push_back(costs.lane_ps(edge, bytes, phase.work));
      table.port.push_back(costs.port_ps(edge, port_bytes, phase.work));
      table.latency.push_back(credit_[e] - costs.streamed_ps(edge, bytes));
      table.arriving.push_back(costs.arriving_ps(edge, bytes, table.port.back()));
    }
    tables_.push_back(std::move(table));
    return tables_.size() - 1;
  };
  for (const auto& stage : channel_.phases) {
    auto& groups = table_of_.emplace_back();
    for (const auto& group : stage) {
      auto& phases = groups.emplace_back();
      for (const PhaseEdges& phase : group) {
        phases.push_back(table_for(phase));
      }
    }
  }
  period_ = find_period();
  cost_period_ = find_cost_period();
}

std::int64_t TableStepCosts::bytes(int stage, int group, int phase) const {
  const auto& phases = table_of_[static_cast<std::size_t>(stage)][static_cast<std::size_t>(group)];
  return tables_[phases[static_cast<std::size_t>(phase)]].bytes;
}

std::int64_t TableStepCosts::port_bytes(int stage, int group, int phase) const {
  const auto& phases = table_of_[static_cast<std::size_t>(stage)][static_cast<std::size_t>(group)];
  return tables_[phases[static_cast<std::size_t>(phase)]].port_bytes;
}

const StepWork& TableStepCosts::work(int stage, int group, int phase) const {
  const auto& phases = table_of_[static_cast<std::size_t>(stage)][static_cast<std::size_t>(group)];
  return tables_[phases[static_cast<std::size_t>(phase)]].work;
}

EdgeId TableStepCosts::send_edge(int stage, int group, int phase, std::int32_t k,
                                 std::size_t x) const {
  const PhaseEdges& edges = edges_of(stage, group, phase);
  if (!edges.varies) return (*edges.send)[x];
  if (edges.send_by_key.empty()) return EdgeTable::idle;
  const auto position = static_cast<std::int32_t>(x);
  const std::int32_t peer = peer_of(edges.peer_out, space_, position, k);
  if (peer < 0 || !is_active(edges.active, space_, position)) return EdgeTable::idle;
  return edges.send_by_key[channel_.keys->key(x, static_cast<std::size_t>(peer))];
}

std::int32_t TableStepCosts::find_period() const {
  if (!channel_.keys) return space_.size();
  const std::size_t period = channel_.keys->period();
  const auto repeats = [period](const EdgeRow& row) {
    for (std::size_t x = 0; x + period < row->size(); ++x) {
      if ((*row)[x] != (*row)[x + period]) return false;
    }
    return true;
  };
  for (const auto& stage : channel_.phases) {
    for (const auto& group : stage) {
      for (const PhaseEdges& phase : group) {
        const bool periodic = phase.varies ? phase.active == Active::all()
                                           : repeats(phase.send) && repeats(phase.receive) &&
                                                 (!phase.onward || repeats(phase.onward));
        if (!periodic) return space_.size();
      }
    }
  }
  return static_cast<std::int32_t>(period);
}

// The smallest of whole domains. Costs follow from the edges; phases share rows, so each distinct
// pair of them is compared once.
std::int32_t TableStepCosts::find_cost_period() const {
  std::set<EdgeRow> rows;
  for (const auto& stage : channel_.phases) {
    for (const auto& group : stage) {
      for (const PhaseEdges& phase : group) {
        if (phase.varies) return space_.size();
        rows.insert(phase.send);
        rows.insert(phase.receive);
        if (phase.onward) rows.insert(phase.onward);
      }
    }
  }
  const std::int32_t positions = space_.size();
  for (std::int32_t period = space_.domain_size(); period <= positions / 2;
       period += space_.domain_size()) {
    if (positions % period != 0) continue;
    const bool repeats = std::all_of(rows.begin(), rows.end(), [&](const EdgeRow& row) {
      return std::equal(row->begin() + period, row->end(), row->begin());
    });
    if (repeats) return period;
  }
  return positions;
}

std::array<std::uint64_t, 2> TableStepCosts::fingerprint() const {
  std::array<std::uint64_t, 2> words{1, 2};
  const auto add = [&words](std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    words[0] = mix64(words[0] ^ bits);
    words[1] = mix64(words[1] + bits * 0x9E3779B97F4A7C15u);
  };
  const auto add_all = [&add](const std::vector<std::int64_t>& values) {
    for (const std::int64_t value : values) add(value);
  };
  add_all(credit_);
  for (const PhaseTable& table : tables_) {
    add_all(table.lane);
    add_all(table.port);
    add_all(table.latency);
    add_all(table.arriving);
  }
  for (const auto& stage : table_of_) {
    for (const auto& group : stage) {
      for (const std::size_t table : group) add(static_cast<std::int64_t>(table));
    }
  }
  return words;
}

void TableStepCosts::fill(int stage, int group, int phase, std::int32_t k, CostRows rows) const {
  const auto s = static_cast<std::size_t>(stage);
  const auto g = static_cast<std::size_t>(group);
  const auto p = static_cast<std::size_t>(phase);
  const PhaseEdges& edges = channel_.phases[s][g][p];
  const PhaseTable& table = tables_[table_of_[s][g][p]];
  FABRICAST_EXPECT(rows.lane.size() <= static_cast<std::size_t>(space_.size()),
                   "a row of positions");
  edges.varies ? fill_varying(edges, table, k, rows) : fill_fixed(edges, table, rows);
}

bool TableStepCosts::repeats(int stage, int group, int phase, std::int32_t before,
                             std::int32_t k) const {
  const PhaseEdges& edges = edges_of(stage, group, phase);
  if (!edges.varies) return true;
  if (!by_key_ || edges.active != Active::all()) return false;
  const PositionKeys& keys = *channel_.keys;
  const auto repeats = [&](const PeerMap& map) {
    return !map.exists() || (keys.all_far(map, space_, before) && keys.all_far(map, space_, k) &&
                             keys.far_keys_repeat(map, space_, before, k));
  };
  return repeats(edges.peer_out) && repeats(edges.peer_in);
}

std::optional<ExchangeCosts> TableStepCosts::exchange_costs(int stage, int group, int send_phase,
                                                            int receive_phase) const {
  const PhaseEdges& sending = edges_of(stage, group, send_phase);
  const PhaseEdges& receiving = edges_of(stage, group, receive_phase);
  if (!by_key_ || !sending.varies || !receiving.varies) return std::nullopt;
  if (sending.send_by_key.empty() || receiving.receive_by_key.empty()) return std::nullopt;
  const auto& tables = table_of_[static_cast<std::size_t>(stage)][static_cast<std::size_t>(group)];
  const PhaseTable& send = tables_[tables[static_cast<std::size_t>(send_phase)]];
  const PhaseTable& receive = tables_[tables[static_cast<std::size_t>(receive_phase)]];
  const PositionKeys& keys = *channel_.keys;
  ExchangeCosts costs;
  costs.groups = keys.exchange_groups();
  costs.kinds_of_pairs = [&keys](std::int32_t x, std::int32_t y, std::span<std::uint16_t> kinds) {
    keys.plain_keys_of_pairs(static_cast<std::size_t>(x), static_cast<std::size_t>(y), kinds);
  };
  for (std::size_t key = 0; key < keys.keys(); ++key) {
    const EdgeId out = sending.send_by_key[key];
    costs.send_lane.push_back(send.lane[out]);
    costs.send_port.push_back(send.port[out]);
    costs.send_latency.push_back(send.latency[out]);
    costs.receive_lane.push_back(receive.lane[receiving.receive_by_key[key]]);
  }
  return costs;
}

void TableStepCosts::fill_fixed(const PhaseEdges& edges, const PhaseTable& table,
                                CostRows rows) const {
  const std::vector<EdgeId>& send = *edges.send;
  const std::vector<EdgeId>& receive = *edges.receive;
  const std::int64_t* lane = table.lane.data();
  const std::int64_t* port = table.port.data();
  const std::int64_t* latency = table.latency.data();
  const std::int64_t* credit = credit_.data();
  for (std::size_t x = 0; x < rows.lane.size(); ++x) {
    const EdgeId out = send[x];
    const EdgeId in = receive[x];
    rows.lane[x] = lane[out != EdgeTable::idle ? out : in];
    rows.port[x] = port[out];
    rows.latency[x] = latency[out];
    rows.credit[x] = credit[in];
  }
  if (!edges.onward) return;
  // Who passes lines on takes the first one while his port is busy for the last: he starts before
  // the message is whole by as much as both ports take, and his own makes up for it.
  for (std::size_t x = 0; x < rows.lane.size(); ++x) {
    const EdgeId out = send[x];
    const EdgeId onward = (*edges.onward)[x];
    if (out == EdgeTable::idle || table.arriving[onward] == 0) continue;
    const std::int64_t ahead = std::min(table.arriving[out], table.port[onward]);
    rows.latency[x] = std::min(latency[out], credit[out] - ahead);
  }
}

void TableStepCosts::fill_varying(const PhaseEdges& edges, const PhaseTable& table, std::int32_t k,
                                  CostRows rows) const {
  const PositionKeys& keys = *channel_.keys;
  const auto set = [](std::span<std::int64_t> row, std::size_t first, std::size_t length,
                      std::int64_t value) {
    std::fill_n(row.begin() + static_cast<std::ptrdiff_t>(first), length, value);
  };
  const bool sends = !edges.send_by_key.empty();
  const bool receives = !edges.receive_by_key.empty();
  const auto lonely = [](const PeerMap& map) {
    return map.exists() && map.kind != PeerMap::Kind::linear && map.kind != PeerMap::Kind::rounds;
  };
  // Where every position has a peer, every row that applies is written.
  const bool some_lonely = lonely(edges.peer_out) || lonely(edges.peer_in);
  const auto clear = [&set](std::span<std::int64_t> row) { set(row, 0, row.size(), 0); };
  if (some_lonely) clear(rows.lane);
  if (some_lonely || !sends) {
    clear(rows.port);
    clear(rows.latency);
  }
  if (some_lonely || !receives) clear(rows.credit);
  const auto for_pairs = [&](const PeerMap& map, auto visit) {
    const std::size_t end = rows.lane.size();
    if (keys.all_far(map, space_, k)) return keys.for_far(map, space_, k, end, visit);
    keys.for_pairs(map, space_, k, end, visit);
  };
  if (sends) {
    for_pairs(edges.peer_out, [&](std::size_t first, std::size_t length, std::size_t key) {
      const EdgeId e = edges.send_by_key[key];
      set(rows.lane, first, length, table.lane[e]);
      set(rows.port, first, length, table.port[e]);
      set(rows.latency, first, length, table.latency[e]);
    });
  }
  if (receives) {
    for_pairs(edges.peer_in, [&](std::size_t first, std::size_t length, std::size_t key) {
      const EdgeId e = edges.receive_by_key[key];
      if (!sends) set(rows.lane, first, length, table.lane[e]);
      set(rows.credit, first, length, credit_[e]);
    });
  }
  if (edges.active == Active::all() && !some_lonely) return;
  for (std::size_t i = 0; i < rows.lane.size(); ++i) {
    const auto x = static_cast<std::int32_t>(i);
    const bool lost = (receives && peer_of(edges.peer_in, space_, x, k) < 0) ||
                      (sends && peer_of(edges.peer_out, space_, x, k) < 0);
    if (!lost && is_active(edges.active, space_, x)) continue;
    rows.lane[i] = rows.port[i] = rows.latency[i] = rows.credit[i] = 0;
  }
}

}  // namespace fabricast
