#include "kernels/reference/reduce.hpp"

#include <cstring>

#include "emulator/base/contracts.hpp"
#include "kernels/arithmetic.hpp"

namespace fabricast::reference {
namespace {

template <class T>
T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

struct ReduceLoop {
  std::span<const std::byte> a;
  std::span<const std::byte> b;
  std::span<std::byte> result;

  template <class T, ReduceOp op>
  void operator()() const {
    for (std::size_t at = 0; at + sizeof(T) <= result.size(); at += sizeof(T)) {
      const T value = combine<op>(load<T>(a.data() + at), load<T>(b.data() + at));
      std::memcpy(result.data() + at, &value, sizeof value);
    }
  }
};

struct StoreInteger {
  std::int32_t value;
  std::byte* element;

  template <class T, ReduceOp op>
  void operator()() const {
    const T converted = convert(T{});
    std::memcpy(element, &converted, sizeof converted);
  }
  float convert(float) const { return static_cast<float>(value); }
  Half convert(Half) const { return to_half(static_cast<float>(value)); }
  BFloat16 convert(BFloat16) const { return to_bfloat16(static_cast<float>(value)); }
  std::int32_t convert(std::int32_t) const { return value; }
};

}  // namespace

void reduce(DataType type, ReduceOp op, std::span<const std::byte> a, std::span<const std::byte> b,
            std::span<std::byte> result) {
  FABRICAST_EXPECT(a.size() == result.size() && b.size() == result.size(), "equal lengths");
  visit_type_and_op(type, op, ReduceLoop{a, b, result});
}

void store_integer(DataType type, std::int32_t value, std::byte* element) {
  visit_type_and_op(type, ReduceOp::sum, StoreInteger{value, element});
}

std::int64_t count_mismatches(std::span<const std::byte> a, std::span<const std::byte> b,
                              std::int32_t element_bytes) {
  FABRICAST_EXPECT(a.size() == b.size(), "equal lengths");
  const auto step = static_cast<std::size_t>(element_bytes);
  std::int64_t wrong = 0;
  for (std::size_t at = 0; at + step <= a.size(); at += step) {
    if (std::memcmp(a.data() + at, b.data() + at, step) != 0) ++wrong;
  }
  return wrong;
}

}  // namespace fabricast::reference
