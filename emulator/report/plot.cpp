#include "emulator/report/plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/svg.hpp"
#include "emulator/report/log_axis.hpp"
#include "emulator/report/plot_series.hpp"
#include "emulator/report/table_view.hpp"

namespace fabricast {
namespace {

// Okabe and Ito's palette (2008), readable with colour blindness; yellow left out on white.
constexpr std::array<const char*, 7> colours{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                             "#e69f00", "#56b4e9", "#4d4d4d"};
constexpr std::array<const char*, 3> dashes{"", "7 3", "2 3"};

constexpr const char* ink = "#1f2430";
constexpr const char* quiet_ink = "#5b6472";
constexpr const char* grid = "#e7eaee";
constexpr const char* frame = "#c4cad3";
constexpr const char* bound_colour = "#8a93a0";

// All in px.
constexpr double left = 76, right = 22, gap = 26, top = 112, bottom = 34;
constexpr double row_head = 58, row_foot = 52;
constexpr double legend_line = 24;

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = 0;
  void include(double value) {
    if (value > 0) low = std::min(low, value), high = std::max(high, value);
  }
};

Range size_range(const PlotData& data) {
  Range range;
  for (const PlotRow& row : data.rows) {
    for (const PlotPanel& panel : row.panels) {
      for (const PlotSeries& series : panel.series) {
        for (const PlotPoint& p : series.points) range.include(p.bytes);
      }
    }
  }
  if (range.low == range.high) range.low /= 2, range.high *= 2;
  return range;
}

// Whole decades around everything drawn in a machine's row, so that its panels compare.
Range busbw_range(const PlotRow& row) {
  Range range;
  for (const PlotPanel& panel : row.panels) {
    for (const PlotSeries& series : panel.series) {
      for (const PlotPoint& p : series.points) {
        range.include(p.low), range.include(p.high), range.include(p.busbw);
      }
    }
    for (const PlotPoint& p : panel.bound) range.include(p.busbw);
  }
  range.low = std::pow(10.0, std::floor(std::log10(range.low)));
  range.high = std::pow(10.0, std::ceil(std::log10(range.high) + 1e-9));
  return range;
}

std::string spoken(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::string share_text(const PlotRow& row) {
  if (row.largest_measured_share < row.least_measured_share) return "measurements only";
  const double low = 100 * row.least_measured_share, high = 100 * row.largest_measured_share;
  return high - low < 0.5 ? fmt::format("measured share {:.0f} %", high)
                          : fmt::format("measured share {:.0f} to {:.0f} %", low, high);
}

class Plot {
 public:
  Plot(const PlotData& data, double width) : data_(data), width_(width), sizes_(size_range(data)) {
    const auto columns = static_cast<double>(data.collectives.size());
    panel_width_ = (width - left - right - gap * (columns - 1)) / columns;
    panel_height_ = columns <= 1 ? 380 : columns <= 2 ? 320 : 250;
    legend_ = legend_entries();
  }

  std::string draw(const TraceContent& content) {
    const auto rows = static_cast<double>(data_.rows.size());
    const double first_row = top + legend_.back().at.y - legend_.front().at.y;
    const double height = first_row + bottom + rows * (row_head + panel_height_ + row_foot);
    Svg svg(width_, height, "Bus bandwidth against message size", description());
    svg.rectangle({0, 0}, width_, height, "#ffffff");
    svg.text({left, 40}, "Bus bandwidth against message size",
             {22, ink, Svg::Anchor::start, true, 0});
    svg.text({left, 62}, provenance(content), {12.5, quiet_ink, Svg::Anchor::start, false, 0});
    draw_legend(svg);
    double y = first_row;
    for (const PlotRow& row : data_.rows) {
      draw_row(svg, row, y);
      y += row_head + panel_height_ + row_foot;
    }
    svg.text({width_ - right, height - 14},
             "busbw as nccl-tests defines it, 1 GB = 1e9 B; both axes logarithmic",
             {11.5, quiet_ink, Svg::Anchor::end, false, 0});
    return svg.finish();
  }

 private:
  std::string description() const {
    std::string text;
    for (const PlotRow& row : data_.rows) {
      text += fmt::format("{}{}, {} ranks, {}", text.empty() ? "" : "; ", row.machine, row.ranks,
                          share_text(row));
    }
    return text;
  }

  static std::string provenance(const TraceContent& content) {
    std::string text;
    for (const char* name : {"software", "backend", "created"}) {
      const auto found = content.attributes.find(name);
      if (found == content.attributes.end() || found->second.empty()) continue;
      std::string value = found->second;
      // "host (threads on host cores, ...)": the reason is long and stands in the trace.
      if (std::string(name) == "backend") value = "backend " + value.substr(0, value.find(" ("));
      if (std::string(name) == "created") value = "written " + value;
      text += (text.empty() ? "" : "  ·  ") + value;
    }
    const std::string changed = what_if_of(content);
    if (changed.empty()) return text;
    return "what-if: " + changed + (text.empty() ? "" : "  ·  ") + text;
  }

  Svg::Stroke stroke_of(const std::string& algorithm, double width) const {
    const auto found = std::find(data_.algorithms.begin(), data_.algorithms.end(), algorithm);
    const auto index = static_cast<std::size_t>(found - data_.algorithms.begin());
    return {colours[index % colours.size()], width, dashes[index / colours.size() % dashes.size()]};
  }

  template <class Holds>
  bool shows(Holds holds) const {
    for (const PlotRow& row : data_.rows) {
      for (const PlotPanel& panel : row.panels) {
        if (std::any_of(panel.series.begin(), panel.series.end(), holds)) return true;
      }
    }
    return false;
  }

  // What a sign of the legend stands for; `at` is where the sign begins.
  struct LegendEntry {
    enum class Sign { line, band, marker, bound } sign = Sign::line;
    std::string name;  // the algorithm of a line
    std::string words;
    Point at{};
  };

  // As many lines as the entries need.
  std::vector<LegendEntry> legend_entries() const {
    using Sign = LegendEntry::Sign;
    std::vector<LegendEntry> entries;
    for (const std::string& algorithm : data_.algorithms) {
      entries.push_back({Sign::line, algorithm, spoken(algorithm)});
    }
    if (shows([](const PlotSeries& one) { return !one.measured && one.points.size() > 1; })) {
      entries.push_back({Sign::band, "", "interval of a prediction"});
    }
    if (shows([](const PlotSeries& one) { return one.measured; })) {
      entries.push_back({Sign::marker, "", "measured, with its interval"});
    }
    entries.push_back({Sign::bound, "", "bandwidth bound"});
    Point at{left, 90};
    for (LegendEntry& entry : entries) {
      // Text has no measurable width here: 7 px per character is generous for 13 px Helvetica.
      const double wide = 34 + 7.0 * static_cast<double>(entry.words.size());
      if (at.x > left && at.x + wide > width_ - right) at = {left, at.y + legend_line};
      entry.at = at;
      at.x += wide + 22;
    }
    return entries;
  }

  void draw_legend(Svg& svg) const {
    for (const LegendEntry& entry : legend_) {
      const auto [x, y] = entry.at;
      switch (entry.sign) {
        case LegendEntry::Sign::line:
          svg.line({x, y}, {x + 27, y}, stroke_of(entry.name, 2.4));
          break;
        case LegendEntry::Sign::band:
          svg.rectangle({x, y - 6}, 27, 12, "#dbeaf4");
          break;
        case LegendEntry::Sign::marker:
          svg.line({x + 13, y - 9}, {x + 13, y + 9}, {ink, 1.2, ""});
          svg.circle({x + 13, y}, 4, "#ffffff", ink);
          break;
        case LegendEntry::Sign::bound:
          svg.line({x, y}, {x + 27, y}, {bound_colour, 1.4, "5 4"});
          break;
      }
      svg.text({x + 34, y + 4}, entry.words, {13, ink, Svg::Anchor::start, false, 0});
    }
  }

  void draw_row(Svg& svg, const PlotRow& row, double y) const {
    svg.heading(
        {left, y + 22}, row.machine,
        fmt::format("{} ranks  ·  executor {}  ·  {}", row.ranks, row.executor, share_text(row)),
        {13, quiet_ink, Svg::Anchor::start, false, 0}, {16, ink, Svg::Anchor::start, true, 0});
    const double panel_top = y + row_head;
    svg.text({22, panel_top + panel_height_ / 2}, "busbw (GB/s)",
             {12.5, quiet_ink, Svg::Anchor::middle, false, -90});
    const Range range = busbw_range(row);
    for (std::size_t i = 0; i < row.panels.size(); ++i) {
      const double x = left + static_cast<double>(i) * (panel_width_ + gap);
      draw_panel(svg, row.panels[i], {x, panel_top}, range, i == 0);
    }
  }

  void draw_panel(Svg& svg, const PlotPanel& panel, Point corner, const Range& range,
                  bool label_left) const {
    const LogAxis x(sizes_.low, sizes_.high, corner.x, corner.x + panel_width_);
    const LogAxis y(range.low, range.high, corner.y + panel_height_, corner.y);
    svg.text({corner.x, corner.y - 9}, spoken(panel.collective),
             {13.5, ink, Svg::Anchor::start, true, 0});
    draw_axes(svg, x, y, corner, label_left);
    if (panel.series.empty()) {
      svg.text({corner.x + panel_width_ / 2, corner.y + panel_height_ / 2}, "no results",
               {12.5, quiet_ink, Svg::Anchor::middle, false, 0});
      return;
    }
    svg.begin_clip({corner.x - 5, corner.y - 5}, panel_width_ + 10, panel_height_ + 10);
    draw_bands(svg, panel, x, y);
    std::vector<Point> bound;
    for (const PlotPoint& p : panel.bound)
      bound.push_back({x.position(p.bytes), y.position(p.busbw)});
    if (!bound.empty()) svg.polyline(bound, {bound_colour, 1.4, "5 4"}, "bandwidth bound");
    for (const PlotSeries& series : panel.series) {
      if (!series.measured) draw_line(svg, series, x, y);
    }
    for (const PlotSeries& series : panel.series) {
      if (series.measured) draw_markers(svg, series, x, y);
    }
    svg.end_clip();
  }

  void draw_axes(Svg& svg, const LogAxis& x, const LogAxis& y, Point corner,
                 bool label_left) const {
    const double floor = corner.y + panel_height_, far = corner.x + panel_width_;
    for (const Tick& tick : y.decade_ticks(17)) {
      const double at = y.position(tick.value);
      svg.line({corner.x, at}, {far, at}, {grid, 1, ""});
      if (label_left && !tick.label.empty()) {
        svg.text({corner.x - 8, at + 4}, tick.label, {11.5, quiet_ink, Svg::Anchor::end, false, 0});
      }
    }
    for (const Tick& tick : x.size_ticks(58)) {
      const double at = x.position(tick.value);
      svg.line({at, corner.y}, {at, floor}, {grid, 1, ""});
      if (tick.label.empty()) continue;
      svg.line({at, floor}, {at, floor + 4}, {frame, 1, ""});
      // End labels stay inside the panel, so that neighbours do not meet.
      const Svg::Anchor anchor = tick.value == x.low()    ? Svg::Anchor::start
                                 : tick.value == x.high() ? Svg::Anchor::end
                                                          : Svg::Anchor::middle;
      svg.text({at, floor + 18}, tick.label, {11.5, quiet_ink, anchor, false, 0});
    }
    svg.rectangle(corner, panel_width_, panel_height_, "none", frame);
    svg.text({corner.x + panel_width_ / 2, floor + 36}, "message size",
             {12, quiet_ink, Svg::Anchor::middle, false, 0});
  }

  void draw_bands(Svg& svg, const PlotPanel& panel, const LogAxis& x, const LogAxis& y) const {
    for (const PlotSeries& series : panel.series) {
      if (series.measured || series.points.size() < 2) continue;
      std::vector<Point> outline;
      for (const PlotPoint& p : series.points)
        outline.push_back({x.position(p.bytes), y.position(p.high)});
      for (auto p = series.points.rbegin(); p != series.points.rend(); ++p) {
        outline.push_back({x.position(p->bytes), y.position(p->low)});
      }
      svg.polygon(outline, stroke_of(series.algorithm, 1).colour, 0.13);
    }
  }

  void draw_line(Svg& svg, const PlotSeries& series, const LogAxis& x, const LogAxis& y) const {
    std::vector<Point> points;
    for (const PlotPoint& p : series.points)
      points.push_back({x.position(p.bytes), y.position(p.busbw)});
    const Svg::Stroke stroke = stroke_of(series.algorithm, 2);
    if (points.size() == 1) return svg.circle(points[0], 3, stroke.colour, stroke.colour);
    svg.polyline(points, stroke, spoken(series.algorithm) + ", predicted");
  }

  void draw_markers(Svg& svg, const PlotSeries& series, const LogAxis& x, const LogAxis& y) const {
    const std::string colour = stroke_of(series.algorithm, 1).colour;
    for (const PlotPoint& p : series.points) {
      const double at = x.position(p.bytes);
      svg.line({at, y.position(p.low)}, {at, y.position(p.high)}, {colour, 1.2, ""});
      svg.circle({at, y.position(p.busbw)}, 3.2, "#ffffff", colour,
                 fmt::format("{} measured: {} at {:.4g} GB/s", spoken(series.algorithm),
                             size_text(static_cast<std::int64_t>(p.bytes)), p.busbw));
    }
  }

  const PlotData& data_;
  double width_, panel_width_ = 0, panel_height_ = 0;
  Range sizes_;
  std::vector<LegendEntry> legend_;
};

}  // namespace

std::string render_busbw_svg(const TraceContent& content, const PlotOptions& options) {
  const PlotData data = plot_data(result_rows(content, options.filter));
  if (data.rows.empty()) {
    throw CheckError(
        "nothing to plot (no row of /results has a bandwidth above 0) choose other "
        "rows");
  }
  return Plot(data, std::max(600, options.width)).draw(content);
}

}  // namespace fabricast
