// What kernels on the PTX device may access: the memory that the made-up CUDA runtime and driver
// have given out, in this process. An access beyond it is an error that names the instruction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <shared_mutex>
#include <vector>

namespace fabricast::ptx {

using Address = std::uint64_t;

// Thread safe.
class AddressSpace {
 public:
  // `across`: other devices or the host use it at the same time, so that synchronizing about it
  // takes system scope.
  void add(const void* begin, std::size_t bytes, bool across = false);
  // An address of a multicast object: what is written there is written to all members' memories.
  void add_multicast(Address begin, std::size_t bytes, std::vector<std::byte*> members);
  void remove(Address begin);

  struct Memory {
    Address begin = 0, end = 0;
    bool across = false;
  };
  // The memory that holds the bytes; begin == end: none does.
  Memory memory_at(Address at, std::size_t bytes) const;
  // Where the bytes lie in each member's memory; empty if the address is of no multicast object.
  std::vector<std::byte*> members_at(Address at, std::size_t bytes) const;

 private:
  struct Range {
    std::size_t bytes = 0;
    bool across = false;
    std::vector<std::byte*> members;  // empty: memory
  };
  const Range* find(Address at, std::size_t bytes, Address& begin) const;

  mutable std::shared_mutex mutex_;
  std::map<Address, Range> ranges_;
};

AddressSpace& address_space();  // of this process

}  // namespace fabricast::ptx
