// expand: the steps of one lane, enumerated, for executors, verifiers and the naive evaluator.
//
// O(steps of the lane). Peers are ranks (through the Placement); chunks keep the schedule's
// numbering. A loop repeats these steps on the next part of the data; each step moves its chunk in
// `slices` messages: slice-major inside a repetition (docs/semantics.md 2.2). Group phases are
// lowered to the point-to-point steps that define their data (semantics 1.4).
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/schedule/plan.hpp"
#include "emulator/schedule/step.hpp"

namespace fabricast {

// Where a step came from, for engines that need its cost and for messages to people.
struct StepOrigin {
  std::int16_t stage = 0;
  std::int16_t group = 0;
  std::int16_t phase = 0;
  std::int32_t repetition = 0;
};

// What few steps have: another FIFO between the same ranks, a lane to wait for.
struct StepExtra {
  std::uint8_t fifo_in = 0;
  std::uint8_t fifo_out = 0;
  std::int16_t after_role = -1;  // -1: nothing to wait for
  std::int32_t after_stage = 0;  // wait until that lane has ended this stage in the same loop
  bool operator==(const StepExtra&) const = default;
};

struct LaneProgram {
  std::vector<Step> steps;         // one loop, slices not yet multiplied out
  std::vector<StepOrigin> origins; // parallel to steps
  std::vector<StepExtra> extras;   // parallel to steps
  // Steps of one (stage, repetition) that are repeated together for each slice: index of the first
  // step of every such bundle, plus a final end marker.
  std::vector<std::int32_t> bundles;

  // Steps of the stages up to and including this one.
  std::int32_t steps_through(std::int32_t stage) const;
};

// Steps of the lane (rank, role) on this channel, in order.
LaneProgram expand(const Schedule& schedule, const Placement& placement, std::int32_t rank,
                   std::int32_t role);

// Appends the steps of one bundle, for who cannot hold whole programs. `bundles` stays untouched.
void expand_bundle(const Schedule& schedule, const Placement& placement, std::int32_t rank,
                   std::int32_t role, std::int32_t stage, std::int32_t repetition,
                   LaneProgram& program);

}  // namespace fabricast
