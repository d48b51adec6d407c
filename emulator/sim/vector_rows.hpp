// Vectors of clocks or costs for the kernels, W at once, by GCC's vector types.
//
// By width, not by vector type: template arguments lose the attributes that allow any alignment.
// For files with kernels only, which are compiled with -Wno-psabi: vectors never cross a call.
#pragma once

#include <cstdint>
#include <type_traits>

namespace fabricast {

// GCC's vector types: W columns at once, or one plain number.
template <class T, int W>
struct VectorOf {
  using type [[gnu::vector_size(W * 8), gnu::aligned(8), gnu::may_alias]] = T;
};
template <class T>
struct VectorOf<T, 1> {
  using type = T;
};
template <class T, int W>
using Vector = typename VectorOf<T, W>::type;

template <int W, class T>
[[gnu::always_inline]] inline Vector<T, W> load(const T* from) {
  return *reinterpret_cast<const Vector<T, W>*>(from);
}
template <int W, class T>
[[gnu::always_inline]] inline void store(T* to, Vector<T, W> value) {
  *reinterpret_cast<Vector<T, W>*>(to) = value;
}

template <class T, int W>
[[gnu::always_inline]] inline Vector<T, W> larger(Vector<T, W> a, Vector<T, W> b) {
  if constexpr (W == 4 && std::is_integral_v<T>) {
    // AVX2 has no 64-bit maximum; blending on the sign of a difference beats compare and blend.
    // Clocks are non-negative, so the difference does not overflow.
    return a - b < 0 ? b : a;
  } else {
    return a > b ? a : b;
  }
}

}  // namespace fabricast
