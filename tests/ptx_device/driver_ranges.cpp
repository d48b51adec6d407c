// What the made-up driver maps becomes memory of the PTX device.
#include "tests/ptx_device/address_space.hpp"
#include "tests/ptx_device/gpu_memory.hpp"
#include "tests/unit/runtime/fakes/fake_driver.hpp"

namespace fabricast::fakes {

void mapped_memory(std::byte* data, std::size_t bytes) { ptx::add_mapped(data, bytes); }
void mapped_object(const MappedObject& object) {
  ptx::address_space().add_multicast(object.address, object.bytes, object.memories);
}
void unmapped(std::uintptr_t address) {
  if (ptx::address_space().members_at(address, 1).empty()) {
    ptx::remove_mapped(reinterpret_cast<const std::byte*>(address));
  } else {
    ptx::address_space().remove(address);
  }
}

}  // namespace fabricast::fakes
