#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <thread>

#include "emulator/base/error.hpp"
#include "emulator/trace/trace_file.hpp"
#include "tests/unit/trace/example_trace.hpp"

namespace fabricast {
namespace {

void expect_equal(const TraceContent& a, const TraceContent& b) {
  EXPECT_EQ(a.documents, b.documents);
  ASSERT_EQ(a.tables.size(), b.tables.size());
  for (const Table& table : a.tables) {
    const Table& other = b.at(table.path);
    EXPECT_EQ(table.title, other.title);
    ASSERT_EQ(table.columns.size(), other.columns.size()) << table.path;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {  // the order is kept
      const Column &x = table.columns[i], &y = other.columns[i];
      EXPECT_EQ(x.name, y.name);
      EXPECT_EQ(x.units, y.units);
      EXPECT_EQ(x.long_name, y.long_name);
      EXPECT_EQ(x.flag_meanings, y.flag_meanings);
      EXPECT_TRUE(x.values == y.values) << table.path << "/" << x.name;
    }
  }
}

TEST(RoundTrip, TheExampleIsValidAndComesBack) {
  const ScratchDirectory scratch;
  const TraceContent content = example_trace();
  write_trace(scratch / "trace.h5", content);
  const auto problems = check_trace(scratch / "trace.h5");
  for (const auto& p : problems) ADD_FAILURE() << p.where << ": " << p.what;
  const TraceContent back = read_trace(scratch / "trace.h5");
  expect_equal(content, back);
  for (const auto& [name, value] : content.attributes) EXPECT_EQ(back.attributes.at(name), value);
  EXPECT_EQ(back.attributes.at("schema_version"), "1.0.0");
  EXPECT_EQ(back.attributes.at("complete"), "yes");
  EXPECT_EQ(back.attributes.at("content_digest"), content_digest(content));
  EXPECT_EQ(scratch.entries(), 1u);
}

TEST(RoundTrip, EveryTypeWithExtremeValuesAndEmptyTables) {
  const ScratchDirectory scratch;
  TraceContent content;
  Table table{"/extremes", "Extreme values", {}};
  table.add({"number", "1", "n", Column::Integers{INT64_MIN + 1, -1, 0, INT64_MAX}, {}});
  table.add({"real",
             "1",
             "r",
             Column::Reals{-0.0, std::numeric_limits<double>::denorm_min(),
                           std::numeric_limits<double>::max(), 0.1},
             {}});
  table.add({"text", "", "t", Column::Texts{"", "µs, \"quoted\"\n", " spaces ", "日本"}, {}});
  table.add({"blank", "", "only empty texts", Column::Texts(4), {}});
  table.add({"flag", "1", "f", Column::Codes{0, 1, 2, 0}, {"a", "b", "c"}});
  Table empty{"/deep/er/empty", "No rows", {}};
  empty.add({"number", "1", "n", Column::Integers{}, {}});
  empty.add({"real", "1", "r", Column::Reals{}, {}});
  empty.add({"text", "", "t", Column::Texts{}, {}});
  empty.add({"flag", "1", "f", Column::Codes{}, {"only"}});
  content.tables = {table, empty, Table{"/bare", "No columns", {}}};
  content.documents = {{"/config", ""}, {"/machine/a-b.c", std::string(200'000, 'x') + "\n"}};
  content.attributes["command_line"] = std::string(50'000, 'c');
  content.attributes["too_long"] = std::string(100'000, 'l');
  write_trace(scratch / "t.h5", content);
  const TraceContent back = read_trace(scratch / "t.h5");
  expect_equal(content, back);
  EXPECT_TRUE(std::signbit(back.at("/extremes").reals("real")[0]));
  EXPECT_EQ(back.attributes.at("command_line").size(), 50'000u);
  EXPECT_TRUE(back.attributes.at("too_long").ends_with("lll..."));
}

TEST(RoundTrip, ManyRowsCrossChunks) {
  const ScratchDirectory scratch;
  Column::Integers numbers;
  Column::Texts texts;
  for (std::int64_t i = 0; i < 200'000; ++i) {
    numbers.push_back(i * i % 7919);
    texts.push_back("text " + std::to_string(i % 17));
  }
  TraceContent content;
  content.tables = {
      Table{"/samples_like", "Many", {{"n", "1", "n", numbers, {}}, {"t", "", "t", texts, {}}}}};
  write_trace(scratch / "t.h5", content);
  expect_equal(content, read_trace(scratch / "t.h5"));
}

TEST(RoundTrip, EqualRunsGiveEqualBytes) {
  const ScratchDirectory scratch;
  ::setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
  write_trace(scratch / "a.h5", example_trace());
  // HDF5 would stamp objects with the second they were made in.
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  write_trace(scratch / "b.h5", example_trace());
  ::setenv("SOURCE_DATE_EPOCH", "1700000001", 1);
  write_trace(scratch / "c.h5", example_trace());
  ::unsetenv("SOURCE_DATE_EPOCH");
  // EXPECT_EQ would print the bytes.
  EXPECT_TRUE(file_bytes(scratch / "a.h5") == file_bytes(scratch / "b.h5"));
  EXPECT_TRUE(file_bytes(scratch / "a.h5") != file_bytes(scratch / "c.h5"));  // `created` differs
  EXPECT_EQ(read_trace(scratch / "a.h5").attributes.at("created"), "2023-11-14T22:13:20Z");
}

// What cannot be stored faithfully is refused before anything is written.
void expect_refused(const TraceContent& content, const std::string& part_of_message) {
  const ScratchDirectory scratch;
  try {
    write_trace(scratch / "t.h5", content);
    ADD_FAILURE() << "accepted, expected: " << part_of_message;
  } catch (const CheckError& error) {
    EXPECT_NE(std::string(error.what()).find(part_of_message), std::string::npos) << error.what();
  }
  EXPECT_EQ(scratch.entries(), 0u);
}

TraceContent with_column(Column column) {
  TraceContent content;
  content.tables = {Table{"/t", "T", {std::move(column)}}};
  return content;
}

TEST(RoundTrip, RefusesWhatCannotBeStored) {
  const double nan = std::nan("");
  expect_refused(with_column({"a", "1", "l", Column::Reals{1, nan}, {}}), "row 1 holds NaN");
  expect_refused(with_column({"a", "1", "l", Column::Reals{1 / 0.0}, {}}), "row 0 holds NaN");
  expect_refused(with_column({"a", "1", "l", Column::Integers{int64_fill}, {}}), "fill value");
  expect_refused(with_column({"a", "", "l", Column::Texts{"\xff"}, {}}), "not UTF-8");
  expect_refused(with_column({"a", "", "l", Column::Texts{std::string("a\0b", 3)}, {}}), "NUL");
  expect_refused(with_column({"a", "1", "l", Column::Codes{2}, {"x", "y"}}), "without a meaning");
  expect_refused(with_column({"a", "1", "l", Column::Codes{0}, {"x y"}}), "has a space");
  expect_refused(with_column({"row", "1", "l", Column::Integers{0}, {}}), "not a column name");
  expect_refused(with_column({"A b", "1", "l", Column::Integers{0}, {}}), "not a column name");
  TraceContent content = example_trace();
  content.tables[0].columns[0] = {"machine", "", "short", Column::Texts{"x"}, {}};
  expect_refused(content, "rows, but the first column");
  content = example_trace();
  content.documents["/results"] = "clash";
  expect_refused(content, "used twice");
  content = example_trace();
  content.documents["/results/x"] = "clash";
  expect_refused(content, "lies inside");
  content = example_trace();
  content.documents["/../etc"] = "x";
  expect_refused(content, "not a path");
}

}  // namespace
}  // namespace fabricast
