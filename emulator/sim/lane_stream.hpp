// The whole of a program whose lanes have an order (lane_order.hpp), in turns that keep little
// alive.
//
// A turn of a lane is as many rounds (repetition and slice) as a connection has slots. It needs the
// same turn of the lane's senders, and of its receivers the one before, which gave the slots back;
// nothing else decides when it may be taken, and nobody has to ask in between. So turns need no
// queues, and results do not depend on their order (semantics 2.5). The order here: a lane that has
// had a turn lets its senders go ahead, and a lane gets none before somebody needs it. Lanes n hops
// apart can be n turns apart: towards the root of a tree lanes are done soon after they have
// begun, away from it they begin late. A connection has slots from its first message to its last,
// so that few exist at a time, and they stay in the caches. Where there are more turns than hops,
// all exist at once.
//
// Time: O(steps) evaluated, and per turn O(messages of a round). Not thread safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "emulator/sim/lane_block.hpp"
#include "emulator/sim/wired_program.hpp"
#include "emulator/sim/wired_state.hpp"

namespace fabricast {

// What moves the clocks.
class LaneKernel {
 public:
  virtual ~LaneKernel() = default;
  virtual void advance(const LaneTurn& turn) = 0;
};

// The clocks of one cost set.
class OwnTurns final : public LaneKernel {
 public:
  void advance(const LaneTurn& turn) override { advance_turn(turn); }
};

class LaneStream {
 public:
  // One segment that has an order, and no step with several messages. It cannot deadlock.
  static bool applies(const WiredProgram& program);
  // Expects that it applies. `members` cost sets at once, as in WiredState.
  LaneStream(const WiredProgram& program, std::int32_t loops, std::int32_t slices,
             std::size_t members, LaneKernel& kernel);

  // Instead of those in the steps, of one member: [step]. They must outlive the run.
  void set_costs(std::span<const WiredCosts> costs) { costs_ = costs; }
  // By lane and member: 0 unless they are set before the run, afterwards when it has ended.
  std::span<std::int64_t> lane() { return lane_; }
  std::span<std::int64_t> port() { return port_; }

  void run();
  // Earliest start of any step, of the first member. Nothing starts: the largest number.
  std::int64_t first_start_ps() const { return first_start_; }
  // Latest end of a lane that has steps, of the first member.
  std::int64_t last_end_ps() const;
  // The latest end of a lane, by member.
  std::vector<std::int64_t> ends_ps() const;
  std::int64_t updates() const;      // of each member
  std::int64_t state_bytes() const;  // at the most, with the program

 private:
  struct Need {
    std::int32_t lane = -1;
    std::int32_t turns = 0;
  };

  void finish(std::int32_t lane);
  Need try_turn(std::int32_t lane);
  void take_turn(std::int32_t lane, std::span<const WiredStep> steps);
  void let_go_ahead(std::int32_t lane);
  void push_senders(std::int32_t lane);
  std::span<const WiredStep> steps_of(std::int32_t lane) const {
    const auto at = static_cast<std::size_t>(lane);
    const WiredStep* steps = segment_.steps.data();
    return {steps + segment_.begin[at], steps + segment_.begin[at + 1]};
  }
  std::int64_t* slots(std::int32_t connection) {
    const auto buffer = static_cast<std::size_t>(buffer_of_[static_cast<std::size_t>(connection)]);
    return chunks_[buffer / chunk_buffers].data() + buffer % chunk_buffers * slots_size_;
  }
  void make_slots(std::int32_t connection);

  static constexpr std::size_t chunk_buffers = 256;

  const WiredProgram& program_;
  const WiredSegment& segment_;
  std::size_t members_;
  std::size_t slots_size_;  // of a connection
  LaneKernel& kernel_;
  std::span<const WiredCosts> costs_;  // empty: those in the steps
  std::int64_t rounds_ = 0;
  std::int32_t turns_ = 0;
  ClockRow lane_, port_;
  std::vector<std::int32_t> done_;       // turns, by lane
  std::vector<std::int32_t> buffer_of_;  // by connection, from its first message to its last
  std::vector<ClockRow> chunks_;         // of buffers, which hold a connection's slots each
  std::vector<std::int32_t> spare_;      // buffers
  std::vector<Need> needs_;              // the last is looked after first
  std::vector<std::int32_t> ahead_;      // lanes that may be able to go on
  std::array<LanePlace, LaneBlock::max_steps> places_;  // of the lane that is being tried
  std::int64_t first_start_;
};

}  // namespace fabricast
