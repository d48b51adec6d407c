// StepCosts of one channel class: tables by edge class, looked up per position.
//
// Immutable and thread safe; shares the TrafficMap. fill() is one pass of table look-ups per phase
// whose peers do not vary, and one run-length fill per repetition where they do.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "emulator/cost/machine_costs.hpp"
#include "emulator/cost/step_costs.hpp"
#include "emulator/cost/traffic_map.hpp"

namespace fabricast {

class TableStepCosts final : public StepCosts {
 public:
  TableStepCosts(std::shared_ptr<const TrafficMap> traffic, std::size_t channel_class,
                 const MachineCosts& costs, const Schedule& schedule, std::int64_t slice_bytes);

  void fill(int stage, int group, int phase, std::int32_t k, CostRows rows) const override;

  // Equal at every step; false when the traffic map is another one.
  bool same_as(const TableStepCosts& other) const;

 private:
  // By EdgeId. A phase's lane cost depends on the bytes of its message and on what it does to them.
  struct PhaseTable {
    std::int64_t bytes = 0;
    bool reduces = false;
    std::vector<std::int64_t> lane, port;
    bool operator==(const PhaseTable&) const = default;
  };
  void fill_fixed(const PhaseEdges& edges, const PhaseTable& table, CostRows rows) const;
  void fill_varying(const PhaseEdges& edges, const PhaseTable& table, std::int32_t k,
                    CostRows rows) const;

  std::shared_ptr<const TrafficMap> traffic_;
  const ChannelTraffic& channel_;
  RankSpace space_;
  std::vector<std::int64_t> latency_;  // by EdgeId
  std::vector<PhaseTable> tables_;     // distinct ones
  std::vector<std::vector<std::vector<std::size_t>>> table_of_;  // [stage][group][phase]
};

}  // namespace fabricast
