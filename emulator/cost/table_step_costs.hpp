// StepCosts of one channel class: tables by edge class, looked up per position.
//
// Immutable and thread safe; shares the TrafficMap. fill() is one pass of table look-ups per phase
// whose peers do not vary, and one run-length fill per repetition where they do. Shorter rows get
// the first positions only: periodic_case.hpp evaluates one period of a machine of equal groups.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "emulator/cost/exchange_costs.hpp"
#include "emulator/cost/machine_costs.hpp"
#include "emulator/cost/periodic_costs.hpp"
#include "emulator/cost/step_costs.hpp"
#include "emulator/cost/traffic_map.hpp"

namespace fabricast {

class TableStepCosts : public StepCosts, public PeriodicCosts, public CostsOfExchange {
 public:
  TableStepCosts(std::shared_ptr<const TrafficMap> traffic, std::size_t channel_class,
                 const MachineCosts& costs, const Schedule& schedule, std::int64_t slice_bytes);

  void fill(int stage, int group, int phase, std::int32_t k, CostRows rows) const override;
  // Known of repetitions in which no two partners share a switch. Where nodes are of several kinds
  // only of some. O(1).
  bool repeats(int stage, int group, int phase, std::int32_t before, std::int32_t k) const override;

  // Bytes that a step of the phase is charged for: of all its messages together (semantics 3.8).
  std::int64_t bytes(int stage, int group, int phase) const;
  const StepWork& work(int stage, int group, int phase) const;

  // Positions after which all costs repeat, when every phase is active everywhere and either varies
  // with its repetition or costs the same at x and x + period; else the number of positions.
  std::int32_t period() const { return period_; }
  // Of schedules whose peers do not vary.
  std::int32_t cost_period() const override { return cost_period_; }
  std::optional<ExchangeCosts> exchange_costs(int stage, int group, int send_phase,
                                              int receive_phase) const override;
  // Everything that decides the costs, in 128 bits: two costs of one traffic map and channel class
  // with equal fingerprints are equal (up to a chance of 2^-128 per pair).
  std::array<std::uint64_t, 2> fingerprint() const;
  const std::shared_ptr<const TrafficMap>& traffic() const { return traffic_; }

 protected:
  const PhaseEdges& edges_of(int stage, int group, int phase) const {
    return channel_.phases[static_cast<std::size_t>(stage)][static_cast<std::size_t>(group)]
                          [static_cast<std::size_t>(phase)];
  }
  // The edge that position x sends over in repetition k; idle if it sends nothing.
  EdgeId send_edge(int stage, int group, int phase, std::int32_t k, std::size_t x) const;
  std::int64_t port_bytes(int stage, int group, int phase) const;
  // Some position has costs of its own.
  void forget_period() {
    period_ = cost_period_ = space_.size();
    by_key_ = false;
  }

 private:
  // By EdgeId. A phase's lane cost depends on the bytes of its message and on what it does to them.
  struct PhaseTable {
    std::int64_t bytes = 0, port_bytes = 0;
    StepWork work;
    std::vector<std::int64_t> lane, port, latency;
    std::vector<std::int64_t> arriving;  // of messages that are passed on by lines
  };
  std::int32_t find_period() const;
  std::int32_t find_cost_period() const;
  void fill_fixed(const PhaseEdges& edges, const PhaseTable& table, CostRows rows) const;
  void fill_varying(const PhaseEdges& edges, const PhaseTable& table, std::int32_t k,
                    CostRows rows) const;

  std::shared_ptr<const TrafficMap> traffic_;
  const ChannelTraffic& channel_;
  RankSpace space_;
  std::int32_t period_ = 0;
  std::int32_t cost_period_ = 0;
  bool by_key_ = true;
  std::vector<std::int64_t> credit_;                             // by EdgeId
  std::vector<PhaseTable> tables_;                               // distinct ones
  std::vector<std::vector<std::vector<std::size_t>>> table_of_;  // [stage][group][phase]
};

}  // namespace fabricast
