#include "emulator/sim/lane_stream.hpp"

#include <algorithm>
#include <limits>

#include "emulator/base/contracts.hpp"

namespace fabricast {

bool LaneStream::applies(const WiredProgram& program) {
  if (program.segments.size() != 1) return false;
  const auto& order = program.segments.front().order;
  return order && !order->wide && order->most_steps <= LaneBlock::max_steps;
}

LaneStream::LaneStream(const WiredProgram& program, std::int32_t loops, std::int32_t slices,
                       std::size_t members, LaneKernel& kernel)
    : program_(program),
      segment_(program.segments.front()),
      members_(members),
      slots_size_(static_cast<std::size_t>(program.depth) * members),
      kernel_(kernel),
      rounds_(std::int64_t{segment_.repeat} * loops * slices),
      turns_(static_cast<std::int32_t>((rounds_ + program.depth - 1) / program.depth)),
      lane_(static_cast<std::size_t>(program.lanes) * members, 0),
      port_(lane_.size(), 0),
      done_(static_cast<std::size_t>(program.lanes), 0),
      buffer_of_(program.connections.size(), -1),
      first_start_(std::numeric_limits<std::int64_t>::max()) {
  FABRICAST_EXPECT(applies(program), "a program with an order");
}

void LaneStream::run() {
  for (const std::int32_t lane : segment_.order->lanes) finish(lane);
}

// All turns of the lane, and those of others that it takes.
void LaneStream::finish(std::int32_t lane) {
  needs_.push_back({lane, turns_});
  while (!needs_.empty()) {
    const Need need = needs_.back();
    if (done_[static_cast<std::size_t>(need.lane)] >= need.turns) {
      needs_.pop_back();
      continue;
    }
    const Need first = try_turn(need.lane);
    if (first.lane >= 0) {
      needs_.push_back(first);
    } else {
      let_go_ahead(need.lane);
    }
  }
}

// Takes the lane's next turn, or says what that lacks: turns of a sender, or of a receiver. Lane
// -1: nothing.
LaneStream::Need LaneStream::try_turn(std::int32_t lane) {
  const std::int32_t turn = done_[static_cast<std::size_t>(lane)];
  const std::span<const WiredStep> steps = steps_of(lane);
  const WiredStep* all = segment_.steps.data();
  LanePlace* place = places_.data();
  for (const WiredStep& step : steps) {
    const WiredCosts& costs =
        costs_.empty() ? step.costs : costs_[static_cast<std::size_t>(&step - all)];
    *place = {costs.data(), nullptr, nullptr};
    if (step.in >= 0) {
      const auto from = program_.connections[static_cast<std::size_t>(step.in)].sending_lane;
      if (done_[static_cast<std::size_t>(from)] <= turn) return {from, turn + 1};
      place->in = slots(step.in);
    }
    if (step.out >= 0 && turn > 0) {
      const auto to = program_.connections[static_cast<std::size_t>(step.out)].receiving_lane;
      if (done_[static_cast<std::size_t>(to)] < turn) return {to, turn};
      place->out = slots(step.out);
    }
    ++place;
  }
  take_turn(lane, steps);
  return {};
}

void LaneStream::push_senders(std::int32_t lane) {
  for (const WiredStep& step : steps_of(lane)) {
    if (step.in < 0) continue;
    ahead_.push_back(program_.connections[static_cast<std::size_t>(step.in)].sending_lane);
  }
}

// Senders of the lane that have waited for its credits only, and theirs in turn.
void LaneStream::let_go_ahead(std::int32_t lane) {
  push_senders(lane);
  while (!ahead_.empty()) {
    const std::int32_t sender = ahead_.back();
    ahead_.pop_back();
    if (done_[static_cast<std::size_t>(sender)] == turns_ || try_turn(sender).lane >= 0) continue;
    push_senders(sender);
  }
}

// All of them are free from the beginning.
void LaneStream::make_slots(std::int32_t connection) {
  if (spare_.empty()) {
    const auto first = static_cast<std::int32_t>(chunks_.size() * chunk_buffers);
    chunks_.emplace_back(slots_size_ * chunk_buffers, 0);
    for (std::size_t i = chunk_buffers; i-- > 0;) {
      spare_.push_back(first + static_cast<std::int32_t>(i));
    }
  }
  buffer_of_[static_cast<std::size_t>(connection)] = spare_.back();
  spare_.pop_back();
  std::fill_n(slots(connection), slots_size_, 0);
}

// Of whose connections all but those first sent on have slots.
void LaneStream::take_turn(std::int32_t lane, std::span<const WiredStep> steps) {
  const auto at = static_cast<std::size_t>(lane);
  const std::int64_t turn = done_[at]++;
  for (std::size_t s = 0; turn == 0 && s < steps.size(); ++s) {
    if (steps[s].out < 0) continue;
    make_slots(steps[s].out);
    places_[s].out = slots(steps[s].out);
  }
  // Costs of lanes are not negative: none of its steps starts before the first.
  if (turn == 0) {
    const std::int64_t ready = places_[0].in != nullptr ? *places_[0].in : 0;
    first_start_ = std::min(first_start_, std::max(ready, lane_[at * members_]));
  }
  LaneTurn of{lane, steps.data(), {places_.data(), steps.size()}};
  of.first_round = turn * program_.depth;
  of.rounds =
      static_cast<std::int32_t>(std::min<std::int64_t>(program_.depth, rounds_ - of.first_round));
  of.clock = lane_.data() + at * members_;
  of.port = port_.data() + at * members_;
  kernel_.advance(of);
  if (turn + 1 < turns_) return;
  for (const WiredStep& step : steps) {
    if (step.in >= 0) spare_.push_back(buffer_of_[static_cast<std::size_t>(step.in)]);
  }
}

std::vector<std::int64_t> LaneStream::ends_ps() const {
  std::vector<std::int64_t> ends(members_, 0);
  for (std::size_t i = 0; i < lane_.size(); ++i) {
    ends[i % members_] = std::max(ends[i % members_], lane_[i]);
  }
  return ends;
}

std::int64_t LaneStream::last_end_ps() const {
  std::int64_t end = 0;
  for (const std::int32_t lane : segment_.order->lanes) {
    end = std::max(end, lane_[static_cast<std::size_t>(lane) * members_]);
  }
  return end;
}

std::int64_t LaneStream::updates() const {
  return static_cast<std::int64_t>(segment_.steps.size()) * rounds_;
}

std::int64_t LaneStream::state_bytes() const {
  const auto bytes = [](const auto& values) {
    return static_cast<std::int64_t>(values.size() * sizeof(values[0]));
  };
  std::int64_t sum =
      bytes(lane_) + bytes(port_) + bytes(done_) + bytes(buffer_of_) + program_bytes(program_);
  for (const ClockRow& chunk : chunks_) sum += bytes(chunk);
  return sum;
}

}  // namespace fabricast
