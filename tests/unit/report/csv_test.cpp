#include "emulator/report/csv.hpp"

#include <gtest/gtest.h>

#include "emulator/base/error.hpp"
#include "tests/unit/trace/example_trace.hpp"

namespace fabricast {
namespace {

TEST(Csv, FollowsRfc4180) {
  TraceContent content;
  Table table{"/t", "T", {}};
  table.add({"n", "1", "n", Column::Integers{-1, 9'007'199'254'740'993}, {}});
  table.add({"x", "1", "x", Column::Reals{0.1, 1e-300}, {}});
  table.add({"s", "", "s", Column::Texts{"a,b", "say \"hi\"\nnow"}, {}});
  table.add({"f", "1", "f", Column::Codes{1, 0}, {"no", "yes"}});
  content.tables.push_back(table);
  EXPECT_EQ(render_csv(content, "/t"),
            "n,x,s,f\r\n"
            "-1,0.1,\"a,b\",yes\r\n"
            "9007199254740993,1e-300,\"say \"\"hi\"\"\nnow\",no\r\n");
  EXPECT_EQ(render_csv(content, "t"), render_csv(content, "/t"));
}

TEST(Csv, EmptyTablesHaveAHeader) {
  TraceContent content;
  content.tables.push_back(Table{"/t", "T", {{"a", "1", "a", Column::Integers{}, {}}}});
  EXPECT_EQ(render_csv(content, "/t"), "a\r\n");
}

TEST(Csv, UnknownTablesGetADidYouMean) {
  try {
    render_csv(example_trace(), "result");
    FAIL() << "accepted";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("/results"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace fabricast
