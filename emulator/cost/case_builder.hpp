// build_case with a memory: plans, flow counts and edge classes are kept between points.
//
// A sweep over sizes or a fit over parameters asks for the same (collective, algorithm, channels)
// again and again; then only arithmetic on a few dozen edge classes remains.
// The topology must outlive the builder and the cases. Not thread safe; one builder per thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "emulator/cost/forward_model.hpp"
#include "emulator/cost/traffic_map.hpp"

namespace fabricast {

class CaseBuilder {
 public:
  explicit CaseBuilder(const Topology& topology) : topology_(topology) {}

  CollectiveCase build(const ParameterValues& values, const PointSpec& point);
  const Topology& topology() const { return topology_; }

 private:
  struct Entry {
    PointSpec point;     // of the plan below
    ExecutionPlan plan;
    std::shared_ptr<const TrafficMap> map;
    std::vector<ClassTraffic> traffic;
  };
  // Executor, collective, algorithm, channels.
  using Key = std::tuple<ExecutorKind, Collective, std::string, std::int32_t>;

  const Entry& entry_for(const PointSpec& point);

  const Topology& topology_;
  std::map<Key, Entry> entries_;
};

// Do two cases of one builder, of the same point, cost the same at every step? (Their launch may
// differ.) Then one evaluation serves both. False when in doubt.
bool same_step_costs(const CollectiveCase& a, const CollectiveCase& b);

}  // namespace fabricast
