// Moving one part of a message: copy or reduce elements into up to two destinations.
//
// The threads of a group share the elements; 16-byte vectors where source and destinations agree
// modulo 16 (layout.hpp arranges that they mostly do), else element by element. Destinations may
// equal a source element for element (in-place), otherwise regions are disjoint.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/arithmetic.hpp"
#include "kernels/host_device.hpp"

namespace fabricast::lane {

template <class T>
struct alignas(16) Vector16 {
  static constexpr int lanes = 16 / static_cast<int>(sizeof(T));
  T v[lanes];
};

inline constexpr int vectors_in_flight = 4;  // loads issued before the first store

FABRICAST_HOST_DEVICE inline unsigned remainder16(const void* p) {
  return static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(p) & 15u);
}

// The parts of [0, count) before, in and after the 16-byte aligned middle.
struct VectorSplit {
  std::int64_t head = 0;
  std::int64_t vectors = 0;
};

template <class T>
FABRICAST_HOST_DEVICE inline VectorSplit split_for_vectors(std::int64_t count, const void* a,
                                                           const void* b, const void* d1,
                                                           const void* d2) {
  const unsigned remainder = remainder16(a);
  const bool congruent = (b == nullptr || remainder16(b) == remainder) &&
                         (d1 == nullptr || remainder16(d1) == remainder) &&
                         (d2 == nullptr || remainder16(d2) == remainder);
  if (!congruent) return {count, 0};
  const auto to_boundary = static_cast<std::int64_t>((16u - remainder) % 16u / sizeof(T));
  const std::int64_t head = to_boundary < count ? to_boundary : count;
  const std::int64_t vectors = (count - head) / Vector16<T>::lanes;
  return vectors > 0 ? VectorSplit{head, vectors} : VectorSplit{count, 0};
}

// apply(a, b) -> value for each element of [first, last), shared by the group.
template <class T, class Group, class Apply>
FABRICAST_HOST_DEVICE inline void transfer_elements(std::int64_t first, std::int64_t last,
                                                    const T* a, const T* b, T* d1, T* d2,
                                                    const Group& group, const Apply& apply) {
  for (std::int64_t i = first + group.index(); i < last; i += group.size()) {
    const T value = apply(a[i], b[i]);
    if (d1 != nullptr) d1[i] = value;
    if (d2 != nullptr) d2[i] = value;
  }
}

template <class T, class Apply>
FABRICAST_HOST_DEVICE inline Vector16<T> apply_vector(Vector16<T> a, Vector16<T> b,
                                                      const Apply& apply) {
  Vector16<T> result;
  for (int j = 0; j < Vector16<T>::lanes; ++j) result.v[j] = apply(a.v[j], b.v[j]);
  return result;
}

template <class T, class Group, class Apply>
FABRICAST_HOST_DEVICE inline void transfer_vectors(std::int64_t count, const Vector16<T>* a,
                                                   const Vector16<T>* b, Vector16<T>* d1,
                                                   Vector16<T>* d2, const Group& group,
                                                   const Apply& apply) {
  const std::int64_t stride = group.size();
  std::int64_t i = group.index();
  for (; i + (vectors_in_flight - 1) * stride < count; i += vectors_in_flight * stride) {
    Vector16<T> value[vectors_in_flight];
    for (int u = 0; u < vectors_in_flight; ++u) {
      value[u] = apply_vector<T>(a[i + u * stride], b[i + u * stride], apply);
    }
    for (int u = 0; u < vectors_in_flight; ++u) {
      if (d1 != nullptr) d1[i + u * stride] = value[u];
      if (d2 != nullptr) d2[i + u * stride] = value[u];
    }
  }
  for (; i < count; i += stride) {
    const Vector16<T> value = apply_vector<T>(a[i], b[i], apply);
    if (d1 != nullptr) d1[i] = value;
    if (d2 != nullptr) d2[i] = value;
  }
}

// d1[i] = d2[i] = apply(a[i], b[i]); a null destination is skipped, b may be a.
template <class T, class Group, class Apply>
FABRICAST_HOST_DEVICE inline void transfer(std::int64_t count, const std::byte* a,
                                           const std::byte* b, std::byte* d1, std::byte* d2,
                                           const Group& group, const Apply& apply) {
  const VectorSplit split = split_for_vectors<T>(count, a, b, d1, d2);
  const auto* ta = reinterpret_cast<const T*>(a);
  const auto* tb = reinterpret_cast<const T*>(b);
  auto* t1 = reinterpret_cast<T*>(d1);
  auto* t2 = reinterpret_cast<T*>(d2);
  transfer_elements(std::int64_t{0}, split.head, ta, tb, t1, t2, group, apply);
  if (split.vectors == 0) return;
  using V = Vector16<T>;
  transfer_vectors<T>(split.vectors, reinterpret_cast<const V*>(ta + split.head),
                      reinterpret_cast<const V*>(tb + split.head),
                      t1 == nullptr ? nullptr : reinterpret_cast<V*>(t1 + split.head),
                      t2 == nullptr ? nullptr : reinterpret_cast<V*>(t2 + split.head), group,
                      apply);
  transfer_elements(split.head + split.vectors * V::lanes, count, ta, tb, t1, t2, group, apply);
}

struct TakeFirst {
  template <class T>
  FABRICAST_HOST_DEVICE T operator()(T a, T /*b*/) const {
    return a;
  }
};

template <class T, ReduceOp op>
struct Combine {
  FABRICAST_HOST_DEVICE T operator()(T a, T b) const { return combine<op>(a, b); }
};

template <class Group>
FABRICAST_HOST_DEVICE inline void copy_part(std::int32_t element_bytes, std::int64_t count,
                                            const std::byte* source, std::byte* d1, std::byte* d2,
                                            const Group& group) {
  if (element_bytes == 2) {
    transfer<std::uint16_t>(count, source, source, d1, d2, group, TakeFirst{});
  } else {
    transfer<std::uint32_t>(count, source, source, d1, d2, group, TakeFirst{});
  }
}

template <class Group>
struct ReducePart {
  std::int64_t count;
  const std::byte* a;
  const std::byte* b;
  std::byte* d1;
  std::byte* d2;
  const Group& group;

  template <class T, ReduceOp op>
  FABRICAST_HOST_DEVICE void operator()() const {
    transfer<T>(count, a, b, d1, d2, group, Combine<T, op>{});
  }
};

template <class Group>
FABRICAST_HOST_DEVICE inline void reduce_part(DataType type, ReduceOp op, std::int64_t count,
                                              const std::byte* a, const std::byte* b, std::byte* d1,
                                              std::byte* d2, const Group& group) {
  visit_type_and_op(type, op, ReducePart<Group>{count, a, b, d1, d2, group});
}

}  // namespace fabricast::lane
