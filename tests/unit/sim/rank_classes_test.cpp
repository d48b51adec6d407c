#include "emulator/sim/rank_classes.hpp"

#include <gtest/gtest.h>

#include "emulator/base/counter_rng.hpp"

namespace fabricast {
namespace {

ClassInput ring(const std::vector<std::int64_t>& row) {
  const auto p = static_cast<std::int32_t>(row.size());
  return {p, {row}, {ShiftMap{1, p, 1}}};
}

TEST(RankClasses, AllAlikeIsOneClass) {
  const std::vector<std::int64_t> row(12, 5);
  const auto classes = refine(ring(row));
  EXPECT_EQ(classes.count, 1);
  EXPECT_TRUE(is_equitable(ring(row), classes));
}

TEST(RankClasses, PeriodicCostsFoldToTheirPeriod) {
  std::vector<std::int64_t> row;
  for (int x = 0; x < 140; ++x) row.push_back(x % 7 == 3 ? 9 : 1);
  const auto classes = refine(ring(row));
  EXPECT_EQ(classes.count, 7);
  EXPECT_TRUE(is_equitable(ring(row), classes));
  for (std::size_t x = 0; x < 140; ++x) EXPECT_EQ(classes.class_of[x], static_cast<int>(x % 7));
}

TEST(RankClasses, AStragglerOnARingGivesSingletons) {
  std::vector<std::int64_t> row(1001, 1);
  row[500] = 2;
  const auto classes = refine(ring(row));
  EXPECT_EQ(classes.count, 1001);
}

TEST(RankClasses, TheCheckRefusesWrongPartitions) {
  std::vector<std::int64_t> row(12, 1);
  row[0] = row[6] = 2;
  const auto right = refine(ring(row));
  EXPECT_EQ(right.count, 6);
  EXPECT_TRUE(is_equitable(ring(row), right));
  EXPECT_FALSE(is_equitable(ring(row), classes_from(std::vector<std::int32_t>(12, 0))));
  auto joined = right.class_of;  // classes 1 and 2 have equal costs but different neighbours
  for (auto& c : joined) c = c == 2 ? 1 : c;
  EXPECT_FALSE(is_equitable(ring(row), classes_from(joined)));
  EXPECT_FALSE(is_equitable(ring(row), classes_from({0, 1, 2})));
}

// The coarsest partition by definition: split by (own class, neighbours' classes) until stable.
std::vector<std::int32_t> slow_refine(const ClassInput& input) {
  std::vector<std::vector<std::int64_t>> keys(static_cast<std::size_t>(input.positions));
  for (std::size_t x = 0; x < keys.size(); ++x) {
    for (const auto& row : input.rows) keys[x].push_back(row[x]);
  }
  std::size_t before = 0;
  while (true) {
    std::vector<std::vector<std::int64_t>> kinds;
    std::vector<std::int32_t> color;
    for (const auto& key : keys) {
      auto it = std::find(kinds.begin(), kinds.end(), key);
      color.push_back(static_cast<std::int32_t>(it - kinds.begin()));
      if (it == kinds.end()) kinds.push_back(key);
    }
    if (kinds.size() == before) return color;
    before = kinds.size();
    for (std::size_t x = 0; x < keys.size(); ++x) {
      keys[x] = {color[x]};
      for (const ShiftMap& map : input.maps) {
        const auto at = static_cast<std::int32_t>(x);
        keys[x].push_back(color[static_cast<std::size_t>(map(at))]);
        keys[x].push_back(color[static_cast<std::size_t>(inverse(map, input.positions)(at))]);
      }
    }
  }
}

TEST(RankClasses, EqualsTheDefinitionOnRandomMachines) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const auto draw = [&](std::uint64_t i, std::int64_t low, std::int64_t high) {
      return random_int(seed, 5, i, low, high);
    };
    const RankSpace space{static_cast<std::int32_t>(draw(0, 1, 6)),
                          static_cast<std::int32_t>(draw(1, 1, 6))};
    const auto period = draw(2, 1, space.size());
    std::vector<std::int64_t> row;
    for (std::int32_t x = 0; x < space.size(); ++x) {
      row.push_back(draw(10 + static_cast<std::uint64_t>(x % period), 0, 2));
    }
    ClassInput input{space.size(), {row}, {}};
    for (std::uint64_t m = 0; m < 2; ++m) {
      const auto b = static_cast<std::int32_t>(draw(100 + m, 0, 5));
      input.maps.push_back(shift_map(
          draw(200 + m, 0, 1) == 0 ? PeerMap::linear(0, b) : PeerMap::on_digit(0, 0, b), space, 0));
    }
    const auto classes = refine(input);
    EXPECT_TRUE(is_equitable(input, classes));
    EXPECT_EQ(classes.class_of, classes_from(slow_refine(input)).class_of) << "seed " << seed;
  }
}

}  // namespace
}  // namespace fabricast
