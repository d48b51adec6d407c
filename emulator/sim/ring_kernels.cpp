#include "emulator/sim/ring_kernels.hpp"

#include <algorithm>

namespace fabricast {
namespace {

// GCC's vector types: W columns at once, or one plain integer.
template <int W>
struct VectorOf {
  using type [[gnu::vector_size(W * 8), gnu::aligned(8), gnu::may_alias]] = std::int64_t;
};
template <>
struct VectorOf<1> {
  using type = std::int64_t;
};
template <int W>
using Vector = typename VectorOf<W>::type;

template <int W>
[[gnu::always_inline]] inline Vector<W> load(const std::int64_t* from) {
  return *reinterpret_cast<const Vector<W>*>(from);
}
template <int W>
[[gnu::always_inline]] inline void store(std::int64_t* to, Vector<W> value) {
  *reinterpret_cast<Vector<W>*>(to) = value;
}

template <int W>
[[gnu::always_inline]] inline Vector<W> larger(Vector<W> a, Vector<W> b) {
  if constexpr (W == 4) {
    // AVX2 has no 64-bit maximum; blending on the sign of a difference beats compare and blend.
    // Clocks are non-negative, so the difference does not overflow.
    return a - b < 0 ? b : a;
  } else {
    return a > b ? a : b;
  }
}

// Columns x-1 .. x+W-2, from the vectors at x-W and x.
template <int W>
[[gnu::always_inline]] inline Vector<W> from_left(Vector<W> before, Vector<W> here) {
  if constexpr (W == 1) {
    static_cast<void>(here);
    return before;
  } else if constexpr (W == 4) {
    return __builtin_shuffle(before, here, Vector<4>{3, 4, 5, 6});
  } else {
    return __builtin_shuffle(before, here, Vector<8>{7, 8, 9, 10, 11, 12, 13, 14});
  }
}

template <int W, int steps, int chain, bool port_covers_lane>
[[gnu::always_inline]] inline void advance_pass(const RingPass& pass) {
  Vector<W> before[steps] = {};
  for (std::int32_t x = 0; x < pass.columns; x += W) {
    Vector<W> ready[steps + chain];
    Vector<W> lane = load<W>(pass.lane + x);
    Vector<W> port = load<W>(pass.port + x);
#pragma GCC unroll 8
    for (int j = 0; j < chain; ++j) ready[j] = load<W>(pass.ready_in[static_cast<unsigned>(j)] + x);
#pragma GCC unroll 8
    for (int j = 0; j < steps; ++j) {
      std::int64_t* credit = pass.credit[static_cast<unsigned>(j)] + x;
      const Vector<W> received = from_left<W>(before[j], ready[j]);
      before[j] = ready[j];
      const Vector<W> start = larger<W>(larger<W>(lane, load<W>(credit + 1)), received);
      lane = start + load<W>(pass.lane_cost + x);
      port = larger<W>(port, start) + load<W>(pass.port_cost + x);
      store<W>(credit, lane + load<W>(pass.credit_cost + x));
      const Vector<W> sent = port_covers_lane ? port : larger<W>(port, lane);
      ready[j + chain] = sent + load<W>(pass.latency + x);
    }
    store<W>(pass.lane + x, lane);
    store<W>(pass.port + x, port);
#pragma GCC unroll 8
    for (int j = 0; j < chain; ++j) {
      store<W>(pass.ready_out[static_cast<unsigned>(j)] + x, ready[steps + j]);
    }
  }
}

template <int steps, int chain, bool port_covers_lane>
void pass_baseline(const RingPass& pass) {
  advance_pass<1, steps, chain, port_covers_lane>(pass);
}

#if defined(__x86_64__)
template <int steps, int chain, bool port_covers_lane>
[[gnu::target("avx2,bmi2")]] void pass_v3(const RingPass& pass) {
  advance_pass<4, steps, chain, port_covers_lane>(pass);
}
template <int steps, int chain, bool port_covers_lane>
[[gnu::target("avx2,bmi2,avx512f,avx512dq,avx512vl")]] void pass_v4(const RingPass& pass) {
  advance_pass<8, steps, chain, port_covers_lane>(pass);
}
#endif

template <int steps, int chain, bool port_covers_lane>
RingKernel select(InstructionSet set) {
  RingKernel kernel{steps, chain, pass_baseline<steps, chain, port_covers_lane>};
#if defined(__x86_64__)
  if (set == InstructionSet::x86_64_v3) kernel.advance = pass_v3<steps, chain, port_covers_lane>;
  if (set == InstructionSet::x86_64_v4) kernel.advance = pass_v4<steps, chain, port_covers_lane>;
#endif
  static_cast<void>(set);
  return kernel;
}

template <bool port_covers_lane>
RingKernel longest(InstructionSet set, std::int64_t most_steps, std::int32_t in_flight) {
  // Seven steps need the 32 registers of AVX-512; four are faster with 16.
  const bool many_registers = set == InstructionSet::x86_64_v4;
  if (in_flight == 1) {
    if (most_steps >= 7 && many_registers) return select<7, 1, port_covers_lane>(set);
    if (most_steps >= 4) return select<4, 1, port_covers_lane>(set);
    if (most_steps >= 2) return select<2, 1, port_covers_lane>(set);
  } else if (in_flight == 2 && most_steps >= 6 && many_registers) {
    return select<6, 2, port_covers_lane>(set);
  } else if (in_flight == 2 && most_steps >= 4) {
    return select<4, 2, port_covers_lane>(set);
  } else if (in_flight >= 4 && most_steps >= 4) {
    return select<4, 4, port_covers_lane>(set);
  } else if (most_steps >= 2) {
    return select<2, 2, port_covers_lane>(set);
  }
  return select<1, 1, port_covers_lane>(set);
}

}  // namespace

RingKernel ring_kernel(InstructionSet set, std::int64_t most_steps, std::int32_t in_flight,
                       bool port_covers_lane) {
  return port_covers_lane ? longest<true>(set, most_steps, in_flight)
                          : longest<false>(set, most_steps, in_flight);
}

}  // namespace fabricast
