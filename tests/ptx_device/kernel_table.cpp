#include "tests/ptx_device/kernel_table.hpp"

#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "tests/ptx_device/fat_binary.hpp"

namespace fabricast::ptx {
namespace {

struct Table {
  std::mutex mutex;
  std::map<const void*, KernelEntry> entries;
};

// Never destroyed: streams may still run when the process ends.
Table& table() {
  static Table& only = *new Table;
  return only;
}

}  // namespace

ObjectCode* add_object(const void* registered) {
  auto* object = new ObjectCode;  // as long as the process
  object->registered = registered;
  return object;
}

void add_kernel(ObjectCode* object, const void* host_function, std::string name) {
  const std::lock_guard lock(table().mutex);
  table().entries[host_function] = {object, std::move(name), {}};
}

const KernelEntry* find_entry(const void* host_function) {
  const std::lock_guard lock(table().mutex);
  const auto found = table().entries.find(host_function);
  return found == table().entries.end() ? nullptr : &found->second;
}

const Kernel& kernel_of(const KernelEntry& entry) {
  const std::lock_guard lock(table().mutex);
  ObjectCode& object = *entry.object;
  if (!object.parsed) {
    object.kernels = parse(ptx_of(object.registered));
    object.parsed = true;
  }
  for (const Kernel& kernel : object.kernels) {
    if (kernel.name == entry.name) return kernel;
  }
  throw std::runtime_error("the PTX of an object lacks its kernel " + entry.name);
}

bool loads_on(const KernelEntry& entry, int device) {
  const std::lock_guard lock(table().mutex);
  return entry.devices.insert(device).second;
}

}  // namespace fabricast::ptx
