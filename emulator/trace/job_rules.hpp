// The tables /jobs and /job_links as data, for schema.hpp. Const, O(columns).
#pragma once

#include "emulator/trace/schema.hpp"

namespace fabricast {

TableRule jobs_rule();
TableRule job_links_rule();

}  // namespace fabricast
