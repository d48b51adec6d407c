#include "emulator/report/table_view.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "emulator/base/error.hpp"
#include "tests/unit/trace/example_trace.hpp"

namespace fabricast {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::vector<std::vector<std::string>> rows_of(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  for (const std::string& line : lines_of(text)) {
    if (!line.starts_with('#')) rows.push_back(words_of(line));
  }
  return rows;
}

TEST(TableView, RowsCarryNcclTestsColumns) {
  const auto rows =
      rows_of(render_table(example_trace(), {{"all_reduce", "this-host", ""}, false}));
  ASSERT_EQ(rows.size(), 5u);
  // 1 KiB: 1.2 us + 1024 B at 9 GB/s (busbw = algbw for 2 ranks) = 1.313777 us.
  const std::vector<std::string> expected{"1024", "256",  "float", "sum",    "-1",       "1.31",
                                          "0.78", "0.78", "1.05",  "1.64",   "measured", "100",
                                          "ring", "none", "1",     "nvlink", "latency",  "25"};
  EXPECT_EQ(rows[0], expected);
}

TEST(TableView, LessTimeForMoreBytesIsExplained) {
  TraceContent content = example_trace();
  const ResultFilter ring{"all_reduce", "gb300-nvl72", "ring"};
  EXPECT_EQ(render_table(content, {ring, false}).find("less time for more"), std::string::npos);
  for (Table& table : content.tables) {
    if (table.path != "/results") continue;
    for (Column& column : table.columns) {  // row 0: 1 KiB on one channel, slower than 32 KiB
      if (column.name == "channels") std::get<Column::Integers>(column.values)[0] = 1;
      if (column.name == "time_ps")
        std::get<Column::Integers>(column.values)[0] = 1'000'000'000'000;
    }
  }
  EXPECT_NE(render_table(content, {ring, false})
                .find("# less time for more: 32 KiB after 1 KiB (ring simple 1 ch -> ring simple "
                      "16 ch)\n"),
            std::string::npos);
}

TEST(TableView, CountIsOfOneRanksBlockForAllGather) {
  const auto rows = rows_of(render_table(example_trace(), {{"all_gather", "", ""}, false}));
  ASSERT_EQ(rows.size(), 5u);
  EXPECT_EQ(rows[4][0], "1073741824");
  EXPECT_EQ(rows[4][1], std::to_string((1 << 30) / 4 / 72));
  EXPECT_EQ(rows[4][3], "none");
}

TEST(TableView, HeaderWordsAreNcclTests) {
  const auto lines = lines_of(render_table(example_trace(), {{"", "gb300-nvl72", "tree"}, false}));
  EXPECT_EQ(
      lines[0],
      "# all_reduce on gb300-nvl72, 72 ranks, executor nccl, algorithm tree, measured share 0 %");
  const auto titles = words_of(lines[1]);
  const std::vector<std::string> nccl_tests{"#",    "size", "count", "type", "redop",
                                            "root", "time", "algbw", "busbw"};
  EXPECT_TRUE(std::equal(nccl_tests.begin(), nccl_tests.end(), titles.begin()));
  EXPECT_EQ(words_of(lines[2])[1], "(B)");
  EXPECT_TRUE(lines.back().starts_with("# Avg bus bandwidth    : ")) << lines.back();
}

TEST(TableView, ColumnsAlignWithinAGroup) {
  const auto lines =
      lines_of(render_table(example_trace(), {{"", "gb300-nvl72x140", "ring"}, false}));
  const auto end_of = [](const std::string& line, const std::string& word) {
    return line.find(word) + word.size();
  };
  ASSERT_EQ(lines.size(), 9u);
  EXPECT_EQ(end_of(lines[1], " size"), end_of(lines[3], " 1024"));
  EXPECT_EQ(end_of(lines[1], " size"), end_of(lines[7], "1073741824"));
  EXPECT_EQ(end_of(lines[1], " busbw"), end_of(lines[7], " 82.70"));
  EXPECT_EQ(lines[1].find("limiting term"), lines[7].find("nvlink latency"));
}

TEST(TableView, BestKeepsTheFastestAlgorithmPerSize) {
  const auto rows =
      rows_of(render_table(example_trace(), {{"all_reduce", "gb300-nvl72", ""}, true}));
  ASSERT_EQ(rows.size(), 5u);
  EXPECT_EQ(rows[0][12], "tree");
  EXPECT_EQ(rows[4][12], "ring");
}

TEST(TableView, MeasuredAndPredictedRowsOfOneSizeStandTogether) {
  TraceContent content = example_trace();
  Table& results = content.tables.front();
  // The last measured row becomes a prediction of the size before it.
  std::get<Column::Texts>(std::find_if(results.columns.begin(), results.columns.end(),
                                       [](const Column& c) { return c.name == "engine"; })
                              ->values)
      .back() = "sweep";
  std::get<Column::Integers>(std::find_if(results.columns.begin(), results.columns.end(),
                                          [](const Column& c) { return c.name == "bytes"; })
                                 ->values)
      .back() = 1024;
  const auto rows = rows_of(render_table(content, {{"", "this-host", ""}, false}));
  ASSERT_EQ(rows.size(), 5u);
  EXPECT_EQ(rows[0].back(), "25");  // measured first
  EXPECT_EQ(rows[1].back(), "29");
}

TEST(TableView, UnknownNamesGetADidYouMean) {
  try {
    render_table(example_trace(), {{"", "gb300-nvl27", ""}, false});
    FAIL() << "accepted";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("gb300-nvl72"), std::string::npos) << error.what();
  }
  EXPECT_THROW(render_table(example_trace(), {{"all_reduces", "", ""}, false}), UsageError);
  EXPECT_THROW(render_table(example_trace(), {{"", "", "rings"}, false}), UsageError);
}

TEST(TableView, ElementTypes) {
  EXPECT_EQ(bytes_per_element("float32"), 4);
  EXPECT_EQ(bytes_per_element("float"), 4);
  EXPECT_EQ(bytes_per_element("half"), 2);
  EXPECT_EQ(bytes_per_element("double"), 8);
  EXPECT_EQ(bytes_per_element("bfloat16"), 2);
  EXPECT_EQ(bytes_per_element("uint8"), 1);
  EXPECT_EQ(bytes_per_element("float8_e4m3"), 1);
  EXPECT_EQ(bytes_per_element("int64"), 8);
  EXPECT_EQ(bytes_per_element("odd"), 1);
  EXPECT_EQ(type_name("float32"), "float");
  EXPECT_EQ(type_name("int8"), "int8");
}

TEST(TableView, SizesReadWell) {
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(8), "8 B");
  EXPECT_EQ(size_text(1023), "1023 B");
  EXPECT_EQ(size_text(1024), "1 KiB");
  EXPECT_EQ(size_text(1536), "1.5 KiB");
  EXPECT_EQ(size_text(std::int64_t{16} << 30), "16 GiB");
  EXPECT_EQ(size_text(std::int64_t{4096} << 40), "4096 TiB");
}

}  // namespace
}  // namespace fabricast
