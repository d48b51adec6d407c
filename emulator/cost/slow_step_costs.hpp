// TableStepCosts of a machine with slow elements (slow_elements.hpp): no two positions need be
// alike.
//
// Costs are the table's, but for positions that a slow rank or link concerns: their lane cost times
// the factor of the rank; the port at the least share over the links of the route, the slow ones at
// 1/F; the latency with F times the slow links'. Exact for the model's static shares: a slow link
// that is not the narrowest costs nothing. Immutable; thread safe. Phases whose peers do not vary
// are resolved once; the others per fill, O(positions) routes where links are slow.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "emulator/cost/slow_elements.hpp"
#include "emulator/cost/table_step_costs.hpp"

namespace fabricast {

class SlowStepCosts final : public TableStepCosts {
 public:
  // `ranks`: the rank at each position. Topology, elements and schedule must outlive this.
  SlowStepCosts(std::shared_ptr<const TrafficMap> traffic, std::size_t channel_class,
                const MachineCosts& costs, std::shared_ptr<const Schedule> schedule,
                std::int64_t slice_bytes, const Topology& topology, const SlowElements& slow,
                std::vector<std::int32_t> ranks);

  void fill(int stage, int group, int phase, std::int32_t k, CostRows rows) const override;

 private:
  struct Change {
    std::size_t position = 0;
    std::int64_t lane = 0, port = 0, latency = 0, credit = 0;
  };
  std::vector<Change> changes(int stage, int group, int phase, std::int32_t k, CostRows rows) const;
  // Largest factor of a slow link of each class, and what the slow links add to the latency, worst
  // of the peers; false if no slow link is there.
  struct Crossed {
    std::array<double, EdgeClass::max_link_classes> factor{};
    std::int64_t latency_ps = 0;
    bool any = false;
  };
  Crossed crossed(std::size_t position, const PeerMap& map, std::int32_t k) const;

  MachineCosts costs_;
  std::shared_ptr<const Schedule> schedule_;
  const Topology& topology_;
  const SlowElements& slow_;
  std::vector<std::int32_t> ranks_;
  std::vector<std::vector<std::vector<std::vector<Change>>>> fixed_;  // [stage][group][phase]
};

}  // namespace fabricast
