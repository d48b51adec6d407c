#include "emulator/runtime/usable_cores.hpp"

#include <gtest/gtest.h>

namespace fabricast {
namespace {

TEST(CpuMax, ReadsQuotaAndPeriod) {
  EXPECT_DOUBLE_EQ(cores_from_cpu_max("150000 100000").value(), 1.5);
  EXPECT_DOUBLE_EQ(cores_from_cpu_max("200000 50000\n").value(), 4.0);
}

TEST(CpuMax, UnlimitedAndNonsenseAreNoLimit) {
  EXPECT_FALSE(cores_from_cpu_max("max 100000").has_value());
  EXPECT_FALSE(cores_from_cpu_max("-1 100000").has_value());  // cgroup v1 without a quota
  EXPECT_FALSE(cores_from_cpu_max("100000").has_value());
  EXPECT_FALSE(cores_from_cpu_max("").has_value());
  EXPECT_FALSE(cores_from_cpu_max("1 0").has_value());
}

TEST(UsableCores, NeverMoreThanTheAffinityMaskAndNeverNone) {
  const auto usable = usable_cores();
  EXPECT_GE(usable.count, 1);
  EXPECT_LE(usable.count, static_cast<std::int32_t>(affinity_cpus().size()));
  EXPECT_FALSE(usable.reason.empty());
}

}  // namespace
}  // namespace fabricast
