// Clocks of eight cost sets for WiredRun: one step of all of them is one row of the row kernels.
//
// Source::costs(place) gives 4 x 8 picoseconds: lane, port, latency and credit costs of the
// members, valid until it is called again, and where Source::costs_stay the same
// at every call; costs(segment) are then those of all its steps. The kernels are those of the
// uniform engine (row_kernels.hpp) with members as columns. Makespans only: no stages, no log. Not
// thread safe.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "emulator/sim/row_kernels.hpp"
#include "emulator/sim/wired_run.hpp"

namespace fabricast {

inline constexpr std::size_t wired_members = 8;
using MemberRow = std::array<std::int64_t, wired_members>;
using MemberCosts = std::array<MemberRow, 4>;  // lane, port, latency, credit

template <class Source>
class MemberClocks {
 public:
  static constexpr std::size_t members = wired_members;

  MemberClocks(InstructionSet set, Source& source)
      : source_(source), block_kernel_(lane_block_kernel(set, members)) {
    for (const bool receives : {false, true}) {
      for (const bool sends : {false, true}) {
        kernels_[receives][sends] = row_kernel(set, receives, sends);
      }
    }
  }

  void step(WiredState& state, const WiredPlace& place, std::int64_t in, std::int64_t out) {
    RowStep row = row_of(state, place);
    row.ready_in = in >= 0 ? &state.slots[at(in)] : nothing_.data();
    row.credit_in = out >= 0 ? &state.slots[at(out)] : nothing_.data();
    row.ready_out = ready_.data();
    row.credit_out = credit_.data();
    kernels_[in >= 0][out >= 0](row, all_);
    if (in >= 0) give_credit(state, in);
    if (out >= 0) give_ready(state, out);
  }

  void gather(const WiredState&, const WiredPlace&) {
    data_ready_.fill(0);
    slot_free_.fill(0);
  }
  void gather_mark(const std::int64_t* end) { raise(data_ready_, end); }
  void gather_ready(const WiredState& state, std::int64_t slot) {
    raise(data_ready_, &state.slots[at(slot)]);
  }
  void gather_credit(const WiredState& state, std::int64_t slot) {
    raise(slot_free_, &state.slots[at(slot)]);
  }
  // Marks are gathered with the messages, so it "receives" in any case.
  void wide_step(WiredState& state, const WiredPlace& place, bool, bool sends) {
    RowStep row = row_of(state, place);
    row.ready_in = data_ready_.data();
    row.credit_in = slot_free_.data();
    row.ready_out = ready_.data();
    row.credit_out = credit_.data();
    kernels_[true][sends](row, all_);
  }
  void give_credit(WiredState& state, std::int64_t slot) const {
    std::copy(credit_.begin(), credit_.end(), &state.slots[at(slot)]);
  }
  void give_ready(WiredState& state, std::int64_t slot) const {
    std::copy(ready_.begin(), ready_.end(), &state.slots[at(slot)]);
  }
  void note_end(const WiredState&, std::int32_t, std::int32_t) {}
  LaneBlockKernel block_kernel() const requires Source::costs_stay { return block_kernel_; }
  const std::int64_t* block_costs(const WiredSegment& segment) const requires Source::costs_stay {
    return source_.costs(segment).front().front().data();
  }

 private:
  static std::size_t at(std::int64_t index) {
    return static_cast<std::size_t>(index) * wired_members;
  }
  static void raise(MemberRow& to, const std::int64_t* from) {
    for (std::size_t m = 0; m < wired_members; ++m) to[m] = std::max(to[m], from[m]);
  }
  RowStep row_of(WiredState& state, const WiredPlace& place) {
    const MemberCosts& costs = source_.costs(place);
    RowStep row;
    row.lane = &state.lane[at(place.lane)];
    row.port = &state.port[at(place.lane)];
    row.lane_cost = costs[0].data();
    row.port_cost = costs[1].data();
    row.latency = costs[2].data();
    row.credit_cost = costs[3].data();
    return row;
  }

  Source& source_;
  RowKernel kernels_[2][2];  // [receives][sends]
  LaneBlockKernel block_kernel_;
  const std::array<ColumnRun, 1> all_{ColumnRun{0, wired_members, 0, 0}};
  const MemberRow nothing_{};
  MemberRow data_ready_{}, slot_free_{}, credit_{}, ready_{};  // of the step at hand
};

// The makespan of each member.
template <class Source>
MemberRow member_makespans(const WiredRun<MemberClocks<Source>>& run) {
  MemberRow result{};
  const auto& ends = run.state().lane;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    result[i % wired_members] = std::max(result[i % wired_members], ends[i]);
  }
  return result;
}

}  // namespace fabricast
