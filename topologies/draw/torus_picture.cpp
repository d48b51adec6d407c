#include "topologies/draw/torus_picture.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "topologies/draw/picture_rows.hpp"

namespace fabricast {
namespace {

using Style = PictureStyle;

constexpr int most_columns = 8, most_rows = 5, most_planes = 6;
constexpr double wide = 46, high = 26, pitch_x = 76, pitch_y = 58;
constexpr double plane_pitch = 44, plane_wide = 150, plane_high = 22, plane_slant = 40;
constexpr std::string_view letters = "xyzw";
// One for each axis.
constexpr std::array<const char*, 4> colours{"#0072b2", "#d55e00", "#009e73", "#6a3d9a"};

Svg::TextStyle words(double size, const char* colour, Svg::Anchor anchor = Svg::Anchor::start) {
  return {size, colour, anchor, false, 0};
}

const TorusAxis& axis(const DomainSpec& domain, std::size_t i) {
  static const TorusAxis none;
  return i < domain.axes.size() ? domain.axes[i] : none;
}

bool closes(const TorusAxis& axis) { return axis.wraps && axis.size > 2; }

// The link between neighbours that are shown: broken where the dots are.
Svg::Stroke link(std::size_t of_axis, bool broken) {
  return {colours[of_axis], 1.4, broken ? "3 4" : ""};
}

class Plane {
 public:
  Plane(Svg& svg, Point corner, const DomainSpec& domain)
      : svg_(svg),
        corner_(corner),
        x_(axis(domain, 0)),
        y_(axis(domain, 1)),
        columns_(shown_of(x_.size, most_columns)),
        rows_(shown_of(y_.size, most_rows)) {}

  double width() const { return pitch_x * static_cast<double>(columns_.size()); }

  void draw() {
    for (std::size_t r = 0; r < rows_.size(); ++r) draw_line(r);
    for (std::size_t c = 0; c < columns_.size(); ++c) draw_column(c);
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      for (std::size_t c = 0; c < columns_.size(); ++c) draw_member(c, r);
    }
  }

 private:
  Point centre(std::size_t c, std::size_t r) const {
    return {corner_.x + pitch_x * (static_cast<double>(c) + 0.5),
            corner_.y + pitch_y * static_cast<double>(r) + high / 2};
  }

  void draw_line(std::size_t r) {
    if (rows_[r] < 0) return;
    for (std::size_t c = 0; c + 1 < columns_.size(); ++c) {
      svg_.line(centre(c, r), centre(c + 1, r), link(0, columns_[c] < 0 || columns_[c + 1] < 0));
    }
    if (!closes(x_)) return;
    Point from = centre(0, r), to = centre(columns_.size() - 1, r);
    from.y = to.y = from.y - high / 2;
    draw_arc(svg_, from, to, 15, link(0, false));
  }

  void draw_column(std::size_t c) {
    if (columns_[c] < 0) return;
    for (std::size_t r = 0; r + 1 < rows_.size(); ++r) {
      svg_.line(centre(c, r), centre(c, r + 1), link(1, rows_[r] < 0 || rows_[r + 1] < 0));
    }
    if (!closes(y_)) return;
    Point from = centre(c, 0), to = centre(c, rows_.size() - 1);
    from.x = to.x = from.x - wide / 2;
    draw_side_arc(svg_, from, to, 12, link(1, false));
  }

  void draw_member(std::size_t c, std::size_t r) {
    const Point at = centre(c, r);
    if (columns_[c] < 0 || rows_[r] < 0) {
      svg_.rectangle({at.x - 12, at.y - 9}, 24, 18, "#ffffff");
      svg_.text({at.x, at.y + 4}, "...", words(14, Style::quiet, Svg::Anchor::middle));
      return;
    }
    svg_.rectangle({at.x - wide / 2, at.y - high / 2}, wide, high, Style::gpu_fill, Style::outline);
    svg_.text({at.x, at.y + 4}, fmt::format("{}", columns_[c] + x_.size * rows_[r]),
              words(11, Style::ink, Svg::Anchor::middle));
  }

  Svg& svg_;
  Point corner_;
  const TorusAxis &x_, &y_;
  std::vector<std::int64_t> columns_, rows_;
};

// The planes one above another, each a slanted sheet.
void draw_planes(Svg& svg, Point corner, const TorusAxis& z) {
  const auto planes = shown_of(z.size, most_planes);
  const auto middle = [&](std::size_t i) {
    return Point{corner.x + (plane_wide + plane_slant) / 2,
                 corner.y + plane_pitch * static_cast<double>(i) + plane_high / 2};
  };
  for (std::size_t i = planes.size(); i-- > 0;) {
    const Point at = middle(i);
    if (planes[i] < 0) {
      svg.text({at.x, at.y + 4}, "...", words(14, Style::quiet, Svg::Anchor::middle));
      continue;
    }
    const double from = at.x - (plane_wide + plane_slant) / 2, top = at.y - plane_high / 2;
    const std::vector<Point> sheet{{from + plane_slant, top},
                                   {from + plane_slant + plane_wide, top},
                                   {from + plane_wide, top + plane_high},
                                   {from, top + plane_high}};
    svg.polygon(sheet, Style::gpu_fill, 1);
    svg.polyline({sheet[0], sheet[1], sheet[2], sheet[3], sheet[0]}, {Style::outline, 1, ""});
    svg.text({at.x - 20, at.y + 4}, fmt::format("z = {}", planes[i]),
             words(11, Style::ink, Svg::Anchor::middle));
  }
  for (std::size_t i = 0; i + 1 < planes.size(); ++i) {
    const bool broken = planes[i] < 0 || planes[i + 1] < 0;
    for (const double side : {-0.28, 0.28}) {
      const double x = middle(i).x + side * plane_wide;
      svg.line({x, middle(i).y + (planes[i] < 0 ? 0 : plane_high / 2)},
               {x, middle(i + 1).y - (planes[i + 1] < 0 ? 0 : plane_high / 2)}, link(2, broken));
    }
  }
  if (!closes(z)) return;
  Point from = middle(0), to = middle(planes.size() - 1);
  from.x = to.x = from.x + plane_wide / 2;
  draw_side_arc(svg, from, to, -46, link(2, false));
}

}  // namespace

double torus_height(const DomainSpec& domain) {
  const auto rows = shown_of(axis(domain, 1).size, most_rows).size();
  const auto planes =
      domain.axes.size() > 2 ? shown_of(domain.axes[2].size, most_planes).size() : 0;
  return std::max({pitch_y * static_cast<double>(rows) + 12,
                   plane_pitch * static_cast<double>(planes) + 8,
                   24.0 * static_cast<double>(domain.axes.size()) + 60});
}

void draw_torus(Svg& svg, double y, const DomainSpec& domain, const std::string& noun) {
  svg.text({Style::margin, y + 18}, fmt::format("{} {}s", domain.size.value, noun),
           {13, Style::ink, Svg::Anchor::start, true, 0});
  double line = y + 40;
  for (std::size_t i = 0; i < domain.axes.size(); ++i, line += 22) {
    const TorusAxis& at = domain.axes[i];
    if (at.size < 2) continue;
    svg.line({Style::margin, line - 4}, {Style::margin + 16, line - 4}, link(i, false));
    svg.text({Style::margin + 24, line},
             fmt::format("{}: {}, {:.4g} GB/s a link, {}", letters[i], at.size, at.bandwidth.value,
                         closes(at) ? "closed" : "open"),
             words(11, Style::quiet));
  }
  svg.text({Style::margin, line},
           fmt::format("{:.4g} GB/s per {} and direction", domain.bandwidth->value, noun),
           words(11, Style::quiet));
  Plane plane(svg, {Style::left + 20, y + 16}, domain);
  plane.draw();
  if (domain.axes.size() < 3 || domain.axes[2].size < 2) return;
  draw_planes(svg, {Style::left + 20 + plane.width() + 40, y + 10}, domain.axes[2]);
}

}  // namespace fabricast
