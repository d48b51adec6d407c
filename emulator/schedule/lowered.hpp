// Groups as point-to-point steps (semantics 1.4): what a group phase means as data, and what
// executors without a switch run.
//
// A lowered phase is several of its role, in the order in which a lane executes them, with peers
// that are shifts of the group's digit. expand() lowers the group phases it meets; the forward
// model lowers whole schedules for executors that send to each member. Pure; O(phases * members).
#pragma once

#include <vector>

#include "emulator/schedule/schedule.hpp"

namespace fabricast {

bool has_groups(const Phase& phase);
bool has_groups(const Stage& stage);
bool has_groups(const Schedule& schedule);
// Do switches of domains multicast or reduce for it?
bool is_switched(const Schedule& schedule);

// The phase itself, if it has no group.
std::vector<Phase> lowered(const Phase& phase, const RankSpace& space);
Schedule lowered(const Schedule& schedule);

}  // namespace fabricast
