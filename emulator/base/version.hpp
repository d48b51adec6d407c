// The version of this program, as CMake's project() states it.
#pragma once

namespace fabricast {

const char* version();  // "0.1.0"

}  // namespace fabricast
