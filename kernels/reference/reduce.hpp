// The specification of the data operations, as obvious host loops.
//
// Everything faster (lanes, CUDA) must agree with these bit for bit. O(count); thread safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/data_type.hpp"

namespace fabricast::reference {

// result[i] = op(a[i], b[i]). The spans have equal byte lengths; result may be a or b.
void reduce(DataType type, ReduceOp op, std::span<const std::byte> a, std::span<const std::byte> b,
            std::span<std::byte> result);

// A small integer stored in the element type (|value| <= 256 is exact in every type).
void store_integer(DataType type, std::int32_t value, std::byte* element);

// Elements of `element_bytes` bytes that are not bit-identical.
std::int64_t count_mismatches(std::span<const std::byte> a, std::span<const std::byte> b,
                              std::int32_t element_bytes);

}  // namespace fabricast::reference
