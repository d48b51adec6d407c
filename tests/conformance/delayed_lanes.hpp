// The lane logic on threads that are held up on purpose: as CTAs of a device would run, or worse.
//
// Every thread yields or sleeps, by seeded chance, at each look at a connection, after each step it
// has chosen and before each publication (message, credit, step counter). Lanes run one to a
// thread, or all lanes of a rank on one thread in listed, reversed or shuffled order. Connections
// are FIFOs of one memory, or as between GPUs. For
// ThreadSanitizer: all data are plain memory, only the counters are atomic.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/runtime/compile_plan.hpp"

namespace fabricast::conformance {

enum class LaneOrder : std::uint8_t { one_thread_each, listed, reversed, shuffled };
inline constexpr LaneOrder lane_orders[] = {LaneOrder::one_thread_each, LaneOrder::listed,
                                            LaneOrder::reversed, LaneOrder::shuffled};

struct DelayedRun {
  std::uint64_t seed = 0;
  LaneOrder order = LaneOrder::one_thread_each;
  double stall_limit_seconds = 20;
  bool peers = false;  // every rank a memory of its own, connections between them (peer_port.hpp)
  std::vector<std::int32_t> withheld;  // lanes that never start
};

struct DelayedResult {
  std::int64_t wrong = 0;  // elements that differ from the reference
  std::string stall;       // empty, or who waited for what
};

DelayedResult run_delayed(const RunRequest& request, const DelayedRun& run);

}  // namespace fabricast::conformance
