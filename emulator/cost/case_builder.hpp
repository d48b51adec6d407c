// build_case with a memory: plans, flow counts and edge classes are kept between points.
//
// A sweep over sizes or a fit over parameters asks for the same (collective, algorithm, channels)
// again and again; then only arithmetic on a few dozen edge classes remains.
// The topology must outlive the builder and the cases; with slow elements, the builder its cases.
// Not thread safe; one builder per thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "emulator/cost/forward_model.hpp"
#include "emulator/cost/slow_elements.hpp"
#include "emulator/cost/traffic_map.hpp"

namespace fabricast {

// The plan of a point: what its executor runs on this machine.
ExecutionPlan plan_for(const Topology& topology, const PointSpec& point);

// How a run's machine differs from its file, for every point alike.
struct MachineChanges {
  std::int32_t slots = 0;  // per connection; 0: the schedule's own number
  std::vector<SlowElement> slow{};
};

class CaseBuilder {
 public:
  explicit CaseBuilder(const Topology& topology, const MachineChanges& changes = {})
      : topology_(topology), slots_(changes.slots), slow_(topology, changes.slow) {}

  CollectiveCase build(const ParameterValues& values, const PointSpec& point);
  const Topology& topology() const { return topology_; }

 private:
  struct Entry {
    PointSpec point;  // of the plan below
    ExecutionPlan plan;
    std::shared_ptr<const TrafficMap> map;
    std::vector<ClassTraffic> traffic;
    // The last few, newest first: protocols of one size take turns with their own channels.
    std::vector<std::shared_ptr<const TrafficMap>> maps;
  };
  // Executor, collective, algorithm, channels; a file's schedule. Entries hold it, so that no other
  // can come to lie at its address.
  using Key = std::tuple<ExecutorKind, Collective, std::string, std::int32_t, const Schedule*>;

  const Entry& entry_for(const PointSpec& point);
  void set_slots(ExecutionPlan& plan) const;
  // The classes of one class of equal traffic: slow elements tell apart channels whose ranks stand
  // at other positions.
  void add_slow_classes(const Entry& entry, std::size_t traffic_class, const MachineCosts& costs,
                        CollectiveCase& made) const;

  const Topology& topology_;
  std::int32_t slots_ = 0;
  SlowElements slow_;
  std::map<Key, Entry> entries_;
};

// What decides the evaluation of one channel class: equal keys, equal times. Holds the traffic map,
// so that a key outlives its case.
struct EvaluationKey {
  std::shared_ptr<const TrafficMap> traffic;
  std::size_t channel_class = 0;
  std::array<std::uint64_t, 3> words{};  // costs; loops, slices, depth and repetitions

  auto operator<=>(const EvaluationKey& other) const {
    return std::tie(traffic, channel_class, words) <=>
           std::tie(other.traffic, other.channel_class, other.words);
  }
  bool operator==(const EvaluationKey&) const = default;
};
// Contract: a case of build_case or CaseBuilder.
EvaluationKey evaluation_key(const CollectiveCase& made, std::size_t channel_class);

// What the busiest lane, or its port, is occupied for, all waiting left out: a lower bound of the
// collective's time, and a close one for large messages.
SimDuration occupancy_bound(const CollectiveCase& made);

}  // namespace fabricast
