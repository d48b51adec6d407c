#include "emulator/sim/ring_block.hpp"

#include <algorithm>

#include "emulator/base/contracts.hpp"
#include "emulator/sim/ring_patches.hpp"

namespace fabricast {
namespace {

// Measured on an EPYC: narrow tiles repeat more halo, wider ones leave the second-level cache.
constexpr std::int32_t tile_columns = 2048;
constexpr std::int32_t most_block_steps = 112;

// Fewer steps on narrow rings, where halos would outweigh the ring itself. On wide ones a divisor
// of the ring, if there is one: a ring that waits for latency repeats with each turn of a message,
// and boundaries of blocks should meet that.
std::int32_t steps_per_block(std::int32_t columns) {
  const std::int32_t most = std::clamp(columns / 2, 14, most_block_steps);
  for (std::int32_t steps = most; steps > most / 2; --steps) {
    if (columns % steps == 0) return steps;
  }
  return most;
}

// Columns computed for `count` columns and `steps` steps, halos included.
std::int32_t tile_width(const RingShape& shape, std::int32_t count, std::int32_t steps) {
  return whole_vectors(left_halo(steps, shape.in_flight) + count + right_halo(steps, shape.slack));
}

std::int64_t largest(const std::vector<std::int64_t>& values) {
  return *std::max_element(values.begin(), values.end());
}

// The sum of the largest costs, of either sign: no clock moves by more in one step. Saturates.
std::int64_t growth_bound(const CostBlock& costs) {
  constexpr std::int64_t huge = std::int64_t{1} << 50;
  std::int64_t sum = 0;
  for (const auto* row : {&costs.lane, &costs.port, &costs.latency, &costs.credit}) {
    const std::int64_t least = *std::min_element(row->begin(), row->end());
    sum += std::min(std::max(largest(*row), -least), huge);
  }
  return sum;
}

}  // namespace

RingBlock::RingBlock(std::int32_t columns, std::int32_t in_flight, std::int32_t depth,
                     const CostBlock& costs, InstructionSet set)
    : shape_{columns, in_flight, depth - in_flight},
      costs_(costs),
      set_(set),
      block_steps_(steps_per_block(columns)),
      own_{0, columns},
      most_growth_(growth_bound(costs)) {
  FABRICAST_EXPECT(in_flight >= 1 && shape_.slack >= 1 && columns >= 2, "a ring that can turn");
  const auto n = static_cast<std::size_t>(columns);
  current_.assign(static_cast<std::size_t>(shape_.state_rows()) * n, 0);
  const std::int32_t width =
      tile_width(shape_, std::min(tile_columns, columns), block_steps_) + ring_vector_columns;
  tile_ = RingTile<std::int64_t>(shape_, width);
  if (set != InstructionSet::x86_64_v4) double_tile_ = RingTile<double>(shape_, width);
  covering_port_cost_.resize(n);
  for (std::size_t x = 0; x < n; ++x) {
    covering_port_cost_[x] = std::max(costs.port[x], costs.lane[x]);
  }
}

std::int64_t* RingBlock::ready(std::int32_t i) {
  return row(2 + static_cast<std::int32_t>((done_ + i) % shape_.in_flight));
}

std::int64_t* RingBlock::credit(std::int32_t i) {
  return row(2 + shape_.in_flight + static_cast<std::int32_t>((done_ + i) % shape_.slack));
}

// Where port cost < lane cost, the port cost may be raised to the lane cost if the port is not
// behind its lane: then port = lane after every step with either cost, as far as it can matter
// (it matters only through max(port, start), and start >= lane). With the raised cost the port is
// never free before its lane, and ready = port + latency without another maximum.
bool RingBlock::ports_can_cover_lanes(std::int32_t first, std::int32_t count) {
  const std::int64_t* lanes = lane();
  const std::int64_t* ports = port();
  std::int32_t at = (first % shape_.columns + shape_.columns) % shape_.columns;
  for (std::int32_t i = 0; i < std::min(count, shape_.columns); ++i) {
    const auto x = static_cast<std::size_t>(at);
    if (costs_.port[x] < costs_.lane[x] && ports[x] > lanes[x]) return false;
    if (++at == shape_.columns) at = 0;
  }
  return true;
}

// Do all clocks stay below 2^51 for so many steps (ring_tile.cpp)? They are looked at only where
// the bound that grows with the steps leaves it open.
bool RingBlock::exact_in_doubles(std::int32_t steps) {
  constexpr std::int64_t limit = std::int64_t{1} << 51;
  const auto stay_below = [&] {
    return clock_bound_ < limit && most_growth_ < (limit - clock_bound_) / steps;
  };
  if (stay_below()) return true;
  clock_bound_ = largest(current_);
  return stay_below();
}

std::int64_t RingBlock::advance_alike(std::int64_t& steps) {
  const auto width = RingPatches::width_for(costs_, shape_.columns);
  if (!width) return 0;
  RingPatches patches(shape_, costs_, set_, *width);
  const auto done = patches.advance(rows_by_age(), steps);
  steps -= done.steps;
  patch_bytes_ = patches.bytes();
  return done.steps * shape_.columns - done.evaluated;
}

std::int64_t RingBlock::advance(std::int64_t steps, bool jump, RingTeam* team) {
  std::int64_t skipped = jump ? advance_alike(steps) : 0;
  if (team != nullptr) own_ = team->own();
  if (steps > 0) next_.assign(current_.size(), 0);
  while (steps > 0) {
    const auto block = static_cast<std::int32_t>(std::min<std::int64_t>(steps, block_steps_));
    if (set_ != InstructionSet::x86_64_v4 && exact_in_doubles(block)) {
      advance_block(double_tile_, block);
      clock_bound_ += block * most_growth_;
    } else {
      advance_block(tile_, block);
      clock_bound_ = unknown_bound;
    }
    current_.swap(next_);
    done_ += block;
    steps -= block;
    if (team != nullptr && steps > 0) {
      team->swap_halos(rows_by_age(), left_halo(block_steps_, shape_.in_flight),
                       right_halo(block_steps_, shape_.slack));
      clock_bound_ = unknown_bound;  // others' clocks have come
    }
    if (!jump || steps < block_steps_) continue;
    const auto found = find_period(team);
    if (!found || found->steps > steps) continue;
    // The rows stay where they are: their places turn with the steps done, not with those skipped.
    const std::int64_t times = steps / found->steps;
    for (std::int64_t& clock : current_) clock += times * found->delta_ps;
    clock_bound_ = unknown_bound;
    skipped += times * found->steps * shape_.columns;
    steps -= times * found->steps;
    jump = false;  // the rest is shorter than a period
  }
  if (team != nullptr) team->complete(rows_by_age());
  return skipped;
}

std::vector<std::int64_t*> RingBlock::rows_by_age() {
  std::vector<std::int64_t*> rows{lane(), port()};
  for (std::int32_t i = 0; i < shape_.in_flight; ++i) rows.push_back(ready(i));
  for (std::int32_t i = 0; i < shape_.slack; ++i) rows.push_back(credit(i));
  return rows;
}

std::optional<RingPeriod::Period> RingBlock::find_period(RingTeam* team) {
  std::vector<const std::int64_t*> rows;
  for (const std::int64_t* row : rows_by_age()) rows.push_back(row + own_.first);
  const auto found = period_.observe(rows, static_cast<std::size_t>(own_.count()), done_);
  return team != nullptr ? team->agreed(found) : found;
}

template <class T>
void RingBlock::advance_block(RingTile<T>& tile, std::int32_t steps) {
  const std::int32_t left = left_halo(steps, shape_.in_flight);
  const bool covers = ports_can_cover_lanes(own_.first - left,
                                            left + own_.count() + right_halo(steps, shape_.slack));
  for (std::int32_t first = own_.first; first < own_.end; first += tile_columns) {
    const std::int32_t count = std::min(tile_columns, own_.end - first);
    const std::int32_t width = tile_width(shape_, count, steps);
    load_tile(tile, first - left, width + ring_vector_columns, covers);
    tile.advance(width, done_, steps, set_, covers);
    for (std::int32_t r = 0; r < shape_.state_rows(); ++r) {
      tile.store(r, left, count,
                 next_.data() +
                     static_cast<std::size_t>(r) * static_cast<std::size_t>(shape_.columns) +
                     static_cast<std::size_t>(first));
    }
  }
}

template <class T>
void RingBlock::load_tile(RingTile<T>& tile, std::int32_t first, std::int32_t count,
                          bool port_covers_lane) {
  const std::int32_t rows = shape_.state_rows();
  for (std::int32_t r = 0; r < rows; ++r) tile.load(r, row(r), first, count);
  const auto& port_cost = port_covers_lane ? covering_port_cost_ : costs_.port;
  tile.load(rows, costs_.lane.data(), first, count);
  tile.load(rows + 1, port_cost.data(), first, count);
  tile.load(rows + 2, costs_.latency.data(), first, count);
  tile.load(rows + 3, costs_.credit.data(), first, count);
}

std::int64_t RingBlock::state_bytes() const {
  return static_cast<std::int64_t>((current_.size() + next_.size() + covering_port_cost_.size()) *
                                   sizeof(std::int64_t)) +
         tile_.bytes() + double_tile_.bytes() + period_.bytes() + patch_bytes_;
}

}  // namespace fabricast
