// What tests ask of the made-up CUDA driver (fake_driver.cpp), and what it tells who executes
// kernels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace fabricast::fakes {

// The call of that name fails with CUDA_ERROR_NOT_PERMITTED from now on; "": none does.
void fail_driver_call(const std::string& name);
// Handles, mappings, reserved addresses and bindings that nobody has given back.
int driver_objects_alive();
// The names of the calls so far, in order.
std::vector<std::string>& driver_calls();

// A multicast object at its address, where nothing is mapped, and where its members' memories are.
struct MappedObject {
  std::uintptr_t address = 0;
  std::size_t bytes = 0;
  std::vector<std::byte*> memories;  // in the order in which GPUs were added
  std::uint64_t own = 0;             // of them
};

// For the driver to call: defined by who executes kernels.
void mapped_memory(std::byte* data, std::size_t bytes);
void mapped_object(const MappedObject& object);
void unmapped(std::uintptr_t address);

}  // namespace fabricast::fakes
