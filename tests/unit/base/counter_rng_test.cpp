#include "emulator/base/counter_rng.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace fabricast {
namespace {

TEST(CounterRng, IsAPureFunctionOfItsKeys) {
  EXPECT_EQ(random_bits(1, 2, 3), random_bits(1, 2, 3));
  EXPECT_NE(random_bits(1, 2, 3), random_bits(1, 2, 4));
  EXPECT_NE(random_bits(1, 2, 3), random_bits(1, 3, 3));
  EXPECT_NE(random_bits(1, 2, 3), random_bits(2, 2, 3));
}

TEST(CounterRng, MomentsOfUniformAndNormal) {
  constexpr int n = 20000;
  double uniform = 0, normal = 0, normal_squared = 0;
  for (std::uint64_t i = 0; i < n; ++i) {
    uniform += random_uniform(7, 1, i);
    const double z = random_normal(7, 2, i);
    normal += z;
    normal_squared += z * z;
  }
  EXPECT_NEAR(uniform / n, 0.5, 0.01);
  EXPECT_NEAR(normal / n, 0.0, 0.03);
  EXPECT_NEAR(normal_squared / n, 1.0, 0.04);
}

TEST(CounterRng, IntegersCoverTheirRangeAndStayInside) {
  bool low = false, high = false;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto v = random_int(1, 1, i, -2, 3);
    ASSERT_GE(v, -2);
    ASSERT_LE(v, 3);
    low |= v == -2;
    high |= v == 3;
  }
  EXPECT_TRUE(low);
  EXPECT_TRUE(high);
}

}  // namespace
}  // namespace fabricast
