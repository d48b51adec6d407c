// Numbers of a machine file that no row of a run can depend on (R8: no silent parameters).
//
// By the key they have in the file, "node." before those of a nested machine's node. A number that is
// not listed changes some row of some run on the machine: tests/integration/parameters_test.py tries
// each, both ways. Pure function, thread safe.
#pragma once

#include <string>
#include <vector>

#include "emulator/profile/sample.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

// `used` is `whole` or its first ranks. Empty for machines that were not built from a file.
std::vector<std::string> unused_numbers(const Topology& whole, const Topology& used,
                                        ExecutorKind executor);

}  // namespace fabricast
