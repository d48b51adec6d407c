#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kernels/lane/program.hpp"

namespace fabricast::lane {
namespace {

// "loop.slice:step" in the order the cursor visits them.
std::string walk(const std::vector<std::int32_t>& bundles, std::int32_t loops,
                 std::int32_t slices) {
  LaneView lane;
  lane.bundles = bundles.data();
  lane.bundle_count = static_cast<std::int32_t>(bundles.size()) - 1;
  lane.layout.loops = loops;
  lane.layout.slices = slices;
  std::string text;
  int guard = 0;
  for (LaneCursor at = lane.start(); !at.finished && ++guard < 100; at = lane.after(at)) {
    text += std::to_string(at.loop) + "." + std::to_string(at.slice) + ":" +
            std::to_string(at.step) + " ";
  }
  return text;
}

TEST(LaneCursor, LoopsThenBundlesThenSlicesThenSteps) {
  EXPECT_EQ(walk({0, 1, 3}, 2, 2),
            "0.0:0 0.1:0 0.0:1 0.0:2 0.1:1 0.1:2 1.0:0 1.1:0 1.0:1 1.0:2 1.1:1 1.1:2 ");
}

TEST(LaneCursor, EmptyProgramsAreFinishedAtOnce) {
  EXPECT_EQ(walk({0}, 3, 2), "");
  EXPECT_EQ(walk({0, 0}, 3, 2), "");
}

TEST(LaneCursor, EmptyBundlesAreSkipped) {
  EXPECT_EQ(walk({0, 0, 1, 1, 2, 2}, 2, 2), "0.0:0 0.1:0 0.0:1 0.1:1 1.0:0 1.1:0 1.0:1 1.1:1 ");
}

}  // namespace
}  // namespace fabricast::lane
