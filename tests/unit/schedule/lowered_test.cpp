#include "emulator/schedule/lowered.hpp"

#include <gtest/gtest.h>

#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/expand.hpp"

namespace fabricast {
namespace {

constexpr int none = static_cast<int>(no_peer);

// What a step does: action, from whom, to whom, which buffer and chunk it reads and stores to.
struct Seen {
  int action, in, out, source, source_chunk, target, target_chunk, fifo;
  bool operator==(const Seen&) const = default;
};

std::vector<Seen> steps_of(const Schedule& schedule, std::int32_t rank, std::int32_t role) {
  std::vector<Seen> seen;
  const auto program = expand(schedule, Placement::identity(schedule.space), rank, role);
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    const Step& step = program.steps[i];
    const bool receives = (step.action & action_recv) != 0;
    const bool reads = !receives || (step.action & action_reduce) != 0;
    const bool stores = (step.action & action_copy) != 0;
    const auto number = [](std::uint64_t value) { return static_cast<int>(value); };
    seen.push_back({number(step.action), number(step.peer_in), number(step.peer_out),
                    reads ? number(step.source) : -1, reads ? number(step.source_chunk) : -1,
                    stores ? number(step.target) : -1, stores ? number(step.target_chunk) : -1,
                    receives ? program.extras[i].fifo_in : program.extras[i].fifo_out});
  }
  return seen;
}

constexpr int input = 0, output = 1;
constexpr std::uint8_t adds = action_recv | action_reduce | action_copy;
constexpr std::uint8_t stores = action_recv | action_copy;

// Position 1 of 3, by hand: it hands the others their parts, adds theirs to its own, from the
// member below first, publishes the sum, and takes the others' sums.
TEST(Lowered, AnAllReduceThroughASwitchOfThree) {
  for (const Schedule& schedule :
       {in_switch_all_reduce({3}), lowered(in_switch_all_reduce({3}))}) {
    EXPECT_EQ(steps_of(schedule, 1, 0),
              (std::vector<Seen>{{action_send, none, 2, input, 2, -1, -1, 0},
                                 {action_send, none, 0, input, 0, -1, -1, 0}}));
    EXPECT_EQ(steps_of(schedule, 1, 1),
              (std::vector<Seen>{{adds, 0, none, input, 1, output, 1, 0},
                                 {adds, 2, none, output, 1, output, 1, 0},
                                 {action_send, none, 2, output, 1, -1, -1, 1},
                                 {action_send, none, 0, output, 1, -1, -1, 1}}));
    EXPECT_EQ(steps_of(schedule, 1, 2),
              (std::vector<Seen>{{stores, 0, none, -1, -1, output, 0, 1},
                                 {stores, 2, none, -1, -1, output, 2, 1}}));
  }
}

// Lowering the schedule and then expanding it is expanding it.
TEST(Lowered, SchedulesExpandToTheSameSteps) {
  const RankSpace space{5, 3};
  for (const Schedule& schedule : {in_switch_all_reduce({5}), in_switch_all_reduce(space),
                                   in_switch_all_gather({4}), in_switch_all_gather(space),
                                   in_switch_reduce_scatter(space)}) {
    const Schedule parts = lowered(schedule);
    EXPECT_TRUE(has_groups(schedule));
    EXPECT_FALSE(has_groups(parts));
    for (std::int32_t rank = 0; rank < schedule.positions(); ++rank) {
      for (std::int32_t role = 0; role < schedule.roles; ++role) {
        EXPECT_EQ(steps_of(parts, rank, role), steps_of(schedule, rank, role));
      }
    }
  }
}

// Alone in its group a rank has nobody to hear from, and still stores its own part.
TEST(Lowered, AGroupOfOneKeepsItsOwnPart) {
  Phase phase{adds, Buffer::input, 0, PeerMap::group(0), {}, {}, {}};
  const auto parts = lowered(phase, RankSpace{1, 4});
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].action, action_copy);
  phase.per_member = true;
  EXPECT_TRUE(lowered(phase, RankSpace{1, 4}).empty());
}

}  // namespace
}  // namespace fabricast
