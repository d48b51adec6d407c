#include "emulator/report/plot.hpp"

#include <gtest/gtest.h>

#include <pugixml.hpp>

#include "emulator/base/error.hpp"
#include "emulator/report/plot_series.hpp"
#include "emulator/base/svg.hpp"
#include "tests/unit/trace/example_trace.hpp"

namespace fabricast {
namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

// Every coordinate attribute of the drawing, to see that nothing is NaN or far outside.
struct Inside : pugi::xml_tree_walker {
  double width = 0, height = 0;
  bool for_each(pugi::xml_node& node) override {
    for (const char* name : {"x", "x1", "x2", "cx"}) check(node, name, width);
    for (const char* name : {"y", "y1", "y2", "cy"}) check(node, name, height);
    return true;
  }
  static void check(pugi::xml_node& node, const char* name, double limit) {
    const pugi::xml_attribute attribute = node.attribute(name);
    if (!attribute) return;
    EXPECT_GE(attribute.as_double(-1), 0) << node.name() << " " << name << "=" << attribute.value();
    EXPECT_LE(attribute.as_double(1e9), limit) << node.name() << " " << name;
    EXPECT_EQ(std::string(attribute.value()).find("nan"), std::string::npos);
  }
};

void expect_well_formed(const std::string& svg, int width) {
  pugi::xml_document document;
  const auto result = document.load_string(svg.c_str());
  ASSERT_TRUE(result) << result.description();
  Inside inside;
  inside.width = document.child("svg").attribute("width").as_double();
  inside.height = document.child("svg").attribute("height").as_double();
  EXPECT_EQ(inside.width, width);
  EXPECT_GT(inside.height, 300);
  document.traverse(inside);
}

TEST(Plot, ShowsEveryMachineCollectiveAndAlgorithm) {
  const std::string svg = render_busbw_svg(example_trace(), {});
  expect_well_formed(svg, 1400);
  for (const char* words : {">gb300-nvl72<", ">gb300-nvl72x140<", ">this-host<", ">all-reduce<",
                            ">all-gather<", ">ring<", ">tree<", "measured share 0 %", "72 ranks",
                            "10080 ranks", ">1 KiB<", ">1 MiB<", ">1 GiB<", "busbw (GB/s)",
                            "measurements only", ">no results<", "measured, with its interval"}) {
    EXPECT_NE(svg.find(words), std::string::npos) << words;
  }
  EXPECT_EQ(count_of(svg, ", predicted<"), 5u);  // one line per machine, collective, algorithm
  EXPECT_EQ(count_of(svg, "<polygon"), 5u);      // each with its interval
  EXPECT_EQ(count_of(svg, "ring measured: "), 5u);
}

// Names are as long as people make them (a file of MSCCL is one): what the picture is too narrow
// for goes to another line of the legend, and the rest of the picture goes down with it.
TEST(Plot, ALegendTooLongForALineGoesOn) {
  const auto legend_of = [](int width) {
    pugi::xml_document document;
    document.load_string(render_busbw_svg(example_trace(), {{}, width}).c_str());
    std::vector<Point> ends;
    for (const auto& text : document.child("svg").children("text")) {
      const std::string words = text.child_value();
      if (words == "ring" || words == "interval of a prediction" || words == "bandwidth bound" ||
          words == "measured, with its interval") {
        ends.push_back({text.attribute("x").as_double() + 7.0 * static_cast<double>(words.size()),
                        text.attribute("y").as_double()});
      }
    }
    EXPECT_EQ(ends.size(), 4u);
    for (const Point& end : ends) EXPECT_LE(end.x, width);
    return ends;
  };
  EXPECT_EQ(legend_of(1400).front().y, legend_of(1400).back().y);
  EXPECT_LT(legend_of(600).front().y, legend_of(600).back().y);
}

TEST(Plot, FiltersAndWidth) {
  const std::string svg =
      render_busbw_svg(example_trace(), {{"all_reduce", "gb300-nvl72", "tree"}, 900});
  expect_well_formed(svg, 900);
  EXPECT_EQ(count_of(svg, ", predicted<"), 1u);
  EXPECT_EQ(svg.find("x140"), std::string::npos);
  EXPECT_EQ(svg.find("all-gather"), std::string::npos);
  EXPECT_EQ(svg.find("measured, with its interval"), std::string::npos);  // nothing measured there
}

TEST(Plot, OneSizeAndZeroSizesStillDraw) {
  TraceContent content = example_trace();
  Table& results = content.tables.front();
  for (Column& column : results.columns) {
    if (column.name == "bytes") {
      auto& bytes = std::get<Column::Integers>(column.values);
      for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = i % 5 == 0 ? 4096 : 0;
    }
  }
  expect_well_formed(render_busbw_svg(content, {}), 1400);
}

// Found by mutated traces: a time of 1e-308 us made an axis that ended at infinity.
TEST(Plot, NumbersThatNoBusHasAreNotDrawn) {
  for (const char* name : {"busbw_gbps", "low_us", "high_us", "time_us", "bound_us"}) {
    for (const double value : {1e-320, 1e-200, 1e200, 1e308}) {
      TraceContent content = example_trace();
      for (Column& column : content.tables.front().columns) {
        if (column.name == name) std::get<Column::Reals>(column.values).front() = value;
      }
      expect_well_formed(render_busbw_svg(content, {}), 1400);
    }
  }
}

TEST(Plot, NothingToDrawIsAnError) {
  TraceContent content = example_trace();
  for (Column& column : content.tables.front().columns) {
    if (column.name == "busbw_gbps") {
      for (double& value : std::get<Column::Reals>(column.values)) value = 0;
    }
  }
  EXPECT_THROW(render_busbw_svg(content, {}), CheckError);
}

TEST(Plot, EqualContentGivesEqualBytes) {
  EXPECT_TRUE(render_busbw_svg(example_trace(), {}) == render_busbw_svg(example_trace(), {}));
}

TEST(PlotData, KeepsTheFastestProtocolPerSizeAndTurnsTimesIntoBandwidth) {
  ResultRow slow;
  slow.machine = "m", slow.executor = "nccl", slow.collective = "all_reduce",
  slow.algorithm = "ring";
  slow.protocol = "ll", slow.engine = "sweep", slow.bytes = 1024, slow.ranks = 2;
  slow.time_us = 10, slow.low_us = 5, slow.high_us = 20, slow.busbw_gbps = 4, slow.bound_us = 2;
  ResultRow fast = slow;
  fast.protocol = "simple", fast.time_us = 8, fast.low_us = 4, fast.high_us = 16,
  fast.busbw_gbps = 5;
  const PlotData data = plot_data({slow, fast});
  ASSERT_EQ(data.rows.size(), 1u);
  const PlotPanel& panel = data.rows[0].panels[0];
  ASSERT_EQ(panel.series.size(), 1u);
  ASSERT_EQ(panel.series[0].points.size(), 1u);
  const PlotPoint& point = panel.series[0].points[0];
  EXPECT_EQ(point.protocol, "simple");
  EXPECT_DOUBLE_EQ(point.low, 2.5);
  EXPECT_DOUBLE_EQ(point.high, 10);
  ASSERT_EQ(panel.bound.size(), 1u);
  EXPECT_DOUBLE_EQ(panel.bound[0].busbw, 20);
}

TEST(Svg, EscapesText) { EXPECT_EQ(xml_escaped("a<b>&\"c\"\x01"), "a&lt;b&gt;&amp;&quot;c&quot;"); }

}  // namespace
}  // namespace fabricast
