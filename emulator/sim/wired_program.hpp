// A schedule with every connection given a number and every step its costs: the input of the
// general engine (wired_sweep.hpp).
//
// It covers any schedule: inactive positions, trees, chains, maps that share connections. A stage
// is one segment. Where peers do not vary its steps repeat; where they do, every repetition has
// steps of its own (unrolled), in bundles per lane. Built once, then constant. Memory: 42 bytes per
// step of a segment and 12 per connection; steps with group peers or an awaited lane have a wide
// form as well, 4 bytes per connection.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "emulator/cost/step_costs.hpp"
#include "emulator/schedule/schedule.hpp"

namespace fabricast {

// What a step costs, ps per message, in this order.
enum WiredCost : std::uint8_t { lane_cost, port_cost, latency_cost, credit_cost };
using WiredCosts = std::array<std::int64_t, 4>;

struct WiredStep {
  std::int32_t in = -1;   // connection received from; no_connection; or wide(index)
  std::int32_t out = -1;  // connection sent on, or no_connection
  WiredCosts costs{};

  static constexpr std::int32_t no_connection = -1;
  // The step is WiredSegment::wide_steps[index].
  static constexpr std::int32_t wide(std::size_t index) {
    return -2 - static_cast<std::int32_t>(index);
  }
  bool is_wide() const { return in < no_connection; }
  std::size_t wide_index() const { return static_cast<std::size_t>(-2 - in); }
};

// A step with several messages, or one that waits for another lane.
struct WideStep {
  std::int32_t first = 0;  // in WiredSegment::wide_connections: received from, then sent on
  std::int32_t ins = 0, outs = 0;
  std::int32_t mark = -1;  // awaited, index into WiredProgram::marks; -1 for none
};

// The end of a segment on a lane, for which another one waits.
struct WiredMark {
  std::int32_t lane = 0;
  std::int32_t segment = 0;
  bool previous_loop = false;  // nothing of this loop is awaited, so all of the one before is
};

// Lanes that can each do a block of repetitions at once (lane_order.hpp).
struct LaneOrder {
  std::vector<std::int32_t> lanes;        // those with steps, senders before receivers
  std::vector<std::int32_t> connections;  // used by them, each sent on and received from once
  std::int32_t most_steps = 0;            // of a lane in one repetition and slice
  bool wide = false;                      // some step has several messages
};

struct WiredSegment {
  std::int32_t stage = 0;
  std::int32_t repeat = 1;
  std::vector<std::int32_t> begin;  // steps of lane i: [begin[i], begin[i + 1])
  std::vector<WiredStep> steps;
  std::vector<std::uint16_t> phase_of;  // of each step, index into flatten()'s list
  // Unrolled: steps of lane i in repetition k are [b[k], b[k + 1]) with b = &bundles[bundle_of[i]];
  // meaningless for lanes without steps. Empty otherwise.
  std::vector<std::int32_t> bundle_of, bundles;
  std::vector<WideStep> wide_steps;
  std::vector<std::int32_t> wide_connections;
  std::optional<LaneOrder> order;

  bool unrolled() const { return !bundle_of.empty(); }
};

struct WiredConnection {
  // An end that no lane uses is below 0: -1 - position.
  std::int32_t sending_lane = -1, receiving_lane = -1;
  std::uint8_t fifo = 0;

  static std::int32_t position(std::int32_t end, std::int32_t roles) {
    return end >= 0 ? end / roles : -1 - end;
  }
};

struct WiredProgram {
  std::int32_t lanes = 0;  // lane = position * roles + role
  std::int32_t roles = 1;
  std::int32_t depth = 8;  // slots per connection
  std::vector<std::string> stage_names;
  std::vector<WiredSegment> segments;
  std::vector<WiredConnection> connections;
  std::vector<WiredMark> marks;
};

// Throws UsageError when two lanes share one end of a connection, or when the unrolled schedule
// would not fit into memory.
WiredProgram wire(const Schedule& schedule, const StepCosts& costs);

// All of its memory but the marks and the names.
std::int64_t program_bytes(const WiredProgram& program);

// What the steps of the program would cost with other costs: per segment, in the order of its
// steps. Expects the schedule that the program was made of. Connections are left alone, so that
// this takes a fraction of wire()'s time.
std::vector<std::vector<WiredCosts>> costs_of_steps(const WiredProgram& program,
                                                    const Schedule& schedule,
                                                    const StepCosts& costs);

}  // namespace fabricast
