// The rule of /library_choice: what a collective library itself chose, and two estimates of it.
//
// Const data.
#pragma once

#include "emulator/trace/schema.hpp"

namespace fabricast {

TableRule library_choice_rule();

}  // namespace fabricast
