#include "tests/ptx_device/alu.hpp"

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <type_traits>

#include "kernels/float16.hpp"
#include "tests/ptx_device/alu_lanes.hpp"

namespace fabricast::ptx {
namespace {

__extension__ using Wide = __int128;
__extension__ using WideUnsigned = unsigned __int128;

template <class F>
void with_number(Type type, const F& f) {
  if (type == Type::f32) return f(float{});
  if (type == Type::f64) return f(double{});
  with_integer(type, f);
}

template <class T>
T divided(T a, T b, bool remainder) {
  if constexpr (std::is_floating_point_v<T>) {
    if (remainder) no_such();
    return a / b;
  } else {
    if (b == 0) throw std::runtime_error("division by zero");
    if constexpr (std::is_signed_v<T>) {
      if (b == -1)
        return remainder ? T{0} : static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(a));
    }
    return static_cast<T>(remainder ? a % b : a / b);
  }
}

// Sums and products modulo 2^n: what signed types do on the device, and C++ does not.
template <class T>
auto modular(T v) {
  if constexpr (std::is_floating_point_v<T>) {
    return v;
  } else {
    return static_cast<std::uint64_t>(v);
  }
}
template <class T>
T smaller(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return std::fmin(a, b);
  else
    return b < a ? b : a;
}
template <class T>
T larger(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return std::fmax(a, b);
  else
    return a < b ? b : a;
}

void arithmetic(const Instruction& in, Mask mask, const Registers& r) {
  with_number(in.type, [&](auto zero) {
    using T = decltype(zero);
    switch (in.op) {
      case Op::add:
        return binary<T>(in, mask, r, [](T a, T b) { return modular(a) + modular(b); });
      case Op::sub:
        return binary<T>(in, mask, r, [](T a, T b) { return modular(a) - modular(b); });
      case Op::mul_low:
        return binary<T>(in, mask, r, [](T a, T b) { return modular(a) * modular(b); });
      case Op::divide:
        return binary<T>(in, mask, r, [](T a, T b) { return divided(a, b, false); });
      case Op::remainder:
        return binary<T>(in, mask, r, [](T a, T b) { return divided(a, b, true); });
      case Op::minimum:
        return binary<T>(in, mask, r, [](T a, T b) { return smaller(a, b); });
      case Op::maximum:
        return binary<T>(in, mask, r, [](T a, T b) { return larger(a, b); });
      case Op::negate:
        return unary(in, mask, r, [](std::uint64_t a) {
          return slot_of<T>(static_cast<T>(0 - modular(as<T>(a))));
        });
      default:
        no_such();
    }
  });
}

void wide_products(const Instruction& in, Mask mask, const Registers& r) {
  std::uint64_t* to = r.at(in.to[0]);
  const std::uint64_t* a = r.at(in.of[0]);
  const std::uint64_t* b = r.at(in.of[1]);
  with_integer(in.type, [&](auto zero) {
    using T = decltype(zero);
    constexpr int bits = static_cast<int>(sizeof(T)) * 8;
    each(mask, [&](int t) {
      const auto product = static_cast<WideUnsigned>(static_cast<Wide>(as<T>(a[t])) *
                                                     static_cast<Wide>(as<T>(b[t])));
      if constexpr (std::is_same_v<T, std::uint64_t>) {
        const auto full = static_cast<WideUnsigned>(a[t]) * b[t];
        to[t] = static_cast<std::uint64_t>(full >> 64);
      } else if (in.op == Op::mul_wide) {
        to[t] = static_cast<std::uint64_t>(product) &
                (bits == 32 ? ~std::uint64_t{0} : (std::uint64_t{1} << (2 * bits % 64)) - 1);
      } else {
        to[t] = slot_of<T>(static_cast<T>(product >> bits));
      }
    });
  });
}

void fused(const Instruction& in, Mask mask, const Registers& r) {
  std::uint64_t* to = r.at(in.to[0]);
  const std::uint64_t *a = r.at(in.of[0]), *b = r.at(in.of[1]), *c = r.at(in.of[2]);
  with_number(in.type, [&](auto zero) {
    using T = decltype(zero);
    each(mask, [&](int t) {
      if constexpr (std::is_floating_point_v<T>) {
        to[t] = slot_of<T>(std::fma(as<T>(a[t]), as<T>(b[t]), as<T>(c[t])));
      } else {
        to[t] = slot_of<T>(static_cast<T>(a[t] * b[t] + c[t]));
      }
    });
  });
}

void set_predicate(const Instruction& in, Mask mask, const Registers& r) {
  std::uint64_t* to = r.at(in.to[0]);
  const std::uint64_t* a = r.at(in.of[0]);
  const std::uint64_t* b = r.at(in.of[1]);
  with_number(in.type, [&](auto zero) {
    using T = decltype(zero);
    const auto set = [&](const auto& holds) {
      each(mask, [&](int t) { to[t] = holds(as<T>(a[t]), as<T>(b[t])) ? 1 : 0; });
    };
    switch (in.compare) {  // ordered: false where one is no number
      case Compare::eq:
        return set([](T x, T y) { return x == y; });
      case Compare::ne:
        return set([](T x, T y) { return x < y || x > y; });
      case Compare::lt:
        return set([](T x, T y) { return x < y; });
      case Compare::le:
        return set([](T x, T y) { return x <= y; });
      case Compare::gt:
        return set([](T x, T y) { return x > y; });
      case Compare::ge:
        return set([](T x, T y) { return x >= y; });
    }
  });
}

void select(const Instruction& in, Mask mask, const Registers& r) {
  std::uint64_t* to = r.at(in.to[0]);
  const std::uint64_t *a = r.at(in.of[0]), *b = r.at(in.of[1]), *which = r.at(in.of[2]);
  each(mask, [&](int t) { to[t] = which[t] != 0 ? a[t] : b[t]; });
}

template <class T, class From>
T converted(From value) {
  if constexpr (std::is_floating_point_v<From> && !std::is_floating_point_v<T>) {
    if (std::isnan(value)) return T{0};  // towards zero, clamped
    if (value >= static_cast<From>(std::numeric_limits<T>::max()))
      return std::numeric_limits<T>::max();
    if (value <= static_cast<From>(std::numeric_limits<T>::min()))
      return std::numeric_limits<T>::min();
  }
  return static_cast<T>(value);
}

void convert(const Instruction& in, Mask mask, const Registers& r) {
  if (in.type == Type::f16) {
    return unary(in, mask, r,
                 [](std::uint64_t a) { return std::uint64_t{to_half(as<float>(a)).bits}; });
  }
  if (in.type == Type::bf16) {
    return unary(in, mask, r,
                 [](std::uint64_t a) { return std::uint64_t{to_bfloat16(as<float>(a)).bits}; });
  }
  if (in.from == Type::f16) {
    return unary(in, mask, r, [](std::uint64_t a) {
      return slot_of(to_float(Half{static_cast<std::uint16_t>(a)}));
    });
  }
  with_number(in.from, [&](auto from) {
    with_number(in.type, [&](auto to) {
      using From = decltype(from);
      using T = decltype(to);
      unary(in, mask, r, [](std::uint64_t a) { return slot_of<T>(converted<T>(as<From>(a))); });
    });
  });
}

}  // namespace

Registers::Registers(const Code& code, const std::vector<std::uint64_t>& pool)
    : count_(code.slots),
      own_(static_cast<std::uint64_t*>(
          std::malloc(std::size_t{code.slots} * warp_size * sizeof(std::uint64_t)))),
      pool_(pool.data()) {
  if (own_ == nullptr) throw std::runtime_error("no memory for the registers of a warp");
}
Registers::~Registers() { std::free(own_); }

std::vector<std::uint64_t> Registers::pool_of(const Code& code) {
  std::vector<std::uint64_t> pool;
  for (const std::uint64_t value : code.constants) pool.insert(pool.end(), warp_size, value);
  return pool;
}

void compute(const Instruction& in, Mask mask, const Registers& r) {
  switch (in.op) {
    case Op::mul_wide:
    case Op::mul_high:
      return wide_products(in, mask, r);
    case Op::mad_low:
    case Op::fused:
      return fused(in, mask, r);
    case Op::invert:
    case Op::conjunction:
    case Op::disjunction:
    case Op::exclusive:
      return bits(in, mask, r);
    case Op::shift_left:
    case Op::shift_right:
      return shift(in, mask, r);
    case Op::set_predicate:
      return set_predicate(in, mask, r);
    case Op::select:
      return select(in, mask, r);
    case Op::move:
      return unary(in, mask, r, [](std::uint64_t a) { return a; });
    case Op::pack:
      return pack(in, mask, r);
    case Op::unpack:
      return unpack(in, mask, r);
    case Op::convert:
      return convert(in, mask, r);
    case Op::insert_bits:
      return insert_bits(in, mask, r);
    case Op::permute:
      return permute(in, mask, r);
    default:
      return arithmetic(in, mask, r);
  }
}

std::uint64_t combine(Combine how, Type type, std::uint64_t a, std::uint64_t b) {
  std::uint64_t result = 0;
  with_number(type, [&](auto zero) {
    using T = decltype(zero);
    const T x = as<T>(a), y = as<T>(b);
    switch (how) {
      case Combine::add:
        result = slot_of<T>(static_cast<T>(modular(x) + modular(y)));
        return;
      case Combine::minimum:
        result = slot_of<T>(smaller(x, y));
        return;
      case Combine::maximum:
        result = slot_of<T>(larger(x, y));
        return;
      default:
        result = b;
        return;
    }
  });
  return result;
}

}  // namespace fabricast::ptx
