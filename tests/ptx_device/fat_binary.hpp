// The PTX text in what nvcc embeds in an object.
#pragma once

#include <string_view>

namespace fabricast::ptx {

// That of the oldest architecture, if there are several. `registered` is what an object passes to
// __cudaRegisterFatBinary. Throws std::runtime_error: not such a structure, no PTX in it, or only a
// compressed one (nvcc -no-compress).
std::string_view ptx_of(const void* registered);

}  // namespace fabricast::ptx
