#include "emulator/report/machine_citation.hpp"

#include <gtest/gtest.h>

namespace fabricast {
namespace {

constexpr const char* machine =
    "name: m  # source: not this one\n"
    "gpu:\n"
    "  name: G\n"
    "  hbm_bandwidth:\n"
    "    value: 8 TB/s\n"
    "    source: \"data sheet, page 2\"\n"
    "interconnect:\n"
    "  kind: nvlink\n"
    "  bandwidth: # per GPU\n"
    "    value: 900 GB/s\n"
    "    origin: datasheet\n"
    "    source: \"data sheet, page 2\"\n"
    "  latency:\n"
    "    value: 150 ns\n"
    "    source: \"a guess that\n"
    "      goes on\"\n"
    "  nic: {value: 50 GB/s, origin: datasheet, source: unquoted words}\n";

TEST(MachineCitation, PrefersTheKeyThatEndsLikeTheParameter) {
  const auto found = find_citations(machine, "nvlink.bandwidth", "data sheet, page 2");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].key_path, "interconnect.bandwidth");
  EXPECT_EQ(found[0].first_line, 9);
  ASSERT_EQ(found[0].excerpt.size(), 4u);
  EXPECT_EQ(found[0].excerpt[1], "    value: 900 GB/s");
}

TEST(MachineCitation, GivesAllWhenNoKeyEndsLikeTheParameter) {
  EXPECT_EQ(find_citations(machine, "nvlink.step", "data sheet, page 2").size(), 2u);
}

TEST(MachineCitation, ReadsFoldedAndInlineSources) {
  auto found = find_citations(machine, "x.latency", "a guess that goes on");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].key_path, "interconnect.latency");
  found = find_citations(machine, "x.nic", "unquoted words}");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].key_path, "interconnect.nic");
  EXPECT_EQ(found[0].first_line, 17);
}

TEST(MachineCitation, FindsNothingWhereNothingIs) {
  EXPECT_TRUE(find_citations(machine, "a.bandwidth", "another source").empty());
  EXPECT_TRUE(find_citations(machine, "a.bandwidth", "").empty());
  EXPECT_TRUE(find_citations("", "a.bandwidth", "data sheet").empty());
  EXPECT_TRUE(find_citations("source:\n- \n:::\n\"", "a", "x").empty());
}

}  // namespace
}  // namespace fabricast
