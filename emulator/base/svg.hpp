// A small SVG writer: shapes are appended in drawing order, text is escaped, coordinates are px.
//
// Numbers print with one decimal, so equal drawings give equal bytes. Not thread safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fabricast {

struct Point {
  double x = 0, y = 0;
};

class Svg {
 public:
  enum class Anchor { start, middle, end };

  struct TextStyle {
    double size = 12;
    std::string colour = "#3c434d";
    Anchor anchor = Anchor::start;
    bool bold = false;
    double rotate = 0;  // degrees, around the text's own point
  };

  struct Stroke {
    std::string colour;
    double width = 1;
    std::string dashes;  // "5 4", or empty for a solid line
  };

  Svg(double width, double height, std::string_view title, std::string_view description);

  void rectangle(Point corner, double width, double height, const std::string& fill,
                 const std::string& outline = "none");
  void line(Point from, Point to, const Stroke& stroke);
  void polyline(const std::vector<Point>& points, const Stroke& stroke,
                std::string_view tooltip = "");
  void polygon(const std::vector<Point>& points, const std::string& fill, double opacity);
  void circle(Point centre, double radius, const std::string& fill, const std::string& outline,
              std::string_view tooltip = "");
  void text(Point at, std::string_view words, const TextStyle& style);
  // A bold beginning and its quieter continuation on one line, whatever the font's widths.
  void heading(Point at, std::string_view strong, std::string_view rest,
               const TextStyle& rest_style, const TextStyle& strong_style);
  // Shapes between these are cut at the rectangle.
  void begin_clip(Point corner, double width, double height);
  void end_clip();

  std::string finish() const;

 private:
  std::string body_;
  int clips_ = 0;
};

std::string xml_escaped(std::string_view text);

}  // namespace fabricast
