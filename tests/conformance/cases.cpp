#include "tests/conformance/cases.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "emulator/base/counter_rng.hpp"

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
void PrintTo(const AlgorithmEntry& row, std::ostream* out) { *out << conformance::name_of(row); }
void PrintTo(HandOff hand_off, std::ostream* out) { *out << to_string(hand_off); }

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

// The draws of one case, one after the other.
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint64_t entity) : seed_(seed), entity_(entity) {}
  std::int64_t from(std::int64_t low, std::int64_t high) {
    return random_int(seed_, entity_, index_++, low, high);
  }
  std::int32_t small(std::int32_t low, std::int32_t high) {
    return static_cast<std::int32_t>(from(low, high));
  }

 private:
  std::uint64_t seed_;
  std::uint64_t entity_;
  std::uint64_t index_ = 0;
};

// One domain, domains of one rank, or several of several.
RankSpace draw_space(Draws& draws, std::int32_t max_ranks) {
  const auto kind = draws.from(0, 8);
  if (kind < 3) return RankSpace{draws.small(1, max_ranks)};
  if (kind == 3) return RankSpace{1, draws.small(1, max_ranks)};
  const std::int32_t domains = draws.small(1, std::max(1, max_ranks / 2));
  return RankSpace{draws.small(1, max_ranks / domains), domains};
}

std::int64_t draw_elements(Draws& draws) {
  switch (draws.from(0, 7)) {
    case 0:
      return 0;
    case 1:
      return 1;
    case 2:
      return draws.from(2, 40);
    case 3:
      return 2 * draws.from(0, 400) + 1;
    default:
      return draws.from(100, 9000);
  }
}

// A ring needs more slots than slices (semantics 4.3); make_plan sees to it from two slots on.
PlanLimits draw_limits(Draws& draws) {
  PlanLimits limits;
  limits.channels = draws.small(1, 4);
  limits.fifo_depth = draws.small(2, 9);
  limits.max_slices = draws.small(1, 5);
  limits.max_slice_bytes = std::int64_t{1} << draws.from(6, 13);
  limits.max_chunk_bytes = limits.max_slice_bytes * draws.from(1, 6);
  limits.max_pieces = draws.small(1, 5);
  limits.min_piece_bytes = draws.from(1, 64);
  return limits;
}

std::uint64_t number_of(const AlgorithmEntry& row) {
  return static_cast<std::uint64_t>(&row - algorithm_catalogue().data());
}

bool never_in_place(Collective collective) {
  return collective == Collective::all_to_all || collective == Collective::send_recv;
}

}  // namespace

std::string name_of(const AlgorithmEntry& row) {
  return fmt::format("{}_{}", row.name, fabricast::to_string(row.collective));
}

std::string to_string(const Case& c) {
  return fmt::format(
      "{} {} elements={} {} {} {} channels={} chunk={} slice={} depth={} slices={} root={}",
      name_of(*c.row), text_of(c.space), c.elements, fabricast::to_string(c.type),
      fabricast::to_string(c.op), c.in_place ? "in-place" : "out-of-place", c.limits.channels,
      c.limits.max_chunk_bytes, c.limits.max_slice_bytes, c.limits.fifo_depth, c.limits.max_slices,
      c.root);
}

std::vector<Case> shape_cases(const AlgorithmEntry& row, const RankSpace& space) {
  std::vector<Case> cases;
  for (const auto& shape : shapes()) {
    for (const bool in_place : {false, true}) {
      const std::size_t turn = cases.size() + number_of(row);
      cases.push_back({&row, space, shape.elements, types[turn % 4], ops[turn / 2 % 3], in_place,
                       shape.limits, static_cast<std::int32_t>(turn) % space.size()});
    }
  }
  return cases;
}

std::vector<Case> type_cases(const AlgorithmEntry& row, const RankSpace& space) {
  std::vector<Case> cases;
  for (const DataType type : types) {
    for (const ReduceOp op : ops) {
      const bool in_place = cases.size() % 2 == 1 && !never_in_place(row.collective);
      cases.push_back(
          {&row, space, 517, type, op, in_place, limits_of(2, 256, 128, 4, 3), space.size() - 1});
    }
  }
  return cases;
}

std::vector<Case> random_cases(const AlgorithmEntry& row, std::int32_t max_ranks,
                               std::uint64_t seed, int count) {
  std::vector<Case> cases;
  for (int i = 0; i < count; ++i) {
    Draws draws(seed, number_of(row) * 1'000'003 + static_cast<std::uint64_t>(i));
    Case c;
    c.row = &row;
    c.space = draw_space(draws, max_ranks);
    c.elements = draw_elements(draws);
    c.type = types[draws.from(0, 3)];
    c.op = ops[draws.from(0, 2)];
    c.in_place = draws.from(0, 1) == 1;
    c.limits = draw_limits(draws);
    c.root = draws.small(0, c.space.size() - 1);
    cases.push_back(c);
  }
  return cases;
}

Case large_case(const AlgorithmEntry& row, const RankSpace& space) {
  return {&row,
          space,
          (1 << 18) + 3,
          DataType::float32,
          ReduceOp::sum,
          false,
          {2, 256 << 10, 64 << 10, 0, 8, 4},
          1 % space.size()};
}

std::string refusal(const Case& c) {
  if (auto reason = why_not(*c.row, c.space); !reason.empty()) return reason;
  return c.in_place && never_in_place(c.row->collective) ? "cannot be done in place" : "";
}

}  // namespace fabricast::conformance
