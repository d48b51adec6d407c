// The tables /ensemble and /ensemble_members as data, for schema.hpp. Const, O(columns).
#pragma once

#include "emulator/trace/schema.hpp"

namespace fabricast {

TableRule ensemble_rule();
TableRule ensemble_members_rule();

}  // namespace fabricast
