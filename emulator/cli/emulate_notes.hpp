// Lines that emulate prints below its rows: what a reader of the rows alone would not know.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/coordinator/emulate.hpp"
#include "emulator/coordinator/scenario.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

// What differs from the machine as its file has it (--set, --slow, --slots); empty: nothing.
std::string what_if_text(const std::vector<std::string>& set, const std::vector<std::string>& slow,
                         std::int32_t slots);

// Under the nccl executor, the algorithms among the rows that NCCL itself would not take here
// (library_has); empty: none.
std::string not_of_the_library(const Scenario& scenario, const Topology& topology,
                               const Emulation& emulation);

}  // namespace fabricast
