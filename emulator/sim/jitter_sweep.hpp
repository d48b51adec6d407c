// The general engine under jitter: members of an ensemble, eight per pass.
//
// Member m is the exact makespan of the schedule whose n-th step of each lane has its costs times
// the factors of jitter.hpp for keys[m]. Nothing is folded and nothing jumps: no two steps are
// alike. Deterministic. Cost: steps x members updates and draws; memory as wired_sweep_many without
// the costs, and less where lanes have an order (lane_stream.hpp).
#pragma once

#include <cstdint>
#include <span>

#include "emulator/sim/factor_table.hpp"
#include "emulator/sim/instruction_set.hpp"
#include "emulator/sim/wired_many.hpp"

namespace fabricast {

// Throws UsageError on a deadlock.
ManyOutcome jitter_sweep(const WiredProgram& program, const FactorTable& table,
                         std::span<const std::uint64_t> keys, std::int32_t loops,
                         std::int32_t slices, InstructionSet set);

}  // namespace fabricast
