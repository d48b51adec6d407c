// A schedule with every connection given a number and every step its costs: the input of the
// general engine (wired_sweep.hpp).
//
// It covers any schedule: inactive positions, trees, chains, maps that share connections. A stage
// whose peers do not vary is one segment that repeats; one whose peers vary is unrolled into one
// segment per repetition. Built once, then constant. Memory: 40 bytes per step of a segment.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/cost/step_costs.hpp"
#include "emulator/schedule/schedule.hpp"

namespace fabricast {

struct WiredStep {
  std::int32_t in = -1;   // connection received from, -1 for none
  std::int32_t out = -1;  // connection sent on
  std::int64_t lane = 0, port = 0, latency = 0, credit = 0;  // ps per message
};

struct WiredSegment {
  std::int32_t stage = 0;
  std::int32_t first_repetition = 0;
  std::int32_t repeat = 1;
  bool opens_stage = false;
  std::vector<std::int32_t> begin;  // steps of lane i: [begin[i], begin[i + 1])
  std::vector<WiredStep> steps;
};

struct WiredConnection {
  std::int32_t source = 0, destination = 0;  // positions
  std::int32_t sending_lane = -1, receiving_lane = -1;
};

struct WiredProgram {
  std::int32_t lanes = 0;  // lane = position * roles + role
  std::int32_t roles = 1;
  std::int32_t depth = 8;  // slots per connection
  std::vector<std::string> stage_names;
  std::vector<WiredSegment> segments;
  std::vector<WiredConnection> connections;
};

// Throws UsageError when two lanes share one end of a connection, or when the unrolled schedule
// would not fit into memory.
WiredProgram wire(const Schedule& schedule, const StepCosts& costs);

}  // namespace fabricast
