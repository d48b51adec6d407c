// What a collective promises: whose contributions belong into which chunk of the output (semantics
// 1.5, 2.8).
//
// Chunk numbers are the schedule's; ranks are ranks. O(1) per question. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "emulator/schedule/placement.hpp"
#include "emulator/schedule/schedule.hpp"

namespace fabricast {

// Chunk `chunk` of the input of `rank`; rank -1: of every rank, reduced.
struct Promised {
  std::int32_t rank = -1;
  std::int32_t chunk = 0;
};

class Promise {
 public:
  Promise(const Schedule& schedule, const Placement& placement, std::int32_t root)
      : schedule_(schedule), placement_(placement), root_(root) {}

  // What output chunk `chunk` of `rank` must hold in the end; nothing promised: nullopt.
  std::optional<Promised> output(std::int32_t rank, std::int32_t chunk) const;
  // Does the rank's buffer contain this chunk at all?
  bool has_input(std::int32_t rank, std::int32_t chunk) const;
  bool has_output(std::int32_t rank, std::int32_t chunk) const;

 private:
  std::int32_t owner(std::int32_t chunk) const {
    return placement_.rank_at(schedule_.owner_of_chunk(chunk));
  }
  const Schedule& schedule_;
  const Placement& placement_;
  std::int32_t root_;
};

}  // namespace fabricast
