// What differs around two traces: host, CPU, drivers, versions, load, machine files. Warnings only:
// a comparison across machines is legitimate, but nobody should make one by accident.
//
// Pure function, O(size of both).
#pragma once

#include <string>
#include <vector>

#include "emulator/trace/table.hpp"

namespace fabricast {

// One line each.
std::vector<std::string> environment_warnings(const TraceContent& base, const TraceContent& fresh);

}  // namespace fabricast
