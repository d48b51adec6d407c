// An operation on values of a type, for the threads of a warp; shared by the sources of the ALU.
#pragma once

#include <bit>
#include <cstdint>
#include <stdexcept>
#include <type_traits>

#include "tests/ptx_device/alu.hpp"

namespace fabricast::ptx {

template <class T>
T as(std::uint64_t slot) {
  if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(slot));
  } else if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<double>(slot);
  } else {
    return static_cast<T>(slot);
  }
}
template <class T>
std::uint64_t slot_of(T value) {
  if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<std::uint32_t>(value);
  } else if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<std::uint64_t>(value);
  } else {
    return static_cast<std::make_unsigned_t<T>>(value);
  }
}

template <class F>
void each(Mask mask, const F& f) {
  if (mask == ~Mask{0}) {  // mostly; a loop that compilers vectorize
    for (int t = 0; t < warp_size; ++t) f(t);
    return;
  }
  for (; mask != 0; mask &= mask - 1) f(std::countr_zero(mask));
}

[[noreturn]] inline void no_such() { throw std::runtime_error("no such operation on this type"); }

template <class F>
void with_integer(Type type, const F& f) {
  switch (type) {
    case Type::u8:
      return f(std::uint8_t{});
    case Type::u16:
      return f(std::uint16_t{});
    case Type::u32:
      return f(std::uint32_t{});
    case Type::u64:
      return f(std::uint64_t{});
    case Type::s8:
      return f(std::int8_t{});
    case Type::s16:
      return f(std::int16_t{});
    case Type::s32:
      return f(std::int32_t{});
    case Type::s64:
      return f(std::int64_t{});
    default:
      no_such();
  }
}
template <class T, class F>
void binary(const Instruction& in, Mask mask, const Registers& r, const F& f) {
  std::uint64_t* to = r.at(in.to[0]);
  const std::uint64_t* a = r.at(in.of[0]);
  const std::uint64_t* b = r.at(in.of[1]);
  each(mask, [&](int t) { to[t] = slot_of<T>(static_cast<T>(f(as<T>(a[t]), as<T>(b[t])))); });
}
template <class F>
void unary(const Instruction& in, Mask mask, const Registers& r, const F& f) {
  std::uint64_t* to = r.at(in.to[0]);
  const std::uint64_t* a = r.at(in.of[0]);
  each(mask, [&](int t) { to[t] = f(a[t]); });
}

// Those on bits: of integers or predicates.
void bits(const Instruction& in, Mask mask, const Registers& r);
void shift(const Instruction& in, Mask mask, const Registers& r);
void pack(const Instruction& in, Mask mask, const Registers& r);
void unpack(const Instruction& in, Mask mask, const Registers& r);
void insert_bits(const Instruction& in, Mask mask, const Registers& r);
void permute(const Instruction& in, Mask mask, const Registers& r);

}  // namespace fabricast::ptx
