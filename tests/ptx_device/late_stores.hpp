// Relaxed and volatile stores, and those to a multicast object, that others do not see yet: a
// warp's instruction each, which arrives as a whole, in the order of its threads. CtaMemory decides
// when.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/ptx_device/address_space.hpp"
#include "tests/ptx_device/alu.hpp"

namespace fabricast::ptx {

struct LateStore {
  static constexpr std::size_t most_bytes = 16;  // of a thread

  const Instruction* in = nullptr;
  Mask threads = 0;  // of the warp
  std::array<Address, warp_size> at;
  std::array<std::array<std::byte, most_bytes>, warp_size> data;
  std::uint64_t epoch = 0;
  int first_thread = 0;  // of the warp, in its CTA
  bool across = false;

  std::size_t bytes() const { return size_of(in->type) * in->width; }
  bool overlaps(Address low, Address end) const;
  void arrive() const;
};

}  // namespace fabricast::ptx
