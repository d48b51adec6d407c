// The kernels of this process's objects, by the host functions that stand for them.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "tests/ptx_device/module.hpp"

namespace fabricast::ptx {

// The PTX of one object, parsed when one of its kernels is first used.
struct ObjectCode {
  const void* registered = nullptr;
  bool parsed = false;
  std::vector<Kernel> kernels;
};

struct KernelEntry {
  ObjectCode* object = nullptr;
  std::string name;
  mutable std::set<int> devices;  // that have loaded it
};

// Thread safe. Objects register before main(), so nothing here is parsed or refused yet.
ObjectCode* add_object(const void* registered);
void add_kernel(ObjectCode* object, const void* host_function, std::string name);

const KernelEntry* find_entry(const void* host_function);  // nullptr: no kernel
// Throws std::runtime_error: no PTX, or none that the device understands.
const Kernel& kernel_of(const KernelEntry& entry);
// Is this the first use of the kernel on the device?
bool loads_on(const KernelEntry& entry, int device);

}  // namespace fabricast::ptx
