// The one forward model: calibration fits it, prediction evaluates it, nothing else computes times.
//
//   (topology, parameter values, collective, algorithm, protocol, channels, bytes)
//     -> plan + cost arrays + link loads  (here)  -> time  (sim/predict.hpp runs the engine)
//
// Costs follow docs/semantics.md 3: o, g, L, L_credit from parameters and route; share from counted
// flows: every directed link's usable capacity is divided by the lanes of the stage that cross it,
// all channels together. Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "emulator/base/units.hpp"
#include "emulator/cost/machine_costs.hpp"
#include "emulator/cost/protocol.hpp"
#include "emulator/cost/step_costs.hpp"
#include "emulator/profile/parameter.hpp"
#include "emulator/schedule/plan.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

// What is predicted: one row.
struct PointSpec {
  ExecutorKind executor = ExecutorKind::nccl;
  Collective collective{};
  std::string algorithm;
  Protocol protocol = Protocol::simple;
  std::int64_t bytes = 0;
  std::int32_t element_bytes = 4;
  std::int32_t channels = 0;    // 0: the machine's default, reduced for small messages
  std::int32_t max_slices = 0;  // 0: the protocol's own rule; 1: one slice
  // Not null: this schedule (of a file), and `algorithm` is only its name. It has its own channels
  // and slices.
  std::shared_ptr<const Schedule> schedule = nullptr;

  bool operator==(const PointSpec&) const = default;
};

ParameterValues values_of(const CalibrationProfile& profile);

// How a parameter of the inventory enters a time.
enum class ParameterForm : std::uint8_t {
  time,         // proportionally
  rate,         // inversely
  cost_factor,  // without dimension: multiplies a time
  rate_factor,  // without dimension: multiplies a rate
};
ParameterForm form_of(const std::string& id);

// The profile of a machine before any measurement: every parameter the executor's model of this
// topology uses, at its prior. Machine figures (link bandwidths, latencies) become priors with the
// machine file's origin and source. `protocols`: parameters that only others use are left out
// (ParameterSpec::protocol); empty: all are there.
CalibrationProfile prior_profile(const Topology& topology, ExecutorKind executor,
                                 const std::vector<Protocol>& protocols = {});

// Bytes on the wire of one link class over the whole collective. Every message counts as the
// largest of its kind, as it is charged: tiny messages over many ranks are rounded up to one
// element each.
struct LinkLoad {
  LinkClassId link_class;
  std::int64_t links = 0;  // directed links of this class that carry anything
  // Wire bytes (protocol overhead included) on the busiest link.
  std::int64_t busiest_bytes = 0;
  std::int64_t total_bytes = 0;
  Bandwidth capacity;  // nominal, per directed link
};

// A group of channels whose cost arrays are equal: evaluated once.
struct ChannelClass {
  std::int32_t representative = 0;  // channel index in the plan
  std::vector<std::int32_t> channels;
  std::shared_ptr<const StepCosts> costs;
};

struct CollectiveCase {
  ExecutionPlan plan;
  SimDuration launch;  // before the first step, once per collective
  std::vector<ChannelClass> channel_classes;
  std::vector<LinkLoad> loads;
  SimDuration bandwidth_bound;  // max over links of wire bytes / nominal capacity
};

// Throws UsageError if the algorithm does not apply to the topology's rank space. Many points of
// one machine: use a CaseBuilder (case_builder.hpp).
CollectiveCase build_case(const Topology& topology, const ParameterValues& values,
                          const PointSpec& point);

}  // namespace fabricast
