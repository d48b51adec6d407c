// One step of W members with their clocks in registers: semantics 3.1 to 3.5.
//
// For files with kernels only (vector_rows.hpp). Pure.
#pragma once

#include <cstdint>

#include "emulator/sim/vector_rows.hpp"
#include "emulator/sim/wired_program.hpp"

namespace fabricast {

// `in`, `out`: the slots received from and sent into, null for none. Costs are [4][members] from
// the first of the W members on.
template <int W, int members>
[[gnu::always_inline]] inline void advance_step(Vector<std::int64_t, W>& lane,
                                                Vector<std::int64_t, W>& port,
                                                const std::int64_t* costs, std::int64_t* in,
                                                std::int64_t* out) {
  Vector<std::int64_t, W> start = lane;
  if (in != nullptr) start = larger<std::int64_t, W>(start, load<W>(in));
  if (out != nullptr) start = larger<std::int64_t, W>(start, load<W>(out));
  lane = start + load<W>(costs);
  if (in != nullptr) store<W>(in, lane + load<W>(costs + credit_cost * members));
  if (out != nullptr) {
    port = larger<std::int64_t, W>(port, start) + load<W>(costs + port_cost * members);
    store<W>(out, larger<std::int64_t, W>(lane, port) + load<W>(costs + latency_cost * members));
  }
}

}  // namespace fabricast
