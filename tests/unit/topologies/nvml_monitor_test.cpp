#include "topologies/discover/nvml_monitor.hpp"

#include <gtest/gtest.h>

namespace fabricast {
namespace {

TEST(NvmlMonitor, ReadsWhatTheDriverReports) {
  const NvmlMonitor monitor("0000:1b:00.0", FABRICAST_FAKE_NVML);
  EXPECT_EQ(monitor.note(), "");
  const GpuState state = monitor.read();
  EXPECT_EQ(state.sm_mhz, 1755);
  EXPECT_EQ(state.memory_mhz, 3201);
  EXPECT_DOUBLE_EQ(state.power_w, 123.456);
  EXPECT_EQ(state.temperature_c, 0) << "this driver does not say";
  EXPECT_EQ(throttle_text(state.reasons), "sw_power_cap+sw_thermal");
  EXPECT_TRUE(is_disturbing_throttle(state.reasons));
}

TEST(NvmlMonitor, NoDriverOrNoSuchGpuReadsNothingAndSaysWhy) {
  const NvmlMonitor absent("0000:1b:00.0", "libno-such-nvml.so");
  EXPECT_NE(absent.note().find("libno-such-nvml.so"), std::string::npos);
  EXPECT_EQ(absent.read().sm_mhz, 0);
  const NvmlMonitor other("0000:ff:00.0", FABRICAST_FAKE_NVML);
  EXPECT_NE(other.note().find("0000:ff:00.0"), std::string::npos);
  EXPECT_EQ(other.read().power_w, 0);
}

TEST(NvmlMonitor, APowerCapIsToldAndNotDiscarded) {
  EXPECT_EQ(throttle_text(0x4), "sw_power_cap");
  EXPECT_FALSE(is_disturbing_throttle(0x4));
  EXPECT_EQ(throttle_text(0x1 | 0x2 | 0x10), "") << "idle, chosen clocks, boost group";
  EXPECT_TRUE(is_disturbing_throttle(0x40));
}

}  // namespace
}  // namespace fabricast
