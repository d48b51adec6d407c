// Rows of boxes and the wires between them: how every level of a machine is drawn.
//
// A row longer than most_boxes shows its first boxes, dots, and its last. Lengths are px. Pure
// functions apart from what they append to the drawing; O(most_boxes^2).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/base/svg.hpp"

namespace fabricast {

// What all parts of a machine's picture share.
struct PictureStyle {
  static constexpr double width = 1260, margin = 40, left = 255;
  static constexpr const char *ink = "#24292f", *quiet = "#57606a", *wire = "#8c959f",
                              *outline = "#57606a";
  static constexpr const char *gpu_fill = "#dafbe1", *switch_fill = "#ddf4ff",
                              *nic_fill = "#fff8c5", *tier_fill = "#fbefff";
};

struct PictureRow {
  std::string one = "", many = "";  // what a box is: "leaf switch", "leaf switches"
  std::string note = "";            // "one per rail ..."
  std::string fill = PictureStyle::tier_fill;
  std::int64_t count = 0;
  std::string below = "";  // what a link to the row below is: "450 GB/s per GPU"
  std::string label = "";  // of a box: "leaf"
  // Boxes of the row below that hang on one of this; 0: each on all; negative: so many of this row
  // share one of the row below.
  std::int64_t per_box = 0;
  bool coloured = false;  // the wires down from each box have a colour of their own
  // What joins every two boxes, drawn above them: "64 GB/s"; empty: nothing does.
  std::string joined = "";
};

constexpr int most_boxes = 12;

double height_of(const std::vector<PictureRow>& rows);

// From `y` down.
void draw_rows(Svg& svg, double y, const std::vector<PictureRow>& rows);

// Half an ellipse over two points of one height, and a flatter one left of two in one column
// (negative: right).
void draw_arc(Svg& svg, Point from, Point to, double height, const Svg::Stroke& stroke);
void draw_side_arc(Svg& svg, Point from, Point to, double width, const Svg::Stroke& stroke);

// Of `count` things in a picture with room for `most`: the number of each shown, -1 for the dots.
std::vector<std::int64_t> shown_of(std::int64_t count, int most);

}  // namespace fabricast
