// The table of what becomes of a patch: all that was added is found, nothing else.
#include "emulator/sim/surroundings_table.hpp"

#include <gtest/gtest.h>

namespace fabricast {
namespace {

Surroundings numbered(std::uint64_t i) {
  const auto base = static_cast<std::int64_t>(i % 7) - 3;
  return {i / 3, i, i / 2, base, -base, 1 + static_cast<std::int64_t>(i % 2)};
}

TEST(SurroundingsTable, HoldsAllThatWasAddedWhileItGrows) {
  constexpr std::int32_t count = 5000;
  SurroundingsTable table;
  for (std::int32_t i = 0; i < count; ++i) {
    const Surroundings key = numbered(static_cast<std::uint64_t>(i));
    EXPECT_EQ(table.find(key), nullptr) << i;
    table.add(key, {i, 10 * i});
  }
  for (std::int32_t i = 0; i < count; ++i) {
    const PatchResult* found = table.find(numbered(static_cast<std::uint64_t>(i)));
    ASSERT_NE(found, nullptr) << i;
    EXPECT_EQ(found->clocks, i);
    EXPECT_EQ(found->later, 10 * i);
  }
}

TEST(SurroundingsTable, KeysThatDifferInOnePartAreOthers) {
  SurroundingsTable table;
  const Surroundings key{1, 2, 3, 4, 5, 6};
  table.add(key, {});
  for (const Surroundings& other :
       {Surroundings{9, 2, 3, 4, 5, 6}, Surroundings{1, 9, 3, 4, 5, 6},
        Surroundings{1, 2, 9, 4, 5, 6}, Surroundings{1, 2, 3, 9, 5, 6},
        Surroundings{1, 2, 3, 4, 9, 6}, Surroundings{1, 2, 3, 4, 5, 9}}) {
    EXPECT_EQ(table.find(other), nullptr);
  }
  table.clear();
  EXPECT_EQ(table.find(key), nullptr);
}

}  // namespace
}  // namespace fabricast
