// What tests ask of the made-up CUDA driver (fake_driver.cpp).
#pragma once

#include <string>
#include <vector>

namespace fabricast::fakes {

// The call of that name fails with CUDA_ERROR_NOT_PERMITTED from now on; "": none does.
void fail_driver_call(const std::string& name);
// Handles, mappings, reserved addresses and bindings that nobody has given back.
int driver_objects_alive();
// The names of the calls so far, in order.
std::vector<std::string>& driver_calls();

}  // namespace fabricast::fakes
