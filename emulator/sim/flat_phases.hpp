// The phases of a schedule in one list, and their cost rows.
//
// Engines walk stages, repetitions, slices and phases in the order of docs/semantics.md 2.2; they
// address a phase by its flat index. A phase whose peers do not depend on the repetition has one
// set of rows, filled once; the others are filled again for each repetition by the engine. A phase
// with a group peer is one step with many messages (semantics 1.4).
// Memory: 32 bytes per position and constant phase.
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/cost/step_costs.hpp"
#include "emulator/schedule/schedule.hpp"

namespace fabricast {

struct FlatPhase {
  int stage = 0;
  int group = 0;
  int index = 0;  // in its group
  const Phase* phase = nullptr;
  bool receives = false;
  bool sends = false;
  bool varies = false;  // a peer it uses depends on the repetition
};

// All phases in listing order. Pointers refer to `schedule`.
std::vector<FlatPhase> flatten(const Schedule& schedule);

// Does position x execute the phase at repetition k (active, and every peer it uses exists)? A group
// without other members is no reason not to, unless nothing but its messages is left to do.
bool executes(const FlatPhase& phase, const RankSpace& space, std::int32_t x, std::int32_t k);

// The same but for whether it is active.
bool peers_exist(const FlatPhase& phase, const RankSpace& space, std::int32_t x, std::int32_t k);

// Which of some phases are active at a position. Many ask the same: that is looked up once.
class ActivePhases {
 public:
  ActivePhases(const std::vector<FlatPhase>& flat, const std::vector<std::size_t>& phases);
  void look_at(const RankSpace& space, std::int32_t x);
  // Is phases[i] active at the position last looked at?
  bool operator[](std::size_t i) const { return answers_[question_of_[i]] != 0; }

 private:
  std::vector<const Active*> questions_;
  std::vector<std::size_t> question_of_;  // by phase
  std::vector<std::uint8_t> answers_;
};

// Positions x receives from, or sends to, in this phase: one; or a group's other members.
std::vector<std::int32_t> senders_of(const FlatPhase& phase, const RankSpace& space, std::int32_t x,
                                     std::int32_t k);
std::vector<std::int32_t> receivers_of(const FlatPhase& phase, const RankSpace& space,
                                       std::int32_t x, std::int32_t k);

// The lane of x that the phase waits for, if any.
struct Awaited {
  std::int32_t role = -1;
  std::int32_t stage = -1;
};
Awaited awaited_by(const Phase& phase, std::int32_t x);

// Four rows of one phase: lane, port, latency, credit.
struct CostBlock {
  std::vector<std::int64_t> lane, port, latency, credit;

  explicit CostBlock(std::size_t positions = 0);
  CostRows rows() { return {lane, port, latency, credit}; }
  void fill(const StepCosts& costs, const FlatPhase& phase, std::int32_t k);
};

}  // namespace fabricast
