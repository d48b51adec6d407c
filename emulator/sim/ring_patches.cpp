#include "emulator/sim/ring_patches.hpp"

#include <algorithm>

#include "emulator/base/contracts.hpp"

namespace fabricast {
namespace {

constexpr std::int32_t cost_rows = RingTile<std::int64_t>::cost_rows;

// A divisor of the width: waves that travel a column per step then find the patches as they were
// after whole numbers of blocks. The halos of a block lie within the neighbours.
std::int32_t steps_per_patch_block(std::int32_t width) {
  for (std::int32_t steps = width / 2; steps > width / 4; --steps) {
    if (width % steps == 0) return steps;
  }
  return width / 2;
}

// One more column than a tile's halo, to see whose clock hides the outermost ones.
std::int32_t right_of(const RingShape& shape, std::int32_t steps) {
  return right_halo(steps, shape.slack) + 1;
}
std::int32_t left_of(const RingShape& shape, std::int32_t steps) {
  return left_halo(steps, shape.in_flight) + 1;
}

std::vector<const std::vector<std::int64_t>*> rows_of(const CostBlock& costs) {
  return {&costs.lane, &costs.port, &costs.latency, &costs.credit};
}

}  // namespace

RingPatches::RingPatches(const RingShape& shape, const CostBlock& costs, InstructionSet set,
                         std::int32_t width)
    : shape_(shape), set_(set), block_steps_(steps_per_patch_block(width)) {
  FABRICAST_EXPECT(width >= 16 && shape.columns >= 4 * width, "patches that hold halos");
  for (std::int32_t first = 0; first + width <= shape.columns; first += width) {
    patches_.push_back({first, width, 0, 0, 0});
  }
  patches_.back().width = shape.columns - patches_.back().first;  // the rest of the ring
  std::int32_t widest = 0;
  for (Patch& patch : patches_) {
    values_.clear();
    for (const auto* row : rows_of(costs)) {
      const auto begin = row->begin() + patch.first;
      values_.insert(values_.end(), begin, begin + patch.width);
    }
    patch.costs = costs_.number_of(values_);
    widest = std::max(widest, patch.width);
  }
  const std::int32_t most =
      whole_vectors(left_of(shape, block_steps_) + widest + right_of(shape, block_steps_)) +
      ring_vector_columns;
  RingShape tile = shape;
  tile.columns = most;
  tile_ = RingTile<std::int64_t>(tile, most);
  loaded_.assign(static_cast<std::size_t>(shape.state_rows() + cost_rows),
                 std::vector<std::int64_t>(static_cast<std::size_t>(most), 0));
}

// Raises what is hidden, and cuts.
void RingPatches::take(const std::vector<std::int64_t*>& rows) {
  const std::int32_t n = shape_.columns;
  const std::int64_t* lane = rows[0];
  for (std::int32_t r = 1; r < shape_.state_rows(); ++r) {
    std::int64_t* clock = rows[static_cast<std::size_t>(r)];
    // Whose lane hides the clock: the own one, the receiver's, the sender's.
    const std::int32_t by = r < 2 ? 0 : r < 2 + shape_.in_flight ? 1 : -1;
    for (std::int32_t x = 1; x + 1 < n; ++x) clock[x] = std::max(clock[x], lane[x + by]);
    clock[0] = std::max(clock[0], lane[(by + n) % n]);
    clock[n - 1] = std::max(clock[n - 1], lane[(n - 1 + by) % n]);
  }
  for (Patch& patch : patches_) {
    patch.base = lane[patch.first];
    values_.resize(rows.size() * static_cast<std::size_t>(patch.width));
    std::int64_t* value = values_.data();
    for (const std::int64_t* row : rows) {
      const std::int64_t* clock = row + patch.first;
      for (std::int32_t x = 0; x < patch.width; ++x) value[x] = clock[x] - patch.base;
      value += patch.width;
    }
    patch.clocks = clocks_.number_of(values_);
  }
}

void RingPatches::put(const std::vector<std::int64_t*>& rows) const {
  for (const Patch& patch : patches_) {
    const std::int64_t* value = clocks_.at(patch.clocks).data();
    for (std::int64_t* row : rows) {
      std::int64_t* clock = row + patch.first;
      for (std::int32_t x = 0; x < patch.width; ++x) clock[x] = patch.base + value[x];
      value += patch.width;
    }
  }
}

RingPatches::Advanced RingPatches::advance(const std::vector<std::int64_t*>& rows,
                                           std::int64_t steps) {
  constexpr std::int64_t first_turns = 8;  // before it is judged whether enough was alike
  take(rows);
  Advanced result;
  std::int64_t turns = 0, evaluated = 0;
  bool jump = true;
  while (result.steps < steps) {
    const auto block =
        static_cast<std::int32_t>(std::min<std::int64_t>(steps - result.steps, block_steps_));
    const std::int64_t fresh = turn(block);
    evaluated += fresh;
    result.evaluated += fresh * block * patches_.front().width;
    result.steps += block;
    ++turns;
    if (clocks_.bytes() + known_.bytes() > most_bytes) forget();
    std::int64_t delta_ps = 0;
    const std::int64_t period_steps = jump ? period(result.steps, delta_ps) : 0;
    if (period_steps > 0) {
      const std::int64_t times = (steps - result.steps) / period_steps;
      for (Patch& patch : patches_) patch.base += times * delta_ps;
      result.steps += times * period_steps;
      jump = false;  // the rest is shorter than a period
    } else if (turns > first_turns &&
               2 * evaluated > turns * static_cast<std::int64_t>(patches_.size())) {
      break;
    }
  }
  put(rows);
  return result;
}

Surroundings RingPatches::surroundings(std::size_t i, std::int32_t steps) const {
  const Patch& left = before(i);
  const Patch& own = patches_[i];
  const Patch& right = behind(i);
  return {left.kind(),           own.kind(), right.kind(), left.base - own.base,
          right.base - own.base, steps};
}

std::int64_t RingPatches::turn(std::int32_t steps) {
  std::vector<PatchResult> results(patches_.size());
  Surroundings last{};
  std::int64_t fresh = 0;
  for (std::size_t i = 0; i < patches_.size(); ++i) {
    const Surroundings key = surroundings(i, steps);
    if (i > 0 && key == last) {
      results[i] = results[i - 1];
      continue;
    }
    last = key;
    if (const PatchResult* found = known_.find(key)) {
      results[i] = *found;
      continue;
    }
    results[i] = evaluate(i, steps);
    known_.add(key, results[i]);
    ++fresh;
  }
  for (std::size_t i = 0; i < patches_.size(); ++i) {
    patches_[i].clocks = results[i].clocks;
    patches_[i].base += results[i].later;
  }
  most_held_ = std::max(most_held_, clocks_.bytes() + costs_.bytes() + known_.bytes());
  return fresh;
}

// The patch and the columns beside it, clocks relative to its base.
void RingPatches::load(std::size_t i, std::int32_t left, std::int32_t right) {
  const Patch& own = patches_[i];
  const auto copy = [&](const InternedRows::Row& from, std::int32_t width, std::int32_t begin,
                        std::int32_t count, std::size_t row_of_from, std::int64_t* to,
                        std::int64_t add) {
    const std::int64_t* values =
        from.data() + row_of_from * static_cast<std::size_t>(width) + begin;
    for (std::int32_t x = 0; x < count; ++x) to[x] = values[x] + add;
  };
  const Patch& before_it = before(i);
  const Patch& behind_it = behind(i);
  const auto state_rows = static_cast<std::size_t>(shape_.state_rows());
  for (std::size_t r = 0; r < loaded_.size(); ++r) {
    const bool is_clock = r < state_rows;
    const InternedRows& pool = is_clock ? clocks_ : costs_;
    const std::size_t row = is_clock ? r : r - state_rows;
    const auto kind = [&](const Patch& patch) { return is_clock ? patch.clocks : patch.costs; };
    std::int64_t* to = loaded_[r].data();
    copy(pool.at(kind(before_it)), before_it.width, before_it.width - left, left, row, to,
         is_clock ? before_it.base - own.base : 0);
    copy(pool.at(kind(own)), own.width, 0, own.width, row, to + left, 0);
    copy(pool.at(kind(behind_it)), behind_it.width, 0, right, row, to + left + own.width,
         is_clock ? behind_it.base - own.base : 0);
  }
}

PatchResult RingPatches::evaluate(std::size_t i, std::int32_t steps) {
  const std::int32_t left = left_of(shape_, steps);
  const std::int32_t right = right_of(shape_, steps);
  const std::int32_t width = patches_[i].width;
  load(i, left, right);
  const std::int32_t columns = whole_vectors(left + width + right);
  for (std::size_t r = 0; r < loaded_.size(); ++r) {
    tile_.load(static_cast<std::int32_t>(r), loaded_[r].data(), 0, columns + ring_vector_columns);
  }
  tile_.advance(columns, 0, steps, set_, false);
  return interned(left, width, steps);
}

PatchResult RingPatches::interned(std::int32_t first, std::int32_t width, std::int32_t steps) {
  const auto at = [&](std::int32_t age) {  // the row of the tile
    if (age < 2) return age;
    const std::int32_t message = age - 2, credit = message - shape_.in_flight;
    return credit < 0 ? 2 + (steps + message) % shape_.in_flight
                      : 2 + shape_.in_flight + (steps + credit) % shape_.slack;
  };
  std::vector<std::int64_t> lane(static_cast<std::size_t>(width) + 2);
  tile_.store(0, first - 1, width + 2, lane.data());
  const std::int64_t base = lane[1];
  values_.resize(static_cast<std::size_t>(shape_.state_rows() * width));
  for (std::int32_t r = 0; r < shape_.state_rows(); ++r) {
    std::int64_t* row = values_.data() + static_cast<std::ptrdiff_t>(r) * width;
    tile_.store(at(r), first, width, row);
    // Whose lane hides the clock: the own one, the receiver's, the sender's.
    const std::int64_t* by = lane.data() + (r < 2 ? 1 : r < 2 + shape_.in_flight ? 2 : 0);
    for (std::int32_t x = 0; x < width; ++x) row[x] = std::max(row[x], by[x]) - base;
  }
  return {clocks_.number_of(values_), base};
}

std::int64_t RingPatches::period(std::int64_t done, std::int64_t& delta_ps) {
  if (snapshot_.at >= 0) {
    delta_ps = patches_.front().base - snapshot_.patches.front().base;
    const bool same =
        std::equal(patches_.begin(), patches_.end(), snapshot_.patches.begin(),
                   [delta_ps](const Patch& now, const Patch& then) {
                     return now.clocks == then.clocks && now.base == then.base + delta_ps;
                   });
    if (same) return done - snapshot_.at;
  }
  if (done >= snapshot_.next) snapshot_ = {patches_, done, 2 * done};
  return 0;
}

// Keeps what the patches hold now.
void RingPatches::forget() {
  std::vector<InternedRows::Row> held;
  for (const Patch& patch : patches_) held.push_back(clocks_.at(patch.clocks));
  clocks_.clear();
  known_.clear();
  snapshot_ = {};
  for (std::size_t i = 0; i < patches_.size(); ++i) {
    patches_[i].clocks = clocks_.number_of(held[i]);
  }
}

}  // namespace fabricast
