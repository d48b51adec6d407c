// The name of this machine, for telling processes of one host from those of others.
#pragma once

#include <string>

namespace fabricast {

// "unknown" if the system does not say.
std::string this_host();

}  // namespace fabricast
