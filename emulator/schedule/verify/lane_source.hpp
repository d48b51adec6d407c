// Where a verifier gets the steps of every lane: a few at a time from a Schedule, or from programs
// that were expanded before (and perhaps broken on purpose, by the mutation tests).
//
// Lanes are numbered rank * roles + role. A bundle is one repetition of a stage on one lane
// (expand.hpp). A source is read only and may be shared by threads; the Cursor belongs to one run.
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/schedule/expand.hpp"
#include "emulator/schedule/placement.hpp"
#include "emulator/schedule/schedule.hpp"

namespace fabricast {

class LaneSource {
 public:
  struct Cursor {
    std::int32_t stage = 0;  // or bundle, for expanded programs
    std::int32_t repetition = 0;
  };

  LaneSource(const Schedule& schedule, const Placement& placement)
      : schedule_(schedule), placement_(placement) {}
  // `programs` must outlive the source: one per lane.
  LaneSource(const Schedule& schedule, const Placement& placement,
             const std::vector<LaneProgram>& programs)
      : schedule_(schedule), placement_(placement), programs_(&programs) {}

  const Schedule& schedule() const { return schedule_; }
  const Placement& placement() const { return placement_; }
  std::int32_t ranks() const { return schedule_.positions(); }
  std::int32_t lanes() const { return ranks() * schedule_.roles; }

  // The next bundle that is not empty; false at the end of the loop.
  bool next_bundle(std::int32_t lane, Cursor& at, LaneProgram& bundle) const;

 private:
  const Schedule& schedule_;
  const Placement& placement_;
  const std::vector<LaneProgram>* programs_ = nullptr;
};

// All programs of a schedule, by lane number.
std::vector<LaneProgram> expand_all(const Schedule& schedule, const Placement& placement);

}  // namespace fabricast
