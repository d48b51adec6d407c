#include "tests/ptx_device/switch_access.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "kernels/float16.hpp"
#include "tests/ptx_device/alu.hpp"
#include "tests/ptx_device/cta_memory.hpp"

namespace fabricast::ptx {
namespace {

float widened(Type type, std::uint32_t bits) {
  const auto narrow = static_cast<std::uint16_t>(bits);
  return type == Type::f16x2 ? to_float(Half{narrow}) : to_float(BFloat16{narrow});
}
std::uint32_t narrowed(Type type, float value) {
  return type == Type::f16x2 ? to_half(value).bits : to_bfloat16(value).bits;
}

// One half of each of the words, added in f32 and rounded once (.acc::f32).
std::uint32_t reduce_halves(const Instruction& in, const std::vector<std::uint64_t>& words,
                            int shift) {
  float result = widened(in.type, static_cast<std::uint32_t>(words[0] >> shift) & 0xFFFF);
  for (std::size_t m = 1; m < words.size(); ++m) {
    const float other = widened(in.type, static_cast<std::uint32_t>(words[m] >> shift) & 0xFFFF);
    result = in.combine == Combine::add       ? result + other
             : in.combine == Combine::minimum ? std::min(result, other)
                                              : std::max(result, other);
  }
  return narrowed(in.type, result) << shift;
}

std::uint64_t reduce(const Instruction& in, const std::vector<std::uint64_t>& words) {
  if (in.type == Type::f16x2 || in.type == Type::bf16x2) {
    return reduce_halves(in, words, 0) | reduce_halves(in, words, 16);
  }
  std::uint64_t result = words[0];
  for (std::size_t m = 1; m < words.size(); ++m)
    result = combine(in.combine, in.type, result, words[m]);
  return result;
}

}  // namespace

void no_multicast_object() { throw std::runtime_error("a multimem access to no multicast object"); }

void access_switch(const Instruction& in, Address at, std::uint64_t* values) {
  const std::size_t size = size_of(in.type);
  const auto members = address_space().members_at(at, size * in.width);
  if (members.empty()) no_multicast_object();
  for (int k = 0; k < in.width; ++k) {
    std::vector<std::uint64_t> words;
    for (std::byte* member : members) {
      const Address place = reinterpret_cast<Address>(member) + static_cast<std::size_t>(k) * size;
      std::uint64_t word = 0;
      if (in.op == Op::load_reduce) {
        read_memory(place, size, reinterpret_cast<std::byte*>(&word));
        words.push_back(word);
      } else if (in.op == Op::multicast_store) {
        write_memory(place, size, reinterpret_cast<const std::byte*>(values + k));
      } else {
        atomic_combine(in, place, values[k]);
      }
    }
    if (in.op == Op::load_reduce) values[k] = reduce(in, words);
  }
}

}  // namespace fabricast::ptx
