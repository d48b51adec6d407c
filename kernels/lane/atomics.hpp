// The few atomic operations lanes need, device scope on a GPU, plain std::atomic_ref on the host.
// *_across: system scope, between GPUs.
//
// Release and acquire sit on the operations themselves, never on lone fences: ThreadSanitizer does
// not see those, and the PTX memory model needs the pair on one location anyway. Every counter is a
// naturally aligned 64-bit word.
#pragma once

#include <cstdint>

#include "kernels/host_device.hpp"

#if defined(__CUDA_ARCH__)
#include <cuda/atomic>
#else
#include <atomic>
#include <chrono>
#endif

namespace fabricast::lane {

#if defined(__CUDA_ARCH__)
using Counter = ::cuda::atomic_ref<std::uint64_t, ::cuda::thread_scope_device>;
using SharedCounter = ::cuda::atomic_ref<std::uint64_t, ::cuda::thread_scope_system>;
inline constexpr auto acquire = ::cuda::memory_order_acquire;
inline constexpr auto release = ::cuda::memory_order_release;
inline constexpr auto relaxed = ::cuda::memory_order_relaxed;
inline constexpr auto acquire_release = ::cuda::memory_order_acq_rel;
#else
using Counter = std::atomic_ref<std::uint64_t>;
using SharedCounter = Counter;
inline constexpr auto acquire = std::memory_order_acquire;
inline constexpr auto release = std::memory_order_release;
inline constexpr auto relaxed = std::memory_order_relaxed;
inline constexpr auto acquire_release = std::memory_order_acq_rel;
#endif

FABRICAST_HOST_DEVICE inline std::uint64_t load_acquire(std::uint64_t& at) {
  return Counter(at).load(acquire);
}
FABRICAST_HOST_DEVICE inline std::uint64_t load_relaxed(std::uint64_t& at) {
  return Counter(at).load(relaxed);
}
FABRICAST_HOST_DEVICE inline void store_release(std::uint64_t& at, std::uint64_t value) {
  Counter(at).store(value, release);
}
FABRICAST_HOST_DEVICE inline void store_relaxed(std::uint64_t& at, std::uint64_t value) {
  Counter(at).store(value, relaxed);
}
FABRICAST_HOST_DEVICE inline std::uint64_t load_acquire_across(std::uint64_t& at) {
  return SharedCounter(at).load(acquire);
}
FABRICAST_HOST_DEVICE inline void store_release_across(std::uint64_t& at, std::uint64_t value) {
  SharedCounter(at).store(value, release);
}
// Sets 0 to `value`; true for the one caller that did it.
FABRICAST_HOST_DEVICE inline bool claim(std::uint64_t& at, std::uint64_t value) {
  std::uint64_t expected = 0;
  return Counter(at).compare_exchange_strong(expected, value, acquire_release, relaxed);
}

// Nanoseconds of a steady clock: for bounding waits, not for results.
FABRICAST_HOST_DEVICE inline std::uint64_t clock_ns() {
#if defined(__CUDA_ARCH__)
  std::uint64_t now = 0;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
  return now;
#else
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
#endif
}

}  // namespace fabricast::lane
