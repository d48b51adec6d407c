// Schedules that use what no row of the catalogue does: as imported ones may. Written by hand, so
// that what they compute is plain to see.
#pragma once

#include <cstdint>
#include <string>

#include "emulator/schedule/plan.hpp"

namespace fabricast::conformance {

// All-reduce of p ranks, every rank owning one chunk: everybody's part of it is received into
// scratch chunks (role 1) that another lane (role 2) adds up locally once role 1 has ended, after a
// step that only waits; it then sends the sum to all on a second connection. Target chunks,
// scratch, local copy and reduction, parallel FIFOs, lanes that wait for lanes.
Schedule all_pairs_all_reduce(std::int32_t p);

// All-gather in blocks of two parts, each with lanes and a connection of its own, peers in tables.
Schedule two_part_all_gather(std::int32_t p);

// Ring all-reduce and ring all-gather that find their input in the output buffer.
Schedule ring_in_output(Collective collective, std::int32_t p);

// Broadcast from rank 0 to rank 1, in two chunks. One lane of rank 0 copies a chunk and then sends
// the other one; rank 1 hands that back, to another lane of rank 0, which then sends the copy. Only
// what a message orders besides its own data (semantics 2.3) makes the copy be there.
Schedule handed_back_broadcast();

// Reduce of rank 1's data to rank 0. One lane of rank 0 looks at scratch before another receives
// rank 1's data there; a message that goes round by rank 1 then tells the first, which looks again
// and adds: what a message orders behind it (semantics 2.3) makes it see them. Not in place.
Schedule looked_at_twice_reduce();

struct Cut {
  std::int64_t elements = 0;
  std::int32_t element_bytes = 4;
  std::int32_t channels = 1;
  std::int32_t loops = 1;
  std::int32_t slices = 1;
  std::int32_t fifo_depth = 4;
};
ExecutionPlan plan_of(Schedule schedule, const Cut& cut);

}  // namespace fabricast::conformance
