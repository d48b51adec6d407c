#include "emulator/base/svg.hpp"

#include <fmt/format.h>

namespace fabricast {
namespace {

std::string points_text(const std::vector<Point>& points) {
  std::string text;
  for (const Point& p : points) {
    text += fmt::format("{}{:.1f},{:.1f}", text.empty() ? "" : " ", p.x, p.y);
  }
  return text;
}

std::string stroke_text(const Svg::Stroke& stroke) {
  return fmt::format("stroke=\"{}\" stroke-width=\"{:.2f}\"{}", stroke.colour, stroke.width,
                     stroke.dashes.empty() ? "" : " stroke-dasharray=\"" + stroke.dashes + "\"");
}

// An element that shows a tooltip in a browser, or a plain one.
std::string closed(std::string_view tooltip, const char* name) {
  return tooltip.empty() ? std::string("/>\n")
                         : fmt::format("><title>{}</title></{}>\n", xml_escaped(tooltip), name);
}

}  // namespace

std::string xml_escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        // XML 1.0 has no control characters but these.
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\n') result += c;
    }
  }
  return result;
}

Svg::Svg(double width, double height, std::string_view title, std::string_view description) {
  body_ = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
      "viewBox=\"0 0 {0:.0f} {1:.0f}\" role=\"img\" font-family=\"Helvetica, Arial, 'Liberation "
      "Sans', 'DejaVu Sans', sans-serif\">\n<title>{2}</title>\n<desc>{3}</desc>\n",
      width, height, xml_escaped(title), xml_escaped(description));
}

void Svg::rectangle(Point corner, double width, double height, const std::string& fill,
                    const std::string& outline) {
  body_ += fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\" "
      "stroke=\"{}\"/>\n",
      corner.x, corner.y, width, height, fill, outline);
}

void Svg::line(Point from, Point to, const Stroke& stroke) {
  body_ += fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>\n",
                       from.x, from.y, to.x, to.y, stroke_text(stroke));
}

void Svg::polyline(const std::vector<Point>& points, const Stroke& stroke,
                   std::string_view tooltip) {
  body_ += fmt::format("<polyline points=\"{}\" fill=\"none\" stroke-linejoin=\"round\" {}{}",
                       points_text(points), stroke_text(stroke), closed(tooltip, "polyline"));
}

void Svg::polygon(const std::vector<Point>& points, const std::string& fill, double opacity) {
  body_ += fmt::format("<polygon points=\"{}\" fill=\"{}\" fill-opacity=\"{:.2f}\"/>\n",
                       points_text(points), fill, opacity);
}

void Svg::circle(Point centre, double radius, const std::string& fill, const std::string& outline,
                 std::string_view tooltip) {
  body_ +=
      fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" fill=\"{}\" stroke=\"{}\"{}",
                  centre.x, centre.y, radius, fill, outline, closed(tooltip, "circle"));
}

void Svg::text(Point at, std::string_view words, const TextStyle& style) {
  const char* anchor = style.anchor == Anchor::start    ? "start"
                       : style.anchor == Anchor::middle ? "middle"
                                                        : "end";
  body_ += fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{:.1f}\" fill=\"{}\" "
      "text-anchor=\"{}\"{}{}>{}</text>\n",
      at.x, at.y, style.size, style.colour, anchor, style.bold ? " font-weight=\"bold\"" : "",
      style.rotate == 0
          ? ""
          : fmt::format(" transform=\"rotate({:.0f} {:.1f} {:.1f})\"", style.rotate, at.x, at.y),
      xml_escaped(words));
}

void Svg::heading(Point at, std::string_view strong, std::string_view rest,
                  const TextStyle& rest_style, const TextStyle& strong_style) {
  body_ += fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\"><tspan font-size=\"{:.1f}\" fill=\"{}\" "
      "font-weight=\"bold\">{}</tspan><tspan dx=\"14\" font-size=\"{:.1f}\" "
      "fill=\"{}\">{}</tspan></text>\n",
      at.x, at.y, strong_style.size, strong_style.colour, xml_escaped(strong), rest_style.size,
      rest_style.colour, xml_escaped(rest));
}

void Svg::begin_clip(Point corner, double width, double height) {
  const int id = ++clips_;
  body_ += fmt::format(
      "<clipPath id=\"panel{0}\"><rect x=\"{1:.1f}\" y=\"{2:.1f}\" width=\"{3:.1f}\" "
      "height=\"{4:.1f}\"/></clipPath>\n<g clip-path=\"url(#panel{0})\">\n",
      id, corner.x, corner.y, width, height);
}

void Svg::end_clip() { body_ += "</g>\n"; }

std::string Svg::finish() const { return body_ + "</svg>\n"; }

}  // namespace fabricast
