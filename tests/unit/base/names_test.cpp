#include "emulator/base/names.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace fabricast {
namespace {

const std::vector<std::string> machines{"hgx-h100", "gb200-nvl72", "gb300-nvl72"};

TEST(Names, SuggestsAPlausibleTypoOnly) {
  EXPECT_EQ(closest_name("gb300-nvl27", machines), "gb300-nvl72");
  EXPECT_EQ(closest_name("HGX-H100", machines), "hgx-h100");
  EXPECT_EQ(closest_name("cray", machines), "");
}

TEST(Names, MessageNamesTheProblemTheGuessAndTheChoices) {
  EXPECT_EQ(unknown_name_message("machine", "hgx-h10", machines),
            "unknown machine \"hgx-h10\" (did you mean \"hgx-h100\"?); known: hgx-h100 gb200-nvl72 "
            "gb300-nvl72");
}

TEST(Names, MegabytesAreNotCompared) {
  const std::vector<std::string> long_names(20, std::string(400, 'b'));
  EXPECT_EQ(closest_name(std::string(20'000'000, 'a'), long_names), "");
}

}  // namespace
}  // namespace fabricast
