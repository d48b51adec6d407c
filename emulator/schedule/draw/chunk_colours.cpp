#include "emulator/schedule/draw/chunk_colours.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace fabricast {
namespace {

// Channel of an HSL colour (W3C CSS Color 3, 4.2.4), 0 to 1.
double channel(double hue, double saturation, double lightness, double offset) {
  const double k = std::fmod(offset + hue / 30, 12);
  const double a = saturation * std::min(lightness, 1 - lightness);
  return lightness - a * std::clamp(std::min(k - 3, 9 - k), -1.0, 1.0);
}

}  // namespace

std::string chunk_colour(std::int32_t index, std::int32_t count, double strength) {
  const double hue = 360.0 * index / std::max(count, 1) + 210;  // begins with a blue
  // Neighbours differ in lightness too: greens and yellows are hard to tell apart otherwise.
  const double lightness = index % 2 == 0 ? 0.42 : 0.54;
  std::string text = "#";
  for (const double offset : std::array<double, 3>{0, 8, 4}) {
    const double full = channel(std::fmod(hue, 360), 0.62, lightness, offset);
    const double mixed = 1 - (1 - full) * strength;
    text += fmt::format("{:02x}", static_cast<int>(std::lround(255 * mixed)));
  }
  return text;
}

}  // namespace fabricast
