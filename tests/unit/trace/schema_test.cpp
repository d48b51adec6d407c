#include "emulator/trace/schema.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "emulator/base/error.hpp"
#include "emulator/trace/table_rows.hpp"
#include "emulator/trace/trace_file.hpp"
#include "tests/unit/trace/example_trace.hpp"

namespace fabricast {
namespace {

// Problems that check_trace finds after `change`, joined.
std::string problems_after(const std::function<void(TraceContent&)>& change) {
  const ScratchDirectory scratch;
  TraceContent content = example_trace();
  change(content);
  write_trace(scratch / "t.h5", content);
  std::string all;
  for (const TraceProblem& p : check_trace(scratch / "t.h5")) all += p.where + ": " + p.what + "\n";
  return all;
}

Table& table(TraceContent& content, std::string_view path) {
  return *std::find_if(content.tables.begin(), content.tables.end(),
                       [&](const Table& t) { return t.path == path; });
}

Column& column(TraceContent& content, std::string_view path, std::string_view name) {
  auto& columns = table(content, path).columns;
  return *std::find_if(columns.begin(), columns.end(),
                       [&](const Column& c) { return c.name == name; });
}

template <class Values>
auto& value(TraceContent& content, std::string_view path, std::string_view name) {
  return std::get<Values>(column(content, path, name).values)[0];
}

TEST(Schema, EveryMissingColumnIsNamed) {
  for (const TableRule& rule : trace_schema()) {
    for (const ColumnRule& wanted : rule.columns) {
      TraceContent content = example_trace();
      std::erase_if(table(content, rule.path).columns,
                    [&](const Column& c) { return c.name == wanted.name; });
      std::string all;
      for (const auto& p : schema_problems(content)) all += p.where + ": " + p.what + "\n";
      const std::string name = std::string(rule.path) + "/" + std::string(wanted.name);
      EXPECT_EQ(all, wanted.later ? "" : name + ": required column is missing\n");
    }
  }
}

TEST(Schema, TypesUnitsMeaningsAndValuesAreEnforced) {
  const auto expect = [](const char* part, const std::function<void(TraceContent&)>& change) {
    const std::string all = problems_after(change);
    EXPECT_NE(all.find(part), std::string::npos) << "expected " << part << " in:\n" << all;
  };
  expect("/results/time_us: units \"ms\", must be \"us\"",
         [](TraceContent& c) { column(c, "/results", "time_us").units = "ms"; });
  expect("/results/ranks: is float64, must be int64", [](TraceContent& c) {
    column(c, "/results", "ranks").values = Column::Reals(table(c, "/results").rows(), 2.0);
  });
  expect("/results/label: flag meanings", [](TraceContent& c) {
    column(c, "/results", "label").flag_meanings = {"a", "b", "c"};
  });
  expect("/profile/origin: \"guessed\" is none of",
         [](TraceContent& c) { value<Column::Texts>(c, "/profile", "origin") = "guessed"; });
  expect("/samples: needs /sample_conditions", [](TraceContent& c) {
    std::erase_if(c.tables, [](const Table& t) { return t.path == "/sample_conditions"; });
  });
  expect("/results: needs /machine", [](TraceContent& c) {
    std::erase_if(c.documents, [](const auto& d) { return d.first.starts_with("/machine"); });
  });
  expect("root attribute `seed` is missing", [](TraceContent& c) { c.attributes.erase("seed"); });
  expect("no `long_name`",
         [](TraceContent& c) { column(c, "/results", "time_us").long_name = ""; });
  expect("neither /results nor /samples", [](TraceContent& c) { c.tables.clear(); });
}

TEST(Schema, MeasurementsAloneNeedNoMachineOrProfile) {
  EXPECT_EQ(problems_after([](TraceContent& c) {
              for (auto& engine : std::get<Column::Texts>(column(c, "/results", "engine").values)) {
                engine = "measured";
              }
              std::erase_if(c.tables, [](const Table& t) {
                return t.path.starts_with("/profile") || t.path == "/evidence" ||
                       t.path == "/result_shares" || t.path == "/links";
              });
              std::erase_if(c.documents,
                            [](const auto& d) { return d.first.starts_with("/machine"); });
            }),
            "");
}

TEST(Schema, ExtraColumnsAndTablesAreWelcome) {
  EXPECT_EQ(problems_after([](TraceContent& c) {
              Table& results = table(c, "/results");
              results.add({"note", "", "n", Column::Texts(results.rows(), "x"), {}});
              c.tables.push_back(Table{"/extra", "E", {{"n", "1", "n", Column::Integers{1}, {}}}});
            }),
            "");
}

// docs/trace-format.md is normative: it names every column as the code has it.
TEST(Schema, TheDocumentSaysTheSame) {
  const std::string text = file_bytes(FABRICAST_TRACE_FORMAT_PAGE);
  for (const TableRule& rule : trace_schema()) {
    const std::size_t begin = text.find("### " + std::string(rule.path) + "\n");
    ASSERT_NE(begin, std::string::npos) << rule.path;
    const std::string section = text.substr(begin, text.find("\n##", begin + 1) - begin);
    EXPECT_NE(section.find(rule.title), std::string::npos) << rule.path;
    for (const ColumnRule& column : rule.columns) {
      std::string row = fmt::format("| `{}` | {} | {} | {}", column.name, to_string(column.type),
                                    column.units.empty() ? "" : fmt::format("`{}`", column.units),
                                    column.long_name);
      if (!column.values.empty()) row += fmt::format(": {}", fmt::join(column.values, ", "));
      EXPECT_NE(section.find(row + " |\n"), std::string::npos) << row;
    }
    for (const std::string_view needed : rule.needs) {
      EXPECT_NE(section.find(fmt::format("`{}`", needed)), std::string::npos) << needed;
    }
  }
}

TEST(Laws, EachIsEnforced) {
  const auto expect = [](const char* part, const std::function<void(TraceContent&)>& change) {
    const std::string all = problems_after(change);
    EXPECT_NE(all.find(part), std::string::npos) << "expected " << part << " in:\n" << all;
  };
  using Integers = Column::Integers;
  using Reals = Column::Reals;
  expect("`condition` is a row of /sample_conditions",
         [](auto& c) { value<Integers>(c, "/samples", "condition") = 1; });
  expect("/sample_device: row 3 breaks the law: one row for each of /samples", [](auto& c) {
    for (Column& each : table(c, "/sample_device").columns) {
      std::visit([](auto& values) { values.pop_back(); }, each.values);
    }
  });
  expect("`result` is a row of /results",
         [](auto& c) { value<Integers>(c, "/result_shares", "result") = -1; });
  expect("`result` is a row of /results",
         [](auto& c) { value<Integers>(c, "/links", "result") = 1'000'000; });
  expect("time_us is time_ps / 1e6", [](auto& c) { ++value<Integers>(c, "/results", "time_ps"); });
  expect("algbw_gbps is bytes", [](auto& c) { value<Reals>(c, "/results", "algbw_gbps") *= 2; });
  expect("low_us <= time_us", [](auto& c) { value<Reals>(c, "/results", "low_us") = 1e12; });
  expect("measured_share lies",
         [](auto& c) { value<Reals>(c, "/results", "measured_share") = 1.5; });
  expect("not below bound_us", [](auto& c) { value<Reals>(c, "/results", "bound_us") = 1e12; });
  expect("only a row of engine measured",
         [](auto& c) { value<Column::Codes>(c, "/results", "label") = 0; });
  expect("ranks and bytes are positive",
         [](auto& c) { value<Integers>(c, "/evidence", "ranks") = 0; });
  expect("correlation lies in -1..1",
         [](auto& c) { value<Reals>(c, "/profile_correlations", "correlation") = -1.5; });
  expect("sums to at most 1", [](auto& c) { value<Reals>(c, "/result_shares", "share") = 0.9; });
  expect("no link above its capacity",
         [](auto& c) { value<Reals>(c, "/links", "utilization") = 1.01; });
  expect("0 <= start_ps <= end_ps",
         [](auto& c) { value<Integers>(c, "/timeline", "start_ps") = 9; });
  expect("end_ps <= time_ps",
         [](auto& c) { value<Integers>(c, "/timeline", "end_ps") = std::int64_t{1} << 60; });
  const auto step = [](auto& c, const char* name, std::size_t row) -> std::int64_t& {
    return std::get<Integers>(column(c, "/steps", name).values)[row];
  };
  expect("`result` is a row of /results", [&](auto& c) { step(c, "result", 0) = -1; });
  expect("ready_ps is 0 or not before end_ps", [&](auto& c) { step(c, "end_ps", 0) = 9; });
  expect("do not overlap", [&](auto& c) { step(c, "step", 1) = 0; });
  expect("do not overlap", [&](auto& c) { step(c, "start_ps", 1) = 0; });
  expect("/steps: row 2 breaks the law: end_ps <= time_ps", [&](auto& c) {
    step(c, "end_ps", 2) = std::int64_t{1} << 60;
    step(c, "ready_ps", 2) = 0;
  });
  expect("so many rows are in /steps",
         [](auto& c) { value<Integers>(c, "/step_coverage", "rows") = 2; });
  expect("so many members of the result are in /ensemble_members",
         [](auto& c) { value<Integers>(c, "/ensemble", "members") = 3; });
  expect("slow_down is time_ps of the result / alone_ps, both positive",
         [](auto& c) { value<Integers>(c, "/jobs", "alone_ps") = 7; });
  expect("utilization lies in 0..1 (no link above its capacity)",
         [](auto& c) { value<Reals>(c, "/job_links", "utilization") = 1.5; });
}

TEST(TableRows, InsistsOnWholeRows) {
  TableRows rows("/timeline");
  EXPECT_THROW(rows.set("no_such_column", 1), CheckError);
  rows.set("result", 0);
  EXPECT_THROW(rows.set("result", 1), CheckError);
  EXPECT_THROW(rows.set("stage", 1), CheckError);
  EXPECT_THROW(rows.end_row(), CheckError);
  EXPECT_THROW(TableRows("/nothing"), CheckError);
  TableRows labels("/samples");
  EXPECT_THROW(labels.set("discarded", "maybe"), CheckError);
}

}  // namespace
}  // namespace fabricast
