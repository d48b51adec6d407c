#include "emulator/base/contracts.hpp"

#include <cstdio>
#include <cstdlib>

namespace fabricast {

void contract_failed(const char* kind, const char* condition, const char* message, const char* file,
                     int line) {
  std::fprintf(stderr, "fabricast: %s failed at %s:%d: %s (%s). This is a bug in fabricast.\n", kind,
               file, line, message, condition);
  std::abort();
}

}  // namespace fabricast
