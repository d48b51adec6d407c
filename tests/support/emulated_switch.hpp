// A switch that reduces and multicasts, over several memories of this machine: the port of
// kernels/lane/multimem.hpp without a GPU.
//
// A load reads every member's memory and reduces in the order of members: f16 and bf16 in f32,
// rounded once, as .acc::f32 does (the order is ours: hardware promises none). A store writes all.
// Data are plain memory, counters atomic, each member's for itself: ThreadSanitizer sees whether
// meetings order everything. `delay` holds the thread up before every arrival and look.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "kernels/lane/multimem.hpp"

namespace fabricast {

struct NoDelay {
  void operator()() const {}
};

template <class Delay = NoDelay>
struct EmulatedSwitch {
  std::span<std::byte* const> memories;  // by member
  std::int32_t member = 0;
  const Delay* delay = nullptr;

  template <class T, ReduceOp op>
  lane::SwitchUnit<T> load_reduce(std::int64_t offset) const {
    constexpr auto count = static_cast<std::size_t>(lane::SwitchUnit<T>::bytes) / sizeof(T);
    using Wide = std::conditional_t<std::is_same_v<T, std::int32_t>, std::int32_t, float>;
    Wide sum[count] = {};
    for (std::size_t m = 0; m < memories.size(); ++m) {
      T values[count];
      std::memcpy(values, memories[m] + offset, sizeof values);
      for (std::size_t i = 0; i < count; ++i) {
        sum[i] = m == 0 ? widened(values[i]) : combine<op>(sum[i], widened(values[i]));
      }
    }
    T rounded[count];
    for (std::size_t i = 0; i < count; ++i) narrow(sum[i], rounded[i]);
    lane::SwitchUnit<T> unit;
    std::memcpy(unit.word, rounded, sizeof rounded);
    return unit;
  }
  template <class T>
  void store(std::int64_t offset, const lane::SwitchUnit<T>& unit) const {
    for (std::byte* memory : memories) std::memcpy(memory + offset, unit.word, sizeof unit.word);
  }
  void arrive(std::int32_t cta) const {
    for (std::byte* memory : memories) {
      (*delay)();
      lane::SharedCounter(counter(memory, cta)).fetch_add(1, lane::release);
    }
  }
  std::uint64_t arrivals(std::int32_t cta) const {
    (*delay)();
    return lane::load_acquire_across(counter(memories[static_cast<std::size_t>(member)], cta));
  }

 private:
  static std::uint64_t& counter(std::byte* memory, std::int32_t cta) {
    return *reinterpret_cast<std::uint64_t*>(memory + cta * lane::line_bytes);
  }
  static float widened(float value) { return value; }
  static float widened(Half value) { return to_float(value); }
  static float widened(BFloat16 value) { return to_float(value); }
  static std::int32_t widened(std::int32_t value) { return value; }
  static void narrow(float value, float& to) { to = value; }
  static void narrow(float value, Half& to) { to = to_half(value); }
  static void narrow(float value, BFloat16& to) { to = to_bfloat16(value); }
  static void narrow(std::int32_t value, std::int32_t& to) { to = value; }
};

}  // namespace fabricast
