// Several steps of a ring at once, kept in registers: the inner loop of ring_block.hpp.
//
// A pass advances a range of columns by F steps of one phase that receives from column x-1 and
// sends to x+1. Left to right, F steps of a vector of columns need only the vector before it: the
// ready times travel through registers. A slot sent into at step t was released at step t-L, so
// F <= L steps see only finished credits. `chain` = min(F, messages in flight u): step j >= u
// receives what step j-u has just sent.
// Clocks are int64, or doubles that hold integers below 2^51, where sums and maxima are exact as
// well: without AVX-512 a maximum of doubles is one instruction, one of int64 is several.
// Every variant computes the same integers. The caller provides `margin` readable columns beyond
// the range; what is computed from values left of the range is the caller's to discard.
#pragma once

#include <array>
#include <cstdint>

#include "emulator/sim/instruction_set.hpp"

namespace fabricast {

inline constexpr std::int32_t ring_vector_columns = 8;  // ranges are multiples of this
inline constexpr std::int32_t max_pass_steps = 7;
inline constexpr std::int32_t max_pass_chain = 4;

template <class T>
struct RingPass {
  T* lane = nullptr;
  T* port = nullptr;
  std::array<T*, max_pass_chain> ready_in{}, ready_out{};
  std::array<T*, max_pass_steps> credit{};  // read at x+1, then overwritten at x
  const T* lane_cost = nullptr;
  const T* port_cost = nullptr;
  const T* latency = nullptr;
  const T* credit_cost = nullptr;
  std::int32_t columns = 0;
};

template <class T>
struct RingKernel {
  std::int32_t steps = 1;
  std::int32_t chain = 1;
  void (*advance)(const RingPass<T>& pass) = nullptr;
};

// The longest pass of at most `most_steps` steps with `in_flight` messages on each connection.
// `port_covers_lane`: no port is ever free before its lane, which saves one maximum
// (ring_block.cpp says when). T is std::int64_t or double.
template <class T>
RingKernel<T> ring_kernel(InstructionSet set, std::int64_t most_steps, std::int32_t in_flight,
                          bool port_covers_lane);
extern template RingKernel<std::int64_t> ring_kernel(InstructionSet, std::int64_t, std::int32_t,
                                                     bool);
extern template RingKernel<double> ring_kernel(InstructionSet, std::int64_t, std::int32_t, bool);

}  // namespace fabricast
