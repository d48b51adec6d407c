#include "topologies/draw/picture_rows.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

namespace fabricast {
namespace {

using Style = PictureStyle;

constexpr double box_high = 40, step = 110, arcs_high = 84;

// For eyes of all kinds (M. Okabe, K. Ito, 2008), and two more.
constexpr std::array<const char*, 8> rail_colours{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                  "#e69f00", "#56b4e9", "#8c564b", "#6a3d9a"};

Svg::TextStyle words(double size, const char* colour, bool bold = false,
                     Svg::Anchor anchor = Svg::Anchor::start) {
  return {size, colour, anchor, bold, 0};
}

// Where the boxes of a row are.
struct Places {
  std::vector<double> at;             // their centres
  std::vector<std::int64_t> numbers;  // -1: the dots
  double box = 0;                     // width

  explicit Places(std::int64_t count) : numbers(shown_of(count, most_boxes)) {
    const double room = Style::width - Style::margin - Style::left;
    const double pitch = room / static_cast<double>(numbers.size());
    box = std::min(pitch - 10, count == 1 ? room : 92.0);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      at.push_back(Style::left + pitch * (static_cast<double>(i) + 0.5));
    }
  }

  // Where item `number` is drawn: at its own box, or at the dots.
  double of(std::int64_t number) const {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] == number) return at[i];
    }
    return at[at.size() - 2];
  }
};

double headroom(const PictureRow& row) { return row.joined.empty() ? 0 : arcs_high; }

void draw_wires(Svg& svg, double from, double to, const PictureRow& row, const PictureRow& below) {
  const Places up(row.count), down(below.count);
  for (std::size_t i = 0; i < up.at.size(); ++i) {
    if (up.numbers[i] < 0) continue;
    Svg::Stroke stroke{Style::wire, 1.1, ""};
    if (row.coloured) {
      stroke.colour = rail_colours[static_cast<std::size_t>(up.numbers[i]) % rail_colours.size()];
    }
    if (row.per_box < 0) {  // the boxes above share those below
      svg.line({up.at[i], from}, {down.of(up.numbers[i] / -row.per_box), to}, stroke);
      continue;
    }
    for (std::size_t j = 0; j < down.at.size(); ++j) {
      const std::int64_t number = down.numbers[j];
      if (number < 0) continue;
      if (row.per_box > 0 && row.count > 1 &&
          std::min(number / row.per_box, row.count - 1) != up.numbers[i]) {
        continue;
      }
      // A wide box is met straight above.
      svg.line({row.count == 1 ? down.at[j] : up.at[i], from}, {down.at[j], to}, stroke);
    }
  }
}

void draw_joined(Svg& svg, double y, const PictureRow& row) {
  const Places places(row.count);
  const double widest = places.at.back() - places.at.front();
  for (std::size_t i = 0; i < places.at.size(); ++i) {
    for (std::size_t j = i + 1; j < places.at.size(); ++j) {
      if (places.numbers[i] < 0 || places.numbers[j] < 0) continue;
      const double high = 10 + (arcs_high - 20) * (places.at[j] - places.at[i]) / widest;
      draw_arc(svg, {places.at[i], y}, {places.at[j], y}, high, {Style::wire, 0.9, ""});
    }
  }
  svg.text({Style::margin, y - 38}, "every two joined:", words(11, Style::quiet));
  svg.text({Style::margin, y - 22}, row.joined, words(11, Style::quiet));
}

void draw_boxes(Svg& svg, double y, const PictureRow& row) {
  const Places places(row.count);
  for (std::size_t i = 0; i < places.at.size(); ++i) {
    const std::int64_t number = places.numbers[i];
    if (number < 0) {
      svg.text({places.at[i], y + 25}, "...", words(16, Style::quiet, true, Svg::Anchor::middle));
      continue;
    }
    svg.rectangle({places.at[i] - places.box / 2, y}, places.box, box_high, row.fill,
                  Style::outline);
    svg.text({places.at[i], y + 25},
             row.count == 1 ? row.label : fmt::format("{} {}", row.label, number),
             words(12, Style::ink, false, Svg::Anchor::middle));
  }
}

}  // namespace

std::vector<std::int64_t> shown_of(std::int64_t count, int most) {
  std::vector<std::int64_t> numbers;
  const bool cut = count > most;
  for (std::int64_t i = 0; i < (cut ? most - 2 : count); ++i) numbers.push_back(i);
  if (cut) numbers.insert(numbers.end(), {-1, count - 1});
  return numbers;
}

void draw_arc(Svg& svg, Point from, Point to, double height, const Svg::Stroke& stroke) {
  constexpr int pieces = 24;
  std::vector<Point> points;
  for (int i = 0; i <= pieces; ++i) {
    const double angle = std::numbers::pi * i / pieces;
    points.push_back({(from.x + to.x) / 2 + (from.x - to.x) / 2 * std::cos(angle),
                      from.y - height * std::sin(angle)});
  }
  svg.polyline(points, stroke);
}

void draw_side_arc(Svg& svg, Point from, Point to, double width, const Svg::Stroke& stroke) {
  constexpr int pieces = 32;
  std::vector<Point> points;
  for (int i = 0; i <= pieces; ++i) {
    const double angle = std::numbers::pi * i / pieces;
    const double along = std::cos(angle);
    const double flat = std::copysign(std::sqrt(std::abs(along)), along);  // |x|^4 + |y|^4 = 1
    points.push_back({from.x - width * std::sqrt(std::max(0.0, std::sin(angle))),
                      (from.y + to.y) / 2 + (from.y - to.y) / 2 * flat});
  }
  svg.polyline(points, stroke);
}

double height_of(const std::vector<PictureRow>& rows) {
  double height = 0;
  for (const PictureRow& row : rows) height += headroom(row) + step;
  return rows.empty() ? 0 : height - step + box_high;
}

void draw_rows(Svg& svg, double y, const std::vector<PictureRow>& rows) {
  for (std::size_t r = 0; r < rows.size(); ++r, y += step) {
    const PictureRow& row = rows[r];
    y += headroom(row);
    if (!row.joined.empty()) draw_joined(svg, y, row);
    if (r + 1 < rows.size()) {
      draw_wires(svg, y + box_high, y + step + headroom(rows[r + 1]), row, rows[r + 1]);
    }
    draw_boxes(svg, y, row);
    svg.text({Style::margin, y + 18},
             fmt::format("{} {}", row.count, row.count == 1 ? row.one : row.many),
             words(13, Style::ink, true));
    svg.text({Style::margin, y + 36}, row.note, words(11, Style::quiet));
    if (!row.below.empty()) svg.text({Style::margin, y + 76}, row.below, words(11, Style::quiet));
  }
}

}  // namespace fabricast
