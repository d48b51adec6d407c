#include "tests/conformance/conformance.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <exception>

namespace fabricast {
namespace {

std::string text_of(const RankSpace& space) {
  std::string text;
  for (int d = 0; d < space.digits(); ++d)
    text += fmt::format("{}{}", d > 0 ? "x" : "", space.radix(d));
  return text;
}

}  // namespace

void PrintTo(const RankSpace& space, std::ostream* out) { *out << text_of(space); }

}  // namespace fabricast

namespace fabricast::conformance {
namespace {

constexpr DataType types[] = {DataType::float32, DataType::float16, DataType::bfloat16,
                              DataType::int32};
constexpr ReduceOp ops[] = {ReduceOp::sum, ReduceOp::min, ReduceOp::max};

struct Shape {
  std::int64_t elements;
  PlanLimits limits;
};

PlanLimits limits_of(std::int32_t channels, std::int64_t chunk, std::int64_t slice,
                     std::int32_t depth, std::int32_t slices) {
  return {channels, chunk, slice, 0, depth, slices};
}

// Empty, tiny, odd and even sizes; small chunks and slices give several loops and slices even so.
std::vector<Shape> shapes() {
  const PlanLimits one_message = limits_of(1, 1 << 20, 1 << 20, 8, 4);
  return {{0, one_message},
          {1, one_message},
          {3, limits_of(2, 64, 16, 2, 1)},
          {61, limits_of(1, 32, 16, 3, 2)},
          {256, limits_of(2, 64, 32, 8, 4)},
          {1021, limits_of(3, 256, 64, 4, 3)},
          {4096, limits_of(1, 1 << 20, 1024, 8, 4)},
          {10007, limits_of(2, 4096, 1024, 5, 4)}};
}

bool can_be_in_place(Collective collective) { return collective != Collective::all_to_all; }

}  // namespace

std::string to_string(const Case& c) {
  return fmt::format("{} {} {} elements={} {} {} {} channels={} chunk={} slice={} depth={} root={}",
                     to_string(c.collective), c.algorithm, text_of(c.space), c.elements,
                     fabricast::to_string(c.type), fabricast::to_string(c.op),
                     c.in_place ? "in-place" : "out-of-place", c.limits.channels,
                     c.limits.max_chunk_bytes, c.limits.max_slice_bytes, c.limits.fifo_depth,
                     c.root);
}

std::vector<Case> shape_cases(Collective collective, const RankSpace& space) {
  std::vector<Case> cases;
  for (const auto& algorithm : algorithms_of(collective)) {
    if (!algorithm_applies(algorithm, collective, space)) continue;
    for (const auto& shape : shapes()) {
      for (const bool in_place : {false, true}) {
        if (in_place && !can_be_in_place(collective)) continue;
        const std::size_t turn = cases.size();
        cases.push_back({collective, algorithm, space, shape.elements, types[turn % 4],
                         ops[turn / 2 % 3], in_place, shape.limits,
                         static_cast<std::int32_t>(turn) % space.size()});
      }
    }
  }
  return cases;
}

std::vector<Case> type_cases(Collective collective, const RankSpace& space) {
  std::vector<Case> cases;
  for (const auto& algorithm : algorithms_of(collective)) {
    if (!algorithm_applies(algorithm, collective, space)) continue;
    for (const DataType type : types) {
      for (const ReduceOp op : ops) {
        cases.push_back({collective, algorithm, space, 517, type, op, false,
                         limits_of(2, 256, 128, 4, 3), space.size() - 1});
      }
    }
  }
  return cases;
}

int run_cases(Executor& executor, const std::vector<Case>& cases) {
  int ran = 0;
  for (const auto& c : cases) {
    SCOPED_TRACE(to_string(c));
    try {
      const auto plan = make_plan(c.collective, c.algorithm, c.space, c.elements * size_of(c.type),
                                  size_of(c.type), c.limits, c.root);
      executor.prepare({&plan, c.type, c.op, c.in_place});
      EXPECT_EQ(executor.check(), 0);
      EXPECT_EQ(executor.check(), 0);  // again, on connections that have been used
      ++ran;
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
  return ran;
}

}  // namespace fabricast::conformance
