#include "emulator/schedule/placement.hpp"

#include <gtest/gtest.h>

#include <set>

namespace fabricast {
namespace {

TEST(Placement, IsABijection) {
  for (const RankSpace& space : {RankSpace{8}, RankSpace{8, 5}, RankSpace{3, 4}, RankSpace{1, 7}}) {
    for (const bool swap : {false, true}) {
      for (std::int32_t start = 0; start < space.domain_size(); ++start) {
        for (const std::int32_t shift : {0, 1, 3}) {
          const auto placement = Placement::rotated(space, start, swap, shift);
          std::set<std::int32_t> seen;
          for (std::int32_t x = 0; x < space.size(); ++x) {
            const auto rank = placement.rank_at(x);
            seen.insert(rank);
            ASSERT_EQ(placement.position_of(rank), x);
          }
          ASSERT_EQ(static_cast<std::int32_t>(seen.size()), space.size());
        }
      }
    }
  }
}

TEST(Placement, TurnedRingsAreTheSameRings) {
  const RankSpace space{4, 3};
  const auto ring = Placement::rotated(space, 1, true);
  for (std::int32_t first = 0; first < space.size(); ++first) {
    const auto turned = ring.starting_at(first);
    EXPECT_EQ(turned.rank_at(0), first);
    EXPECT_EQ(turned.starting_at(ring.rank_at(0)), ring);
    for (std::int32_t x = 0; x < space.size(); ++x) {
      ASSERT_EQ(turned.position_of(turned.rank_at(x)), x);
      const auto next = (ring.position_of(turned.rank_at(x)) + 1) % space.size();
      ASSERT_EQ(turned.rank_at((x + 1) % space.size()), ring.rank_at(next));
    }
  }
}

// nccl.md 1.2: with the odd-node swap every hop between domains joins same-numbered GPUs, as long
// as the neighbours' parities differ (an even number of domains, or all but the closing hop).
TEST(Placement, SwappedRingsStayOnOneRailBetweenDomains) {
  const RankSpace space{8, 6};
  for (std::int32_t start = 0; start < 8; ++start) {
    const auto placement = Placement::rotated(space, start, true);
    for (std::int32_t domain = 0; domain < 6; ++domain) {
      const auto exit = placement.rank_at(domain * 8 + 7);
      const auto entry = placement.rank_at((domain * 8 + 8) % 48);
      EXPECT_EQ(exit % 8, entry % 8) << "start " << start << " domain " << domain;
    }
  }
}

}  // namespace
}  // namespace fabricast
