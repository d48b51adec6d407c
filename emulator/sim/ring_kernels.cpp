#include "emulator/sim/ring_kernels.hpp"

#include "emulator/sim/vector_rows.hpp"

namespace fabricast {
namespace {

// Columns x-1 .. x+W-2, from the vectors at x-W and x.
template <class T, int W>
[[gnu::always_inline]] inline Vector<T, W> from_left(Vector<T, W> before, Vector<T, W> here) {
  using Index = Vector<std::int64_t, W>;
  if constexpr (W == 1) {
    static_cast<void>(here);
    return before;
  } else if constexpr (W == 2) {
    return __builtin_shuffle(before, here, Index{1, 2});
  } else if constexpr (W == 4) {
    return __builtin_shuffle(before, here, Index{3, 4, 5, 6});
  } else {
    return __builtin_shuffle(before, here, Index{7, 8, 9, 10, 11, 12, 13, 14});
  }
}

// What a pass reads and writes is copied first: a store of a clock might change a pointer or a cost
// as far as the compiler can know, and each would be loaded again in every step.
template <class T, int W, int steps, int chain, bool port_covers_lane>
[[gnu::always_inline]] inline void advance_pass(const RingPass<T>& pass) {
  using V = Vector<T, W>;
  const RingPass<T> at = pass;
  V before[steps] = {};
  for (std::int32_t x = 0; x < at.columns; x += W) {
    V ready[steps + chain];
    V lane = load<W>(at.lane + x);
    V port = load<W>(at.port + x);
    const V lane_cost = load<W>(at.lane_cost + x);
    const V port_cost = load<W>(at.port_cost + x);
    const V latency = load<W>(at.latency + x);
    // From the start of a step, beside the longer way by the clock that is advanced.
    const V to_credit = lane_cost + load<W>(at.credit_cost + x);
    const V to_ready = port_cost + latency;
#pragma GCC unroll 8
    for (int j = 0; j < chain; ++j) ready[j] = load<W>(at.ready_in[static_cast<unsigned>(j)] + x);
#pragma GCC unroll 8
    for (int j = 0; j < steps; ++j) {
      T* credit = at.credit[static_cast<unsigned>(j)] + x;
      const V received = from_left<T, W>(before[j], ready[j]);
      before[j] = ready[j];
      const V start = larger<T, W>(larger<T, W>(lane, load<W>(credit + 1)), received);
      const V free = larger<T, W>(port, start);
      lane = start + lane_cost;
      port = free + port_cost;
      store<W>(credit, start + to_credit);
      ready[j + chain] = port_covers_lane ? free + to_ready : larger<T, W>(port, lane) + latency;
    }
    store<W>(at.lane + x, lane);
    store<W>(at.port + x, port);
#pragma GCC unroll 8
    for (int j = 0; j < chain; ++j) {
      store<W>(at.ready_out[static_cast<unsigned>(j)] + x, ready[steps + j]);
    }
  }
}

// The baseline of x86-64 has two-column maxima of doubles, but none of int64.
template <class T>
constexpr int baseline_width = std::is_integral_v<T> ? 1 : 2;

template <class T, int steps, int chain, bool port_covers_lane>
void pass_baseline(const RingPass<T>& pass) {
  advance_pass<T, baseline_width<T>, steps, chain, port_covers_lane>(pass);
}

#if defined(__x86_64__)
template <class T, int steps, int chain, bool port_covers_lane>
[[gnu::target("avx2,bmi2")]] void pass_v3(const RingPass<T>& pass) {
  advance_pass<T, 4, steps, chain, port_covers_lane>(pass);
}
template <class T, int steps, int chain, bool port_covers_lane>
[[gnu::target("avx2,bmi2,avx512f,avx512dq,avx512vl")]] void pass_v4(const RingPass<T>& pass) {
  advance_pass<T, 8, steps, chain, port_covers_lane>(pass);
}
#endif

template <class T, int steps, int chain, bool port_covers_lane>
RingKernel<T> select(InstructionSet set) {
  RingKernel<T> kernel{steps, chain, pass_baseline<T, steps, chain, port_covers_lane>};
#if defined(__x86_64__)
  if (set == InstructionSet::x86_64_v3) kernel.advance = pass_v3<T, steps, chain, port_covers_lane>;
  if (set == InstructionSet::x86_64_v4) kernel.advance = pass_v4<T, steps, chain, port_covers_lane>;
#endif
  static_cast<void>(set);
  return kernel;
}

template <class T, bool port_covers_lane>
RingKernel<T> longest(InstructionSet set, std::int64_t most_steps, std::int32_t in_flight) {
  // Seven steps need the 32 registers of AVX-512; four are faster with 16.
  const bool many_registers = set == InstructionSet::x86_64_v4;
  if (in_flight == 1) {
    if (most_steps >= 7 && many_registers) return select<T, 7, 1, port_covers_lane>(set);
    if (most_steps >= 4) return select<T, 4, 1, port_covers_lane>(set);
    if (most_steps >= 2) return select<T, 2, 1, port_covers_lane>(set);
  } else if (in_flight == 2 && most_steps >= 6 && many_registers) {
    return select<T, 6, 2, port_covers_lane>(set);
  } else if (in_flight == 2 && most_steps >= 4) {
    return select<T, 4, 2, port_covers_lane>(set);
  } else if (in_flight >= 4 && most_steps >= 4) {
    return select<T, 4, 4, port_covers_lane>(set);
  } else if (most_steps >= 2) {
    return select<T, 2, 2, port_covers_lane>(set);
  }
  return select<T, 1, 1, port_covers_lane>(set);
}

}  // namespace

template <class T>
RingKernel<T> ring_kernel(InstructionSet set, std::int64_t most_steps, std::int32_t in_flight,
                          bool port_covers_lane) {
  return port_covers_lane ? longest<T, true>(set, most_steps, in_flight)
                          : longest<T, false>(set, most_steps, in_flight);
}

template RingKernel<std::int64_t> ring_kernel(InstructionSet, std::int64_t, std::int32_t, bool);
template RingKernel<double> ring_kernel(InstructionSet, std::int64_t, std::int32_t, bool);

}  // namespace fabricast
