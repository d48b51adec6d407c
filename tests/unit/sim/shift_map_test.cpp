#include "emulator/sim/shift_map.hpp"

#include <gtest/gtest.h>

#include "emulator/sim/uniform_program.hpp"

namespace fabricast {
namespace {

const RankSpace spaces[] = {{7}, {4, 3}, {1, 5}, {2, 3, 2}, {6, 1}};

std::vector<ShiftMap> maps_of(const RankSpace& space) {
  std::vector<ShiftMap> maps;
  for (std::int32_t b = -8; b <= 8; ++b) {
    maps.push_back(shift_map(PeerMap::linear(2, b), space, 3));
    for (std::int32_t d = 0; d < space.digits(); ++d) {
      maps.push_back(shift_map(PeerMap::on_digit(d, -1, b), space, 2));
    }
  }
  return maps;
}

TEST(ShiftMap, EqualsThePeerMapAndItsInverseGoesBack) {
  for (const RankSpace& space : spaces) {
    for (std::int32_t b = -8; b <= 8; ++b) {
      for (std::int32_t d = -1; d < space.digits(); ++d) {
        const PeerMap peers = d < 0 ? PeerMap::linear(3, b) : PeerMap::on_digit(d, 3, b);
        const ShiftMap map = shift_map(peers, space, 5);
        const ShiftMap back = inverse(map, space.size());
        for (std::int32_t x = 0; x < space.size(); ++x) {
          EXPECT_EQ(map(x), peer_of(peers, space, x, 5));
          EXPECT_EQ(back(map(x)), x);
        }
      }
    }
  }
}

TEST(ShiftMap, CoincidenceIsExact) {
  for (const RankSpace& space : spaces) {
    const auto maps = maps_of(space);
    for (const ShiftMap& a : maps) {
      for (const ShiftMap& b : maps) {
        bool meet = false;
        bool equal = true;
        for (std::int32_t x = 0; x < space.size(); ++x) {
          meet = meet || a(x) == b(x);
          equal = equal && a(x) == b(x);
        }
        EXPECT_EQ(a == b, equal) << "the normal form is unique";
        if (!equal) {
          EXPECT_EQ(coincide(a, b, space.size()), meet);
        }
      }
    }
  }
}

TEST(ShiftMap, RunsCoverEveryPositionOnce) {
  std::vector<ColumnRun> runs, explicit_runs;
  for (const RankSpace& space : spaces) {
    const auto maps = maps_of(space);
    for (const ShiftMap& in : maps) {
      for (const ShiftMap& out : maps) {
        build_runs(in, out, space.size(), runs);
        std::int32_t next = 0;
        std::vector<std::int32_t> ins, outs;
        for (const ColumnRun& run : runs) {
          EXPECT_EQ(run.begin, next);
          for (std::int32_t x = run.begin; x < run.begin + run.count; ++x) {
            EXPECT_EQ(x + run.in_delta, in(x));
            EXPECT_EQ(x + run.out_delta, out(x));
            ins.push_back(in(x));
            outs.push_back(out(x));
          }
          next += run.count;
        }
        EXPECT_EQ(next, space.size());
        build_runs(ins, outs, explicit_runs);
        EXPECT_EQ(runs, explicit_runs);
      }
    }
  }
}

// Where a shift of all positions acts on positions modulo a period, it acts as shift_modulo says;
// where it does not, there is none.
TEST(ShiftModulo, IsTheShiftSeenThroughThePeriod) {
  const RankSpace space({4, 6});
  const std::int32_t positions = space.size();
  int acting = 0, refused = 0;
  for (const std::int32_t period : {1, 2, 4, 8, 12}) {
    for (const PeerMap& map :
         {PeerMap::linear(0, 5), PeerMap::linear(0, -1), PeerMap::on_digit(0, 0, 1),
          PeerMap::on_digit(0, 0, 3), PeerMap::on_digit(1, 0, 2)}) {
      const ShiftMap shift = shift_map(map, space, 0);
      const auto seen = shift_modulo(shift, positions, period);
      bool acts = true;
      for (std::int32_t x = 0; x < positions; ++x) {
        acts = acts && shift(x) % period == shift(x % period) % period;
        const std::int32_t place = seen ? (*seen)(x % period) : shift(x) % period;
        ASSERT_EQ(place, shift(x) % period) << x << " mod " << period;
      }
      EXPECT_TRUE(acts || !seen) << "period " << period;
      (seen ? acting : refused)++;
    }
  }
  EXPECT_GT(acting, 15);
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace fabricast
