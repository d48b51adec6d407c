#include "emulator/base/version.hpp"

namespace fabricast {

const char* version() { return FABRICAST_VERSION; }

}  // namespace fabricast
