#include "emulator/base/host_name.hpp"

#include <unistd.h>

namespace fabricast {

std::string this_host() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

}  // namespace fabricast
