// Loads that a CTA has issued and whose values it does not have yet: a warp's instruction each, of
// which every thread's load takes its value by itself. CtaMemory decides when.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/ptx_device/address_space.hpp"
#include "tests/ptx_device/alu.hpp"

namespace fabricast::ptx {

class LateLoads {
 public:
  using Id = std::uint32_t;
  static constexpr Id none = ~Id{0};
  static constexpr std::size_t most_bytes = 16;  // of a thread

  struct Load {
    std::array<Address, warp_size> at;
    std::array<std::array<std::byte, most_bytes>, warp_size> data;
    Mask waiting = 0;  // threads of the warp whose loads have no value yet
    std::uint64_t epoch = 0;
    Address low = 0, end = 0;  // all that is loaded lies in between
    std::size_t bytes = 0;
    int first_thread = 0;  // of the warp, in its CTA
    bool across = false;
    std::uint32_t holders = 0;  // the registers, and stores that wait
    std::size_t place = 0;      // in waiting()
  };

  // Of all threads in `threads`; held once. The caller fills in the rest.
  Id issue(Mask threads);
  Load& operator[](Id id) { return loads_[id]; }
  void hold(Id id) { ++loads_[id].holders; }
  void let_go(Id id);
  void has_value(Id id, int lane);
  // Those of which a thread has no value yet.
  const std::vector<Id>& waiting() const { return waiting_; }

 private:
  void leave_waiting(Load& load);

  std::vector<Load> loads_;
  std::vector<Id> free_, waiting_;
};

}  // namespace fabricast::ptx
