#include "emulator/sim/family_map.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace fabricast {
namespace {

// Runs of an exchange in rounds say of every position what the map says, and are no shorter than
// they must be.
TEST(FamilyMap, RunsOfRoundsSayWhatTheMapSays) {
  std::vector<ColumnRun> runs;
  for (const RankSpace& space :
       {RankSpace{4, 3}, RankSpace{1, 5}, RankSpace{6, 1}, RankSpace{5, 8}}) {
    const std::int32_t n = space.size();
    std::vector<std::int32_t> shifts;
    for (std::int32_t i = 0; i < space.radix(1); ++i) shifts.push_back(space.radix(1) - 1 - i);
    for (const std::int32_t sign : {1, -1}) {
      const PeerMap peers = PeerMap::rounds(sign, 0, MapTable(shifts));
      for (std::int32_t k = 0; k < n; ++k) {
        for (const bool receiving : {false, true}) {
          const auto map = receiving ? family_of_receivers(peers, space, k, {0, n})
                                     : family_of_senders(peers, space, k, {0, n});
          ASSERT_TRUE(map.has_value());
          build_runs(receiving ? &*map : nullptr, receiving ? nullptr : &*map, {0, n}, n, runs);
          std::int32_t x = 0, last = 0;
          for (const ColumnRun& run : runs) {
            ASSERT_EQ(run.begin, x);
            EXPECT_EQ(receiving ? run.out_delta : run.in_delta, 0);
            const std::int32_t delta = receiving ? run.in_delta : run.out_delta;
            EXPECT_TRUE(x == 0 || delta != last) << "one run";
            last = delta;
            for (; x < run.begin + run.count; ++x) {
              ASSERT_EQ(x + delta, peer_of(peers, space, x, k)) << k << ": " << x;
            }
          }
          EXPECT_EQ(x, n);
        }
      }
    }
  }
}

}  // namespace
}  // namespace fabricast
