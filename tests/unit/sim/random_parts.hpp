// Stages of random schedules beyond shifts: switches, imported tables, roots, lanes that wait.
//
// Each part is consistent in itself (what is sent is received), so that most random schedules run
// to their end. Pure functions of the draws.
#pragma once

#include <cstdint>
#include <utility>

#include "emulator/base/counter_rng.hpp"
#include "emulator/schedule/schedule.hpp"

namespace fabricast {

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : seed_(seed) {}
  std::int32_t between(std::int32_t low, std::int32_t high) {
    return static_cast<std::int32_t>(random_int(seed_, 77, next_++, low, high));
  }
  bool chance(std::int32_t percent) { return between(1, 100) <= percent; }

 private:
  std::uint64_t seed_;
  std::uint64_t next_ = 0;
};

// A phase of timing tests: no chunks, no buffers.
inline Phase plain_phase(unsigned action, std::uint8_t role, PeerMap in, PeerMap out,
                         Active active = {}) {
  Phase phase;
  phase.action = static_cast<std::uint8_t>(action);
  phase.role = role;
  phase.peer_in = std::move(in);
  phase.peer_out = std::move(out);
  phase.active = std::move(active);
  return phase;
}

// A switch along a random digit: scatter or multicast, a turn that reduces or gathers and may send
// on, a final receive; on one, two or three lanes.
void add_in_switch(Schedule& schedule, Draw& draw);
// One step per stage from tables, as imports have: random pairs of positions, several FIFOs.
void add_imported(Schedule& schedule, Draw& draw);
// Position 0 talks to every other in turn, in one direction or the other.
void add_root(Schedule& schedule, Draw& draw);
// Some phases wait for the end of a stage of another lane of their position.
void add_waiting(Schedule& schedule, Draw& draw);

}  // namespace fabricast
