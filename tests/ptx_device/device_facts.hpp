// The GPU that the PTX device says it is: small, with what Fabricast asks of one.
#pragma once

#include <cstddef>

namespace fabricast::ptx {

inline constexpr int compute_major = 9;
inline constexpr std::size_t max_threads_per_block = 1024;
inline constexpr std::size_t threads_per_sm = 1024;
inline constexpr std::size_t shared_bytes_per_block = 48 << 10;
inline constexpr std::size_t shared_bytes_per_sm = 64 << 10;

std::size_t multiprocessors();  // FABRICAST_PTX_SMS, else 4

}  // namespace fabricast::ptx
