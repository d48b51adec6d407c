#include <gtest/gtest.h>

#include <algorithm>

#include "emulator/trace/table.hpp"
#include "tests/unit/trace/example_trace.hpp"

namespace fabricast {
namespace {

Table& table(TraceContent& content, const std::string& path) {
  return *std::find_if(content.tables.begin(), content.tables.end(),
                       [&](const Table& t) { return t.path == path; });
}

Column& column(TraceContent& content, const std::string& path, const std::string& name) {
  auto& columns = table(content, path).columns;
  return *std::find_if(columns.begin(), columns.end(),
                       [&](const Column& c) { return c.name == name; });
}

TEST(Digest, IgnoresSamplesHostAndAttributes) {
  const std::string digest = content_digest(example_trace());
  TraceContent content = example_trace();
  content.documents["/host"] = "another host";
  content.attributes["command_line"] = "other";
  std::get<Column::Reals>(column(content, "/samples", "value").values)[0] += 1;
  std::get<Column::Integers>(column(content, "/sample_conditions", "bytes").values)[0] += 1;
  EXPECT_EQ(content_digest(content), digest);
}

TEST(Digest, IgnoresTheOrderOfTablesAndColumns) {
  TraceContent content = example_trace();
  std::reverse(content.tables.begin(), content.tables.end());
  for (Table& t : content.tables) std::reverse(t.columns.begin(), t.columns.end());
  EXPECT_EQ(content_digest(content), content_digest(example_trace()));
}

TEST(Digest, SeesEveryCoveredTableAndDocument) {
  const std::string digest = content_digest(example_trace());
  for (const char* path : {"/holdout", "/links", "/profile", "/rank_classes", "/result_shares",
                           "/results", "/timeline"}) {
    TraceContent content = example_trace();
    table(content, path).columns.pop_back();
    EXPECT_NE(content_digest(content), digest) << path;
  }
  for (const char* path : {"/config", "/machine/gb300-nvl72"}) {
    TraceContent content = example_trace();
    content.documents[path] += " ";
    EXPECT_NE(content_digest(content), digest) << path;
  }
}

TEST(Digest, SeesValuesUnitsMeaningsAndTypes) {
  const std::string digest = content_digest(example_trace());
  TraceContent content = example_trace();
  std::get<Column::Reals>(column(content, "/results", "time_us").values).back() += 1e-9;
  EXPECT_NE(content_digest(content), digest);
  content = example_trace();
  column(content, "/results", "time_us").units = "ms";
  EXPECT_NE(content_digest(content), digest);
  content = example_trace();
  column(content, "/results", "label").flag_meanings[0] = "guessed";
  EXPECT_NE(content_digest(content), digest);
  content = example_trace();
  auto& bytes = column(content, "/results", "bytes");
  const auto integers = std::get<Column::Integers>(bytes.values);
  bytes.values = Column::Reals(integers.begin(), integers.end());
  EXPECT_NE(content_digest(content), digest);
}

// The worked example of docs/trace-format.md, computed there by an independent program.
TEST(Digest, WorkedExampleOfTheDocument) {
  TraceContent content;
  content.documents["/config"] = "seed: 1\n";
  content.tables = {Table{"/results",
                          "any title",
                          {{"time_us", "us", "any", Column::Reals{1.5, 2.0}, {}},
                           {"bytes", "B", "any", Column::Integers{8, 16}, {}},
                           {"label", "1", "any", Column::Codes{1, 0}, {"no", "yes"}},
                           {"machine", "", "any", Column::Texts{"a", "bc"}, {}}}}};
  EXPECT_EQ(content_digest(content),
            "b3a43f46ef7d7f62d77916cb77ec5829d31a1b3975ea1f7bb31097a6f81ec663");
}

}  // namespace
}  // namespace fabricast
