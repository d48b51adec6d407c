#include "tests/ptx_device/alu_lanes.hpp"

namespace fabricast::ptx {

void bits(const Instruction& in, Mask mask, const Registers& r) {
  if (in.type == Type::predicate) {
    std::uint64_t* to = r.at(in.to[0]);
    const std::uint64_t* a = r.at(in.of[0]);
    const std::uint64_t* b = in.op == Op::invert ? a : r.at(in.of[1]);
    return each(mask, [&](int t) {
      const bool x = a[t] != 0, y = b[t] != 0;
      to[t] = in.op == Op::invert        ? !x
              : in.op == Op::conjunction ? x && y
              : in.op == Op::disjunction ? x || y
                                         : x != y;
    });
  }
  with_integer(in.type, [&](auto zero) {
    using T = decltype(zero);
    switch (in.op) {
      case Op::conjunction:
        return binary<T>(in, mask, r, [](T a, T b) { return a & b; });
      case Op::disjunction:
        return binary<T>(in, mask, r, [](T a, T b) { return a | b; });
      case Op::exclusive:
        return binary<T>(in, mask, r, [](T a, T b) { return a ^ b; });
      default:
        return unary(in, mask, r, [](std::uint64_t a) { return slot_of<T>(static_cast<T>(~a)); });
    }
  });
}

void shift(const Instruction& in, Mask mask, const Registers& r) {
  std::uint64_t* to = r.at(in.to[0]);
  const std::uint64_t* a = r.at(in.of[0]);
  const std::uint64_t* by = r.at(in.of[1]);
  with_integer(in.type, [&](auto zero) {
    using T = decltype(zero);
    constexpr std::uint32_t width = sizeof(T) * 8;
    each(mask, [&](int t) {
      const auto amount = static_cast<std::uint32_t>(by[t]);
      const T value = as<T>(a[t]);
      if (in.op == Op::shift_left) {
        to[t] = amount >= width
                    ? 0
                    : slot_of<T>(static_cast<T>(std::uint64_t{slot_of<T>(value)} << amount));
      } else {
        const T least = std::is_signed_v<T> && value < 0 ? static_cast<T>(-1) : T{0};
        to[t] = slot_of<T>(amount >= width ? least : static_cast<T>(value >> amount));
      }
    });
  });
}

void pack(const Instruction& in, Mask mask, const Registers& r) {
  const int parts = in.of[2] == no_slot ? 2 : 4;
  const int bits_each = static_cast<int>(size_of(in.type)) * 8 / parts;
  const std::uint64_t low = (std::uint64_t{1} << bits_each) - 1;
  each(mask, [&](int t) {
    std::uint64_t whole = 0;
    for (int k = 0; k < parts; ++k) whole |= (r.at(in.of[k])[t] & low) << (k * bits_each);
    r.at(in.to[0])[t] = whole;
  });
}
void unpack(const Instruction& in, Mask mask, const Registers& r) {
  const int parts = in.to[2] == no_slot ? 2 : 4;
  const int bits_each = static_cast<int>(size_of(in.type)) * 8 / parts;
  const std::uint64_t low = (std::uint64_t{1} << bits_each) - 1;
  each(mask, [&](int t) {
    const std::uint64_t whole = r.at(in.of[0])[t];
    for (int k = 0; k < parts; ++k) r.at(in.to[k])[t] = whole >> (k * bits_each) & low;
  });
}

void insert_bits(const Instruction& in, Mask mask, const Registers& r) {
  const std::uint64_t width = size_of(in.type) * 8;
  each(mask, [&](int t) {
    const std::uint64_t position = r.at(in.of[2])[t] & 0xFF;
    const std::uint64_t length = r.at(in.of[3])[t] & 0xFF;
    const std::uint64_t ones = length >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << length) - 1;
    const std::uint64_t place = position >= width ? 0 : ones << position;
    const std::uint64_t value = position >= width ? 0 : r.at(in.of[0])[t] << position;
    const std::uint64_t all = width == 64 ? ~std::uint64_t{0} : 0xFFFFFFFF;
    r.at(in.to[0])[t] = ((value & place) | (r.at(in.of[1])[t] & ~place)) & all;
  });
}

void permute(const Instruction& in, Mask mask, const Registers& r) {
  each(mask, [&](int t) {
    const std::uint64_t bytes = (r.at(in.of[0])[t] & 0xFFFFFFFF) | r.at(in.of[1])[t] << 32;
    std::uint64_t result = 0;
    for (int k = 0; k < 4; ++k) {
      const std::uint64_t selector = r.at(in.of[2])[t] >> (4 * k) & 15;
      std::uint64_t byte = bytes >> (8 * (selector & 7)) & 0xFF;
      if ((selector & 8) != 0) byte = (byte & 0x80) != 0 ? 0xFF : 0;
      result |= byte << (8 * k);
    }
    r.at(in.to[0])[t] = result;
  });
}

}  // namespace fabricast::ptx
