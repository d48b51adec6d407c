#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "emulator/base/svg.hpp"
#include "emulator/validate/scores.hpp"
#include "emulator/validate/validation_report.hpp"

namespace fabricast {
namespace {

constexpr double width = 420, height = 250, left = 52, right = 12, top = 14, bottom = 36;
constexpr const char* measured_colour = "#1f2328";
constexpr const char* predicted_colour = "#c2410c";
constexpr const char* grid_colour = "#e3e6ea";

constexpr const char* page_head = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Predicted and published collectives</title><style>
body{font:15px/1.5 system-ui,sans-serif;color:#1f2328;max-width:1320px;margin:2em auto;padding:0 1em}
table{border-collapse:collapse;margin:.8em 0}td,th{padding:.25em .8em;border-bottom:1px solid #e3e6ea;
text-align:right}td:first-child,th:first-child{text-align:left}.no{color:#b42318}.yes{color:#067647}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(400px,1fr));gap:1em}
figure{margin:0;border:1px solid #e3e6ea;border-radius:6px;padding:.6em}figcaption{font-size:13px;
overflow-wrap:anywhere}svg{width:100%;height:auto}summary{font-size:1.2em;cursor:pointer}
</style></head><body><h1>Predicted and published collectives</h1>
<p>Error of a table: median over its sizes of |ln(predicted / measured)|. Curves are time against size, both logarithmic:
<b style="color:#1f2328">measured</b>, <b style="color:#c2410c">predicted</b> with its nominal 90 % interval.
The dumb baseline of each discipline is what the prediction must beat.</p>
)";

struct Range {
  double least = 1e300, most = -1e300;
  void add(double value) {
    least = std::min(least, value);
    most = std::max(most, value);
  }
};

std::string size_name(double bytes) {
  const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit < 4; bytes /= 1024) ++unit;
  return fmt::format("{:.0f} {}", bytes, units[unit]);
}

std::string time_name(double us) {
  if (us >= 1e6) return fmt::format("{:g} s", us / 1e6);
  return us >= 1e3 ? fmt::format("{:g} ms", us / 1e3) : fmt::format("{:g} us", us);
}

using Place = std::function<Point(double bytes, double time)>;

void draw_axes(Svg& svg, const Range& x, const Range& y, const Place& place) {
  const Svg::TextStyle small{11, "#59636e", Svg::Anchor::middle, false, 0};
  const Svg::TextStyle side{11, "#59636e", Svg::Anchor::end, false, 0};
  for (double decade = std::ceil(y.least / std::log(10.0)); decade * std::log(10.0) <= y.most;
       ++decade) {
    const double time = std::pow(10.0, decade);
    const double at = place(std::exp(x.least), time).y;
    svg.line({left, at}, {width - right, at}, {grid_colour, 1, ""});
    svg.text({left - 5, at + 4}, time_name(time), side);
  }
  for (int power = 0; power <= 40; power += 5) {
    const double bytes = std::pow(2.0, power);
    if (std::log(bytes) < x.least || std::log(bytes) > x.most) continue;
    const double at = place(bytes, std::exp(y.least)).x;
    svg.line({at, top}, {at, height - bottom}, {grid_colour, 1, ""});
    svg.text({at, height - bottom + 16}, size_name(bytes), small);
  }
}

std::string curve(const JudgedTable& judged, const std::string& title) {
  Range x, y;
  for (const JudgedPoint& point : judged.points) {
    x.add(std::log(point.bytes));
    y.add(std::log(point.measured_us));
    y.add(std::log(point.predicted_us));
  }
  x.most = std::max(x.most, x.least + 1);
  y.least -= 0.3;
  y.most += 0.3;
  const Place place = [&](double bytes, double time) {
    return Point{left + (std::log(bytes) - x.least) / (x.most - x.least) * (width - left - right),
                 height - bottom -
                     (std::log(time) - y.least) / (y.most - y.least) * (height - top - bottom)};
  };
  Svg svg(width, height, title, "time against size, measured and predicted");
  draw_axes(svg, x, y, place);
  std::vector<Point> predicted, band, lower;
  for (const JudgedPoint& point : judged.points) {
    const double half = 1.645 * point.sigma;
    predicted.push_back(place(point.bytes, point.predicted_us));
    band.push_back(place(point.bytes, point.predicted_us * std::exp(half)));
    lower.push_back(place(point.bytes, point.predicted_us * std::exp(-half)));
  }
  band.insert(band.end(), lower.rbegin(), lower.rend());
  svg.begin_clip({left, top}, width - left - right, height - top - bottom);
  svg.polygon(band, predicted_colour, 0.12);
  svg.polyline(predicted, {predicted_colour, 2, ""});
  svg.end_clip();
  for (const JudgedPoint& point : judged.points) {
    const std::string tip =
        fmt::format("{}: measured {:.4g} us, predicted {:.4g} us, {} {}", size_name(point.bytes),
                    point.measured_us, point.predicted_us, to_string(point.choice.algorithm),
                    to_string(point.choice.protocol));
    svg.circle(place(point.bytes, point.measured_us), 3, measured_colour, "none", tip);
  }
  return svg.finish();
}

std::string figure(const Validation& validation, const JudgedTable& judged) {
  const PublishedTable& table = validation.tables[judged.table];
  const std::string title = fmt::format("{}: {} of {} GPUs", table.column("system"),
                                        to_string(table.collective), table.ranks);
  std::string errors;
  for (const SizeBand& band : size_bands()) {
    const auto error = table_error(judged, band, Scored::prediction);
    if (error) errors += fmt::format(" · {} {:.0f} %", band.name, 100 * *error);
  }
  return fmt::format("<figure>{}<figcaption><b>{}</b>{}</figcaption></figure>\n",
                     curve(judged, title), xml_escaped(title), xml_escaped(errors));
}

std::string target_table(const Validation& validation) {
  std::string text =
      "<table><tr><th>target</th><th>tables</th><th>median</th><th>baseline</th><th>wanted</th>"
      "<th>tables within</th><th>wanted</th><th>met</th></tr>\n";
  for (const TargetScore& target : target_scores(validation)) {
    text += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{:.1f} %</td><td>{:.1f} %</td><td>{:.0f} %</td><td>{:.0f} % "
        "in {:.0f} %</td><td>{:.0f} %</td><td class=\"{}\">{}</td></tr>\n",
        xml_escaped(target.name), target.score.tables, 100 * target.score.median,
        100 * target.baseline.median, 100 * target.target_median,
        100 * target.score.part_within(target.target_bound), 100 * target.target_bound,
        100 * target.target_part, target.met() ? "yes" : "no", target.met() ? "yes" : "no");
  }
  return text + "</table>\n";
}

std::string discipline_section(const Validation& validation, Discipline discipline) {
  std::vector<const JudgedTable*> tables;
  for (const JudgedTable& table : validation.judged) {
    if (table.discipline == discipline) tables.push_back(&table);
  }
  if (tables.empty()) return {};
  const auto error = [](const JudgedTable* table) {
    return table_error(*table, size_bands()[0], Scored::prediction).value_or(0);
  };
  std::stable_sort(tables.begin(), tables.end(),
                   [&](auto* a, auto* b) { return error(a) > error(b); });
  std::string text = fmt::format(
      "<details open><summary>{}: {} tables, worst first</summary><div class=\"grid\">\n",
      to_string(discipline), tables.size());
  for (const JudgedTable* table : tables) text += figure(validation, *table);
  return text + "</div></details>\n";
}

}  // namespace

std::string render_validation_html(const Validation& validation) {
  std::string page = page_head + target_table(validation);
  for (const Discipline discipline : all_disciplines) {
    page += discipline_section(validation, discipline);
  }
  if (!validation.skipped.empty()) page += "<h2>Skipped</h2><ul>\n";
  for (const SkippedTable& skipped : validation.skipped) {
    page += fmt::format("<li>{}: {}</li>\n",
                        xml_escaped(validation.tables[skipped.table].column("file")),
                        xml_escaped(skipped.reason));
  }
  if (!validation.skipped.empty()) page += "</ul>\n";
  return page + "</body></html>\n";
}

}  // namespace fabricast
