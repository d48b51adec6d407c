// The clocks of the general engine: lanes, ports, the slots of every connection, ends of marks.
//
// `width` cost sets are evaluated at once: their clocks lie side by side, [index * width + member].
// What the queues count is the same for all of them, because whether a lane can go on never depends
// on a clock (semantics 2.5). Message n of a connection lives in slot n mod depth. Until it is
// received the slot says when it is ready, from then on when its credit is back.
// Invariants: received <= sent <= received + depth. All times in ps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include "emulator/sim/wired_program.hpp"

namespace fabricast {

struct WiredQueue {
  std::int64_t sent = 0;
  std::int64_t received = 0;
  std::int32_t sent_slot = 0;        // sent mod depth, without a division per step
  std::int32_t received_slot = 0;    // received mod depth
  std::int32_t waiting_sender = -1;  // lane to wake, -1 for none
  std::int32_t waiting_receiver = -1;
};

// Eight members' clocks are one cache line; vectors of them begin with one.
template <class T>
struct CacheLineAllocator {
  using value_type = T;
  CacheLineAllocator() = default;
  template <class U>
  explicit CacheLineAllocator(const CacheLineAllocator<U>&) {}
  static constexpr std::align_val_t line{64};
  T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), line));
  }
  void deallocate(T* pointer, std::size_t) { ::operator delete(pointer, line); }
  bool operator==(const CacheLineAllocator&) const = default;
};
using ClockRow = std::vector<std::int64_t, CacheLineAllocator<std::int64_t>>;

struct WiredState {
  WiredState(const WiredProgram& program, std::size_t members)
      : width(members),
        lane(static_cast<std::size_t>(program.lanes) * members, 0),
        port(lane.size(), 0),
        queues(program.connections.size()),
        slots(queues.size() * static_cast<std::size_t>(program.depth) * members, 0),
        mark_ends(program.marks.size()) {}

  std::size_t width;
  ClockRow lane;                   // end of the last step
  ClockRow port;                   // port free again
  std::vector<WiredQueue> queues;  // per connection
  ClockRow slots;                  // [connection * depth + slot]
  // Per mark when its segment ended in each loop, as far as it has.
  std::vector<std::vector<std::int64_t>> mark_ends;
};

}  // namespace fabricast
