// Where the machine files that ship with fabricast are.
//
// First of: $FABRICAST_DATA_DIR/machines (when set, nothing else is tried), the installed
// <program>/../share/fabricast/machines, the source tree this program was built from.
// Thread safety: reads the environment.
#pragma once

#include <filesystem>

namespace fabricast {

// Throws UsageError when there is none.
std::filesystem::path machine_directory();

// The directory beside it with the fabrics that machines name.
std::filesystem::path fabric_directory();

}  // namespace fabricast
