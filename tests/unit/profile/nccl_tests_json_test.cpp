#include "emulator/profile/nccl_tests_json.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <string>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

std::string golden() {
  std::ifstream file(std::string(FABRICAST_GOLDEN_NCCL_TESTS) + "/reduce_scatter.json",
                     std::ios::binary);
  EXPECT_TRUE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(NcclTestsJson, EverythingThatItHolds) {
  const auto output = read_nccl_tests_json(golden(), "x.json");
  ASSERT_EQ(output.runs.size(), 1);
  const NcclTestsRun& run = output.runs.front();
  EXPECT_EQ(run.program, "reduce_scatter_perf");
  EXPECT_EQ(run.nccl_version, "2.27.3");
  EXPECT_EQ(run.iterations, 20);
  EXPECT_EQ(run.warmup, 1);
  EXPECT_EQ(run.environment, (std::map<std::string, std::string>{{"NCCL_PROTO", "Simple"}}));
  EXPECT_EQ(run.devices.size(), 16);
  EXPECT_EQ(run.devices[9].host, "node-b");
  EXPECT_TRUE(run.complete);
  EXPECT_FALSE(run.blocking);
  ASSERT_EQ(run.rows.size(), 8);
  EXPECT_EQ(run.rows[1].line, 3);
  EXPECT_EQ(run.rows[1].bytes, 4096);
  EXPECT_EQ(run.rows[1].dtype, "bfloat16");
  EXPECT_EQ(run.rows[1].root, -1);
  EXPECT_EQ(run.rows[1].timings.size(), 2);
  EXPECT_EQ(run.rows[1].timings[1].wrong, 0);
  // The row with `inf` and "nan".
  ASSERT_EQ(output.refused.size(), 1);
  EXPECT_NE(output.refused[0].reason.find("out_of_place"), std::string::npos);
}

TEST(NcclTestsJson, CutAtEveryByte) {
  const std::string text = golden();
  const auto whole = read_nccl_tests_json(text, "x.json").runs.at(0).rows;
  std::size_t most = 0;
  const std::size_t last = text.find_last_of('}');
  for (std::size_t size = 1; size <= last; ++size) {
    const auto cut = read_nccl_tests_json(std::string_view(text).substr(0, size), "x.json");
    ASSERT_TRUE(cut.cut) << size;
    ASSERT_FALSE(cut.refused.empty());
    if (cut.runs.empty()) continue;
    const auto& rows = cut.runs.at(0).rows;
    ASSERT_GE(rows.size(), most);
    most = rows.size();
    for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(rows[i], whole[i]) << size;
  }
  EXPECT_EQ(most, whole.size());
}

TEST(NcclTestsJson, OtherFilesAreRefused) {
  const auto message = [](const std::string& text) -> std::string {
    try {
      read_nccl_tests_json(text, "x.json");
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(message("{\"a\": 1}").find("x.json:1: no list \"results\""), std::string::npos);
  EXPECT_NE(message("{\n]").find("x.json:2: not valid JSON"), std::string::npos);
  EXPECT_NE(message("{\"a\" 1}").find("not valid JSON"), std::string::npos);
  EXPECT_NE(message("{\"a\":" + std::string(100, '[')).find("nested deeper"), std::string::npos);
}

}  // namespace
}  // namespace fabricast
