// Spreads a time budget over the conditions of a sweep without ever cutting one below its floor.
//
// A condition is either measured with at least the floor of its stopping rule or not at all: a size
// that got three iterations because time ran out would look like a measurement. What does not fit
// is named by the caller. Value type; pure arithmetic on seconds the caller measured.
#pragma once

namespace fabricast {

class TimeBudget {
 public:
  // seconds <= 0: no limit.
  explicit TimeBudget(double seconds) : seconds_(seconds) {}

  bool limited() const { return seconds_ > 0; }

  // May a condition that needs `floor_seconds` at least begin, `elapsed` seconds into the sweep and
  // with `promised` seconds for the floors of conditions admitted earlier?
  bool admits(double elapsed, double promised, double floor_seconds) const {
    return !limited() || elapsed + promised + floor_seconds <= seconds_;
  }

  // Ceiling for the next condition: an equal share of what is left after the promises to the
  // others, at most `max_seconds`. What a condition does not use is there for the later ones.
  double ceiling(double elapsed, double promised_to_others, int conditions_left,
                 double max_seconds) const {
    if (!limited()) return max_seconds;
    const double spare = seconds_ - elapsed - promised_to_others;
    const double share = spare > 0 ? spare / conditions_left : 0;
    return share < max_seconds ? share : max_seconds;
  }

 private:
  double seconds_;
};

}  // namespace fabricast
