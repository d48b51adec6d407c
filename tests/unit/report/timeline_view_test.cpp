#include "emulator/report/timeline_view.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "emulator/base/error.hpp"
#include "tests/unit/trace/example_trace.hpp"

namespace fabricast {
namespace {

std::size_t rows_in(const std::string& text) {
  std::size_t rows = 0;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) rows += text[at] != '#';
  return rows;
}

TEST(TimelineView, ShowsStagesAndStepsOfARow) {
  const std::string text = render_timeline(example_trace(), {0, {}, {}, true});
  EXPECT_EQ(rows_in(text), 4u) << text;  // one stage, three steps
  EXPECT_NE(text.find("# row 0: all_reduce ring simple, 72 ranks on gb300-nvl72, 1 KiB"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("3 of 9 in the trace, all before 0.000002 us"), std::string::npos) << text;
  EXPECT_NE(text.find("recv_reduce_copy_send"), std::string::npos) << text;
}

TEST(TimelineView, FiltersByClassAndTime) {
  EXPECT_EQ(rows_in(render_timeline(example_trace(), {0, {1}, {}, true})), 2u);
  EXPECT_EQ(rows_in(render_timeline(example_trace(), {0, {}, {2, 3}, true})), 2u);
  EXPECT_EQ(rows_in(render_timeline(example_trace(), {0, {}, {}, false})), 1u);
}

TEST(TimelineView, RefusesWhatIsNotThere) {
  EXPECT_THROW(render_timeline(example_trace(), {-1, {}, {}, true}), UsageError);
  EXPECT_THROW(render_timeline(example_trace(), {1'000, {}, {}, true}), UsageError);
  TraceContent content = example_trace();
  std::erase_if(content.tables, [](const Table& t) { return t.path == "/timeline"; });
  EXPECT_THROW(render_timeline(content, {}), UsageError);
}

}  // namespace
}  // namespace fabricast
