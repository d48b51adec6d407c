// What a step costs, as arrays over positions: the only thing engines know of hardware.
//
// One virtual call per (phase, repetition) when peers vary with k, one per phase when they do not;
// never one per step. All values are picoseconds >= 0 and are charged per message, that is per
// slice. Latency and port are those of the sending step, credit of the receiving one (semantics
// 3.6).
#pragma once

#include <cstdint>
#include <span>

#include "emulator/schedule/schedule.hpp"

namespace fabricast {

struct CostRows {
  std::span<std::int64_t> lane;     // o + b*g of the step at position x
  std::span<std::int64_t> port;     // b/share of the message x sends
  std::span<std::int64_t> latency;  // L of the message x sends
  std::span<std::int64_t> credit;   // L_credit back to the sender of the message x receives
};

class StepCosts {
 public:
  virtual ~StepCosts() = default;
  // Fill all four rows for a phase at repetition k: as many of the first positions as they have
  // room for. Rows that do not apply (no send, no receive, inactive position, no peer) must be 0.
  virtual void fill(int stage, int group, int phase, std::int32_t k, CostRows rows) const = 0;
  // Does fill() give at repetition k what it gives at `before`? False where that is not known.
  virtual bool repeats(int /*stage*/, int /*group*/, int /*phase*/, std::int32_t /*before*/,
                       std::int32_t /*k*/) const {
    return false;
  }
};

}  // namespace fabricast
