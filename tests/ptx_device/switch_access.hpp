// Accesses through the address of a multicast object: what an NVSwitch does with them.
#pragma once

#include <cstdint>

#include "tests/ptx_device/address_space.hpp"
#include "tests/ptx_device/code.hpp"

namespace fabricast::ptx {

// load_reduce: sets in.width values, each the reduction over all members' memories. Stores and
// reductions: takes them. Throws std::runtime_error if `at` is of no multicast object.
void access_switch(const Instruction& in, Address at, std::uint64_t* values);
[[noreturn]] void no_multicast_object();  // throws it

}  // namespace fabricast::ptx
