// What an instruction computes from registers, for the threads of a warp.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/ptx_device/code.hpp"

namespace fabricast::ptx {

inline constexpr int warp_size = 32;
using Mask = std::uint32_t;  // threads of a warp

// The registers of a warp: slot s of thread t is at(s)[t].
class Registers {
 public:
  Registers(const Code& code, const std::vector<std::uint64_t>& pool);
  ~Registers();
  Registers(const Registers&) = delete;
  Registers& operator=(const Registers&) = delete;

  std::uint64_t* at(Slot slot) const {
    return slot < count_
               ? own_ + std::size_t{slot} * warp_size
               : const_cast<std::uint64_t*>(pool_ + std::size_t{slot - count_} * warp_size);
  }
  // The constants of a code, as many times as a warp has threads.
  static std::vector<std::uint64_t> pool_of(const Code& code);

 private:
  Slot count_;
  std::uint64_t* own_;
  const std::uint64_t* pool_;
};

// Throws std::runtime_error: a division by zero, or no computation.
void compute(const Instruction& in, Mask mask, const Registers& registers);

// a + b and so on, as the type's arithmetic has it, on the low bits.
std::uint64_t combine(Combine how, Type type, std::uint64_t a, std::uint64_t b);

}  // namespace fabricast::ptx
