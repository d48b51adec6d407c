#include "tests/ptx_device/address_space.hpp"

#include <mutex>

namespace fabricast::ptx {

void AddressSpace::add(const void* begin, std::size_t bytes, bool across) {
  const std::unique_lock lock(mutex_);
  ranges_[reinterpret_cast<Address>(begin)] = {bytes, across, {}};
}

void AddressSpace::add_multicast(Address begin, std::size_t bytes,
                                 std::vector<std::byte*> members) {
  const std::unique_lock lock(mutex_);
  ranges_[begin] = {bytes, true, std::move(members)};
}

void AddressSpace::remove(Address begin) {
  const std::unique_lock lock(mutex_);
  ranges_.erase(begin);
}

const AddressSpace::Range* AddressSpace::find(Address at, std::size_t bytes, Address& begin) const {
  auto next = ranges_.upper_bound(at);
  if (next == ranges_.begin()) return nullptr;
  --next;
  begin = next->first;
  return at + bytes <= begin + next->second.bytes ? &next->second : nullptr;
}

AddressSpace::Memory AddressSpace::memory_at(Address at, std::size_t bytes) const {
  const std::shared_lock lock(mutex_);
  Address begin = 0;
  const Range* found = find(at, bytes, begin);
  if (found == nullptr || !found->members.empty()) return {};
  return {begin, begin + found->bytes, found->across};
}

std::vector<std::byte*> AddressSpace::members_at(Address at, std::size_t bytes) const {
  const std::shared_lock lock(mutex_);
  Address begin = 0;
  const Range* range = find(at, bytes, begin);
  if (range == nullptr) return {};
  std::vector<std::byte*> members = range->members;
  for (std::byte*& member : members) member += at - begin;
  return members;
}

AddressSpace& address_space() {
  static AddressSpace* const all = new AddressSpace;  // outlives everybody's destructors
  return *all;
}

}  // namespace fabricast::ptx
