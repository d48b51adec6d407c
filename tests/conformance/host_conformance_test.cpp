// Every schedule on threads.
#include <gtest/gtest.h>

#include "emulator/runtime/executor.hpp"
#include "tests/conformance/conformance.hpp"

namespace fabricast::conformance {
namespace {

class HostConformance : public testing::TestWithParam<RankSpace> {};

TEST_P(HostConformance, EveryScheduleIsBitExact) {
  const auto executor = make_host_executor(GetParam().size());
  int ran = 0;
  for (const Collective collective : all_collectives) {
    ran += run_cases(*executor, shape_cases(collective, GetParam()));
  }
  EXPECT_GE(ran, 5 * 8);
}

INSTANTIATE_TEST_SUITE_P(OneDomain, HostConformance,
                         testing::Values(RankSpace{1}, RankSpace{2}, RankSpace{3}, RankSpace{4},
                                         RankSpace{5}, RankSpace{7}, RankSpace{8}));
INSTANTIATE_TEST_SUITE_P(Domains, HostConformance,
                         testing::Values(RankSpace{2, 2}, RankSpace{2, 3}, RankSpace{3, 2},
                                         RankSpace{4, 2}));

TEST(HostConformanceTypes, EveryTypeAndOperator) {
  for (const RankSpace& space : {RankSpace{3}, RankSpace{2, 2}}) {
    const auto executor = make_host_executor(space.size());
    for (const Collective collective : all_collectives) {
      EXPECT_GE(run_cases(*executor, type_cases(collective, space)), 12);
    }
  }
}

}  // namespace
}  // namespace fabricast::conformance
