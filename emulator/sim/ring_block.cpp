#include "emulator/sim/ring_block.hpp"

#include <algorithm>

#include "emulator/base/contracts.hpp"
#include "emulator/sim/ring_kernels.hpp"

namespace fabricast {
namespace {

// Measured on EPYC and Xeon: wide tiles cost second-level bandwidth, narrow ones repeat more halo.
constexpr std::int32_t tile_columns = 1024;
constexpr std::int32_t most_block_steps = 112;

// Fewer steps on narrow rings, where halos would outweigh the ring itself.
std::int32_t steps_per_block(std::int32_t columns) {
  return std::clamp(columns / 2, 14, most_block_steps);
}

constexpr std::int32_t cost_rows = 4;

std::int32_t rounded_up(std::int32_t value, std::int32_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// Columns to the right of a tile that `steps` steps depend on, and to its left.
std::int32_t right_halo(std::int32_t steps, std::int32_t slack) { return steps / slack + 2; }
std::int32_t left_halo(std::int32_t steps, std::int32_t in_flight) { return steps / in_flight + 1; }

}  // namespace

RingBlock::RingBlock(std::int32_t columns, std::int32_t in_flight, std::int32_t depth,
                     const CostBlock& costs, InstructionSet set)
    : columns_(columns),
      in_flight_(in_flight),
      slack_(depth - in_flight),
      costs_(costs),
      set_(set),
      block_steps_(steps_per_block(columns)),
      state_rows_(2 + depth),
      tile_stride_(rounded_up(left_halo(block_steps_, in_flight) + std::min(tile_columns, columns) +
                                  right_halo(block_steps_, slack_),
                              ring_vector_columns) +
                   ring_vector_columns) {
  FABRICAST_EXPECT(in_flight >= 1 && slack_ >= 1 && columns >= 2, "a ring that can turn");
  const auto n = static_cast<std::size_t>(columns);
  current_.assign(static_cast<std::size_t>(state_rows_) * n, 0);
  next_.assign(current_.size(), 0);
  tile_.assign(
      static_cast<std::size_t>(state_rows_ + cost_rows) * static_cast<std::size_t>(tile_stride_),
      0);
  covering_port_cost_.resize(n);
  for (std::size_t x = 0; x < n; ++x) {
    covering_port_cost_[x] = std::max(costs.port[x], costs.lane[x]);
  }
}

std::int64_t* RingBlock::ready(std::int32_t i) {
  return row(2 + static_cast<std::int32_t>((done_ + i) % in_flight_));
}

std::int64_t* RingBlock::credit(std::int32_t i) {
  return row(2 + in_flight_ + static_cast<std::int32_t>((done_ + i) % slack_));
}

// Where port cost < lane cost, the port cost may be raised to the lane cost if the port is not
// behind its lane: then port = lane after every step with either cost, as far as it can matter
// (it matters only through max(port, start), and start >= lane). With the raised cost the port is
// never free before its lane, and ready = port + latency without another maximum.
bool RingBlock::ports_can_cover_lanes() {
  const std::int64_t* lanes = lane();
  const std::int64_t* ports = port();
  for (std::size_t x = 0; x < static_cast<std::size_t>(columns_); ++x) {
    if (costs_.port[x] < costs_.lane[x] && ports[x] > lanes[x]) return false;
  }
  return true;
}

void RingBlock::advance(std::int64_t steps) {
  while (steps > 0) {
    const auto block = static_cast<std::int32_t>(std::min<std::int64_t>(steps, block_steps_));
    const bool covers = ports_can_cover_lanes();
    const std::int32_t left = left_halo(block, in_flight_);
    for (std::int32_t first = 0; first < columns_; first += tile_columns) {
      const std::int32_t count = std::min(tile_columns, columns_ - first);
      const std::int32_t columns =
          rounded_up(left + count + right_halo(block, slack_), ring_vector_columns);
      load_tile(first - left, columns + ring_vector_columns, covers);
      advance_tile(columns, block, covers);
      store_tile(first, count, left);
    }
    current_.swap(next_);
    done_ += block;
    steps -= block;
  }
}

// Copies columns first .. first + count - 1 (mod columns) of state and costs into the tile.
void RingBlock::load_tile(std::int32_t first, std::int32_t count, bool port_covers_lane) {
  const std::int32_t start = (first % columns_ + columns_) % columns_;
  const auto copy = [&](std::int32_t r, const std::int64_t* from) {
    std::int64_t* to = tile_row(r);
    std::int32_t x = start;
    for (std::int32_t left = count; left > 0;) {
      const std::int32_t n = std::min(left, columns_ - x);
      to = std::copy(from + x, from + x + n, to);
      left -= n;
      x = 0;
    }
  };
  for (std::int32_t r = 0; r < state_rows_; ++r) copy(r, row(r));
  copy(state_rows_, costs_.lane.data());
  copy(state_rows_ + 1, port_covers_lane ? covering_port_cost_.data() : costs_.port.data());
  copy(state_rows_ + 2, costs_.latency.data());
  copy(state_rows_ + 3, costs_.credit.data());
}

void RingBlock::advance_tile(std::int32_t columns, std::int32_t steps, bool port_covers_lane) {
  RingPass pass;
  pass.lane = tile_row(0);
  pass.port = tile_row(1);
  pass.lane_cost = tile_row(state_rows_);
  pass.port_cost = tile_row(state_rows_ + 1);
  pass.latency = tile_row(state_rows_ + 2);
  pass.credit_cost = tile_row(state_rows_ + 3);
  pass.columns = columns;
  for (std::int32_t step = 0; step < steps;) {
    const auto kernel =
        ring_kernel(set_, std::min(steps - step, slack_), in_flight_, port_covers_lane);
    const auto ready = [&](std::int32_t i) {
      return tile_row(2 + static_cast<std::int32_t>((done_ + i) % in_flight_));
    };
    for (std::int32_t j = 0; j < kernel.chain; ++j) {
      pass.ready_in[static_cast<std::size_t>(j)] = ready(step + j);
      pass.ready_out[static_cast<std::size_t>(j)] = ready(step + kernel.steps - kernel.chain + j);
    }
    for (std::int32_t j = 0; j < kernel.steps; ++j) {
      pass.credit[static_cast<std::size_t>(j)] =
          tile_row(2 + in_flight_ + static_cast<std::int32_t>((done_ + step + j) % slack_));
    }
    kernel.advance(pass);
    step += kernel.steps;
  }
}

void RingBlock::store_tile(std::int32_t first, std::int32_t count, std::int32_t halo) {
  for (std::int32_t r = 0; r < state_rows_; ++r) {
    const std::int64_t* from = tile_row(r) + halo;
    std::copy(from, from + count,
              next_.data() + static_cast<std::size_t>(r) * static_cast<std::size_t>(columns_) +
                  static_cast<std::size_t>(first));
  }
}

std::int64_t RingBlock::state_bytes() const {
  return static_cast<std::int64_t>(
      (current_.size() + next_.size() + tile_.size() + covering_port_cost_.size()) *
      sizeof(std::int64_t));
}

}  // namespace fabricast
