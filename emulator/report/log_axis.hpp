// A logarithmic axis: where a value lies, and which ticks people can read.
//
// Invariant: 0 < low < high. Value type, pure functions.
#pragma once

#include <string>
#include <vector>

namespace fabricast {

struct Tick {
  double value = 0;
  std::string label;  // empty: a grid line only
};

class LogAxis {
 public:
  // The interval [low, high] drawn from `from` to `to` (px, either direction).
  LogAxis(double low, double high, double from, double to);

  double position(double value) const;
  double low() const { return low_; }
  double high() const { return high_; }

  // Powers of 1024 and both ends, for sizes in bytes; powers of 32, 4 or 2 where fewer than two of
  // the coarser ones lie between the ends. Labels at least `gap` px apart, the ends first.
  std::vector<Tick> size_ticks(double gap) const;
  // Powers of ten, labels at least `gap` px apart.
  std::vector<Tick> decade_ticks(double gap) const;

 private:
  double low_, high_, from_, to_;
};

}  // namespace fabricast
