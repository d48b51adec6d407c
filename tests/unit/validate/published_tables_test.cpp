#include "emulator/validate/published_tables.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

class PublishedTables : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() /
                 ("fabricast_published_" + std::to_string(::getpid()));
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ / name) << text;
  }

  std::filesystem::path directory_;
};

constexpr const char* header = "file,system,gpu,gpus_total,nodes,collective\n";

TEST_F(PublishedTables, QuotedFieldsAndBothPlacements) {
  write("index.csv", std::string(header) + "a.csv,\"A \"\"big\"\", one\",H100,8,1,all_reduce\n");
  write("a.csv",
        "size_bytes,time_us,algbw_gbps,busbw_gbps,inplace_time_us,inplace_algbw_gbps,inplace_busbw_"
        "gbps\n"
        "1024,20,,,18,,\n2048,21,,,,,\n4096,,,0.35,,,\n");
  const auto tables = read_published_tables(directory_);
  ASSERT_EQ(tables.size(), 1U);
  EXPECT_EQ(tables[0].column("system"), "A \"big\", one");
  ASSERT_EQ(tables[0].points.size(), 3U);
  EXPECT_DOUBLE_EQ(tables[0].points[0].time_us, 18);
  EXPECT_DOUBLE_EQ(tables[0].points[1].time_us, 21);
  // Only busbw printed: 4096 B x 1.75 / 0.35 GB/s.
  EXPECT_NEAR(tables[0].points[2].time_us, 20.48, 1e-9);
}

TEST_F(PublishedTables, WhatCannotBeReadHasAReason) {
  write("index.csv", std::string(header) +
                         "gone.csv,A,H100,8,1,all_reduce\nb.csv,B,H100,8,1,dance\n"
                         "c.csv,C,H100,eight,1,all_reduce\nempty.csv,D,H100,8,1,all_reduce\n");
  write("empty.csv", "size_bytes,time_us\nnothing,here\n");
  const auto tables = read_published_tables(directory_);
  ASSERT_EQ(tables.size(), 4U);
  for (const auto& table : tables) EXPECT_FALSE(table.problem.empty()) << table.column("file");
}

TEST_F(PublishedTables, AnIndexWithoutSystemsIsRefused) {
  write("index.csv", "file,gpu\na.csv,H100\n");
  EXPECT_THROW(read_published_tables(directory_), UsageError);
}

TEST_F(PublishedTables, NoIndexIsAnInputError) {
  EXPECT_THROW(read_published_tables(directory_ / "absent"), IoError);
}

}  // namespace
}  // namespace fabricast
