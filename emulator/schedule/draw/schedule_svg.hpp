// A picture of an algorithm at few ranks: columns are positions (ranks, where the positions of a
// domain lie apart), rows are rounds (rounds.hpp); domains are shaded.
//
// Every rank has its output buffer (and scratch) drawn after each round, chunks coloured by whose
// data they hold, pale while a sum is incomplete; arrows are messages. Equal input gives equal
// bytes. Pure.
#pragma once

#include <string>

#include "emulator/schedule/placement.hpp"
#include "emulator/schedule/schedule.hpp"

namespace fabricast {

// `domain`: ranks of one. `title` is the heading. Throws as rounds_of.
std::string render_schedule_svg(const Schedule& schedule, const Placement& placement,
                                std::int32_t domain, const std::string& title);

}  // namespace fabricast
