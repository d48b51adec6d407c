// The tables /steps and /step_coverage as data, for schema.hpp. Const, O(columns).
#pragma once

#include "emulator/trace/schema.hpp"

namespace fabricast {

TableRule steps_rule();
TableRule step_coverage_rule();

}  // namespace fabricast
