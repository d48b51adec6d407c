// docs/machine-list.md: every machine that ships, with the open doubts of its sources.
#pragma once

#include <string>

namespace fabricast {

// The whole page. Loads every shipped machine.
std::string machine_list_markdown();

}  // namespace fabricast
