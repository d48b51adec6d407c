// The ladder of reduce-copy: d[i] = a[i] op b[i], or d[i] = a[i], from the obvious loop to the fast
// one.
//
// naive: an element per thread and turn. vectors: 16 bytes per thread and turn. unrolled: several
// 16-byte loads of each source are under way before the first is used, which is what keeps a memory
// system busy. All rungs give the same bits. Threads are numbered over the whole grid. The vector
// rungs need pointers aligned to 16 bytes and do the last count % lanes elements one by one.
// Host and device; every rung is tested against kernels/reference before it is timed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "kernels/host_device.hpp"
#include "kernels/lane/line_transfer.hpp"

namespace fabricast::lane {

enum class Rung : std::uint8_t { naive, vectors, unrolled };
inline constexpr Rung rungs[] = {Rung::naive, Rung::vectors, Rung::unrolled};

constexpr std::string_view to_string(Rung rung) {
  switch (rung) {
    case Rung::naive:
      return "naive";
    case Rung::vectors:
      return "vectors";
    case Rung::unrolled:
      return "unrolled";
  }
  return "?";
}

// Of the grid: this thread's number and how many there are.
struct GridThread {
  std::int64_t index = 0;
  std::int64_t size = 1;
};

namespace detail {

FABRICAST_HOST_DEVICE inline Piece load_vector(const void* from, std::int64_t i) {
#if defined(__CUDA_ARCH__)
  const uint4 v = static_cast<const uint4*>(from)[i];
  return {{v.x, v.y, v.z, v.w}};
#else
  Piece piece;
  std::memcpy(piece.word, static_cast<const std::byte*>(from) + 16 * i, 16);
  return piece;
#endif
}
FABRICAST_HOST_DEVICE inline void store_vector(void* to, std::int64_t i, const Piece& piece) {
#if defined(__CUDA_ARCH__)
  static_cast<uint4*>(to)[i] =
      make_uint4(piece.word[0], piece.word[1], piece.word[2], piece.word[3]);
#else
  std::memcpy(static_cast<std::byte*>(to) + 16 * i, piece.word, 16);
#endif
}

template <class T, ReduceOp op, int in_flight, bool reduces>
FABRICAST_HOST_DEVICE inline void reduce_vectors(std::int64_t vectors, const T* a, const T* b, T* d,
                                                 const GridThread& me) {
  std::int64_t i = me.index;
  // With one in flight the loop below is the same.
  for (; in_flight > 1 && i + (in_flight - 1) * me.size < vectors; i += in_flight * me.size) {
    Piece value[in_flight], other[in_flight];
    for (int u = 0; u < in_flight; ++u) value[u] = load_vector(a, i + u * me.size);
    if constexpr (reduces) {
      for (int u = 0; u < in_flight; ++u) other[u] = load_vector(b, i + u * me.size);
      CombinePieces<in_flight>{value, other}.template operator()<T, op>();
    }
    for (int u = 0; u < in_flight; ++u) store_vector(d, i + u * me.size, value[u]);
  }
  for (; i < vectors; i += me.size) {
    Piece value[1] = {load_vector(a, i)};
    if constexpr (reduces) {
      const Piece other[1] = {load_vector(b, i)};
      CombinePieces<1>{value, other}.template operator()<T, op>();
    }
    store_vector(d, i, value[0]);
  }
}

}  // namespace detail

inline constexpr int reduce_loads_in_flight = 4;  // of each source

template <Rung rung, class T, ReduceOp op, bool reduces>
FABRICAST_HOST_DEVICE inline void reduce_copy(std::int64_t count, const T* a, const T* b, T* d,
                                              const GridThread& me) {
  std::int64_t done = 0;
  if constexpr (rung != Rung::naive) {
    constexpr int in_flight = rung == Rung::unrolled ? reduce_loads_in_flight : 1;
    constexpr auto lanes = static_cast<std::int64_t>(16 / sizeof(T));
    detail::reduce_vectors<T, op, in_flight, reduces>(count / lanes, a, b, d, me);
    done = count / lanes * lanes;
  }
  for (std::int64_t i = done + me.index; i < count; i += me.size) {
    if constexpr (reduces) {
      d[i] = combine<op>(a[i], b[i]);
    } else {
      d[i] = a[i];
    }
  }
}

}  // namespace fabricast::lane
