#include "emulator/report/why.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "emulator/base/error.hpp"
#include "emulator/trace/table_rows.hpp"
#include "tests/unit/trace/example_trace.hpp"

namespace fabricast {
namespace {

void expect_in_order(const std::string& text, const std::vector<std::string>& parts) {
  std::size_t at = 0;
  for (const std::string& part : parts) {
    const std::size_t found = text.find(part, at);
    ASSERT_NE(found, std::string::npos) << "expected, in this place: " << part << "\nin:\n" << text;
    at = found;
  }
}

Column& column(TraceContent& content, const std::string& path, const std::string& name) {
  const auto table = std::find_if(content.tables.begin(), content.tables.end(),
                                  [&](const Table& t) { return t.path == path; });
  return *std::find_if(table->columns.begin(), table->columns.end(),
                       [&](const Column& c) { return c.name == name; });
}

TEST(Why, WalksAPredictionBackToLinesOfTheMachineFile) {
  expect_in_order(
      render_why(example_trace(), 2),
      {"row 2: all_reduce ring of 1 MiB on gb300-nvl72",
       "72 ranks",
       "time           152.997 us",
       "interval 90 %: 122.398 us to 191.246 us",
       "busbw 13.52 GB/s",
       "label          extrapolated",
       "36 x the ranks and the same bytes of the nearest sample",
       "measured share 0 %",
       "limited by     nvlink latency",
       "Links",
       "busiest of 144 links: 4096 B at 690 GB/s, 50.0 % busy",
       "Where the time goes",
       "75.0 %  nvlink.bandwidth",
       "datasheet",
       "25.0 %  nvlink.latency",
       "assumed",
       "What it depends on most",
       "0.020    nvlink.bandwidth",
       "0.980    nvlink.latency",
       "nvlink.bandwidth = 900 GB/s, give or take a factor of 1.22",
       "prior        900 GB/s, give or take a factor of 1.22, datasheet: GB300 NVL72 datasheet",
       "machine file links.nvlink.bandwidth, line 4",
       "4 |     bandwidth: {value: 900 GB/s",
       "5 |                 source: \"GB300",
       "samples      none: it is its prior",
       "nvlink.latency = 1 us",
       "machine file links.nvlink.latency, line 6"});
}

TEST(Why, NamesTheSamplesThatObserveAParameter) {
  TraceContent content = example_trace();
  // Row 2 now runs on this host and spends its time in host.step.
  std::get<Column::Texts>(column(content, "/results", "executor").values)[2] = "host";
  std::get<Column::Texts>(column(content, "/results", "machine").values)[2] = "this-host";
  for (auto& id : std::get<Column::Texts>(column(content, "/result_shares", "parameter").values)) {
    id = "host.step";
  }
  expect_in_order(
      render_why(content, 2),
      {"host.step = 0.4 us", "value        measured: suite step_latency", "identified",
       "prior        1 us, give or take a factor of 2.72, assumed: a guess",
       "samples      3, observed directly",
       "step_latency on this-host, 2 ranks, 8 B: median 0.41 us of 3 kept, 1 discarded"});
}

TEST(Why, GroupsTheCollectivesOfAJointFit) {
  TraceContent content = example_trace();
  std::get<Column::Texts>(column(content, "/results", "executor").values)[2] = "host";
  for (auto& id : std::get<Column::Texts>(column(content, "/result_shares", "parameter").values)) {
    id = "host.step";
  }
  std::get<Column::Texts>(column(content, "/sample_conditions", "suite").values)[0] = "collective";
  std::get<Column::Texts>(column(content, "/sample_conditions", "parameter").values)[0] = "";
  std::get<Column::Texts>(column(content, "/sample_conditions", "collective").values)[0] =
      "broadcast";
  std::get<Column::Texts>(column(content, "/sample_conditions", "algorithm").values)[0] = "chain";
  expect_in_order(render_why(content, 2),
                  {"samples      3, fitted jointly; in this trace",
                   "broadcast chain on this-host, 2 ranks, 8 B to 8 B: 1 conditions, 3 samples"});
}

TEST(Why, SaysWhatIsMissing) {
  TraceContent content = example_trace();
  std::erase_if(content.tables, [](const Table& t) { return t.path == "/profile"; });
  const std::string text = render_why(content, 2);
  EXPECT_NE(text.find("not in /profile for executor nccl"), std::string::npos) << text;
  content = example_trace();
  std::get<Column::Reals>(column(content, "/results", "evidence_ranks_ratio").values)[2] = 0;
  std::get<Column::Reals>(column(content, "/results", "evidence_bytes_ratio").values)[2] = 0;
  EXPECT_NE(render_why(content, 2).find("no sample of its collective"), std::string::npos);
}

TEST(Why, MeasuredRowsShowTheirSamples) {
  TraceContent content = example_trace();
  EXPECT_NE(render_why(content, 25).find("its samples are not in this trace"), std::string::npos);
  const auto set = [&](const char* name, const char* value) {
    std::get<Column::Texts>(column(content, "/sample_conditions", name).values)[0] = value;
  };
  set("suite", "collective"), set("collective", "all_reduce"), set("algorithm", "ring");
  std::get<Column::Integers>(column(content, "/sample_conditions", "bytes").values)[0] = 1024;
  expect_in_order(render_why(content, 25), {"label          measured",
                                            "all_reduce ring none on this-host, 2 ranks, 1 KiB: "
                                            "median 0.41 us of 3 kept, 1 discarded"});
}

TEST(Why, RowsOutOfRangeAreNamed) {
  for (const std::int64_t row : {std::int64_t{-1}, std::int64_t{30}, INT64_MAX}) {
    try {
      render_why(example_trace(), row);
      FAIL() << "accepted " << row;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find("rows 0 to 29"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace fabricast
