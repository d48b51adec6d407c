// Bounded waiting: a lane that waits while no lane of the run makes progress, for longer than a
// limit of wall-clock time, stops the run and leaves a record naming itself.
//
// Every group counts its completed steps in a line of its own (relaxed: a heuristic, not a
// synchronization). Only an idle leader looks at the clock and, after the limit, sums the counters;
// a changed sum restarts the wait. In release builds too: a hang becomes a message.
#pragma once

#include <cstdint>

#include "kernels/lane/atomics.hpp"
#include "kernels/lane/program.hpp"

namespace fabricast::lane {

enum class Wait : std::uint8_t { none, message, room, lane };

// Written once, by the group that wins `stop`.
struct StallRecord {
  std::int32_t lane = -1;  // index in the executor's list of lanes
  std::int32_t loop = 0;
  std::int32_t slice = 0;
  std::int32_t step = 0;
  Wait wait = Wait::none;
};

struct alignas(128) ProgressLine {
  std::uint64_t steps = 0;
};

// Shared by all groups of a run; storage belongs to the executor.
struct RunControl {
  ProgressLine* progress = nullptr;  // one per group
  std::int32_t groups = 0;
  std::uint64_t* stop = nullptr;  // 0 while running, 1 after a stall
  StallRecord* stall = nullptr;
  std::uint64_t limit_ns = 0;
  // One per lane of the executor: steps it has executed in this run, for lanes that wait for it
  // (semantics 2.7). Null: no step of the program waits for a lane.
  ProgressLine* lane_steps = nullptr;

  FABRICAST_HOST_DEVICE bool stopped() const { return load_acquire(*stop) != 0; }
  FABRICAST_HOST_DEVICE std::uint64_t total_steps() const {
    std::uint64_t sum = 0;
    for (std::int32_t g = 0; g < groups; ++g) sum += load_relaxed(progress[g].steps);
    return sum;
  }
  FABRICAST_HOST_DEVICE void count_step(std::int32_t group) const {
    std::uint64_t& steps = progress[group].steps;
    store_relaxed(steps, load_relaxed(steps) + 1);
  }
  // This one is a synchronization: what the lane has read and written happened before.
  FABRICAST_HOST_DEVICE void publish_step(std::int32_t lane) const {
    if (lane_steps == nullptr) return;
    std::uint64_t& steps = lane_steps[lane].steps;
    store_release(steps, load_relaxed(steps) + 1);
  }
  FABRICAST_HOST_DEVICE bool has_done(std::int32_t lane, std::uint64_t steps) const {
    return load_acquire(lane_steps[lane].steps) >= steps;
  }
};

// The first to report wins, and stops the run.
FABRICAST_HOST_DEVICE inline void report_stall(const LaneCursor& at, std::int32_t lane, Wait wait,
                                               const RunControl& control) {
  if (!claim(*control.stop, 1)) return;
  *control.stall = StallRecord{lane, at.loop, at.slice, at.step, wait};
}

// One per wait, used by whoever waits: the leader of a group, or a thread for a line.
class StallWatch {
 public:
  enum class Verdict : std::uint8_t { wait, stopped, stalled };

  // Call once per failed look at all lanes. Looks at the clock now and then, or each time after a
  // pause that yielded the core (which may have taken long); at the counters of all groups only
  // every half limit; two equal sums in a row are a stall.
  FABRICAST_HOST_DEVICE Verdict look(const RunControl& control, bool yielded) {
    if (!yielded && ++looks_ % looks_per_clock != 0) return Verdict::wait;
    if (control.stopped()) return Verdict::stopped;
    const std::uint64_t now = clock_ns();
    if (since_ns_ == 0) since_ns_ = now;
    if (now - since_ns_ < control.limit_ns / 2) return Verdict::wait;
    const std::uint64_t steps = control.total_steps();
    if (counted_ && steps == seen_steps_) return Verdict::stalled;
    counted_ = true;
    seen_steps_ = steps;
    since_ns_ = now;
    return Verdict::wait;
  }

 private:
  static constexpr std::uint32_t looks_per_clock = 64;
  std::uint32_t looks_ = 0;
  bool counted_ = false;
  std::uint64_t since_ns_ = 0;
  std::uint64_t seen_steps_ = 0;
};

}  // namespace fabricast::lane
