// A schedule whose groups are point-to-point steps: what executors without a switch run.
//
// Step for step what expand() makes of a group phase (semantics 1.4), as phases over shifts of the
// digit. For timing: chunk numbers are not kept, only counts. Pure; O(phases * members).
#pragma once

#include "emulator/schedule/schedule.hpp"

namespace fabricast {

bool has_groups(const Stage& stage);
bool has_groups(const Schedule& schedule);
Schedule lowered(const Schedule& schedule);

}  // namespace fabricast
