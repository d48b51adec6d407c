// Break correct schedules in every way we can think of; the verifier must notice each time.
//
// Whether a mutant is harmful is judged by random interleavings (random_interleaving.hpp). A mutant
// that computes the right result in all of them (two independent steps swapped, say) is harmless;
// every other one must be caught. Dependences have a test of their own (dependence_mutation_test).
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "emulator/schedule/catalogue.hpp"
#include "emulator/schedule/verify/verify.hpp"
#include "tests/property/random_interleaving.hpp"

namespace fabricast {
namespace {

enum class Mutation {
  drop, double_step, swap, wrong_source_peer, wrong_destination_peer, wrong_source_chunk,
  wrong_target_chunk, wrong_fifo, wrong_source_buffer, wrong_target_buffer, lose_reduce, lose_copy,
  lose_send, shorten, no_slots, fuse, count
};

void rebundle(LaneProgram& program) {
  program.bundles.clear();
  for (std::size_t i = 0; i <= program.steps.size(); ++i) {
    program.bundles.push_back(static_cast<std::int32_t>(i));
  }
}

std::uint32_t another(std::uint64_t value, std::uint64_t count, Random& random) {
  if (count < 2) return static_cast<std::uint32_t>(value) & 0xFFFFFFu;
  const auto shift = 1 + static_cast<std::uint64_t>(random.upto(count - 1));
  return static_cast<std::uint32_t>((value + shift) % count) & 0xFFFFFFu;
}

void insert(LaneProgram& program, std::size_t i, std::size_t of) {
  const auto at = static_cast<std::ptrdiff_t>(i);
  program.steps.insert(program.steps.begin() + at, Step(program.steps[of]));
  program.extras.insert(program.extras.begin() + at, StepExtra(program.extras[of]));
  program.origins.insert(program.origins.begin() + at, StepOrigin(program.origins[of]));
}

void erase(LaneProgram& program, std::size_t i) {
  const auto at = static_cast<std::ptrdiff_t>(i);
  program.steps.erase(program.steps.begin() + at);
  program.extras.erase(program.extras.begin() + at);
  program.origins.erase(program.origins.begin() + at);
}

void exchange(LaneProgram& program, std::size_t i) {
  std::swap(program.steps[i], program.steps[i + 1]);
  std::swap(program.extras[i], program.extras[i + 1]);
}

// Every lane receives before the send that it owes first: all wait for all.
void fuse(std::vector<LaneProgram>& programs) {
  for (LaneProgram& each : programs) {
    if (each.steps.size() < 2) continue;
    const bool owes = (each.steps[0].action & action_send) != 0;
    if (owes && (each.steps[1].action & action_recv) != 0) exchange(each, 0);
  }
}

// Changes one field of a step; false where the mutation does not apply to it.
bool mutate_step(const Schedule& schedule, LaneProgram& program, std::size_t i, Mutation how,
                 Random& random) {
  Step& step = program.steps[i];
  const auto ranks = static_cast<std::uint64_t>(schedule.positions());
  const auto chunks = static_cast<std::uint64_t>(schedule.chunks);
  const bool receives = (step.action & action_recv) != 0;
  const bool sends = (step.action & action_send) != 0;
  const auto lose = [&](unsigned action) {
    const bool has = (step.action & action) != 0;
    step.action = static_cast<unsigned>(step.action & ~action) & 15u;
    return has;
  };
  switch (how) {
    case Mutation::wrong_source_peer:
      step.peer_in = another(step.peer_in, ranks, random) & 0xFFFFFFu;
      return receives;
    case Mutation::wrong_destination_peer:
      step.peer_out = another(step.peer_out, ranks, random) & 0xFFFFFFu;
      return sends;
    case Mutation::wrong_source_chunk:
      step.source_chunk = another(step.source_chunk, chunks, random) & 0xFFFFFFu;
      return true;
    case Mutation::wrong_target_chunk:
      step.target_chunk = another(step.target_chunk, chunks, random) & 0xFFFFFFu;
      return true;
    case Mutation::wrong_fifo:
      (receives ? program.extras[i].fifo_in : program.extras[i].fifo_out) ^= 1;
      return receives || sends;
    case Mutation::wrong_source_buffer: step.source = (step.source + 1u) % 3u & 3u; return true;
    case Mutation::wrong_target_buffer: step.target = (step.target + 1u) % 3u & 3u; return true;
    case Mutation::lose_reduce: return lose(action_reduce);
    case Mutation::lose_copy: return lose(action_copy);
    case Mutation::lose_send: return lose(action_send);
    case Mutation::shorten:
      if (step.chunk_count < 2) return false;
      step.chunk_count = (step.chunk_count - 1u) & 0xFFFFu;
      return true;
    default: return false;
  }
}

bool mutate(Schedule& schedule, std::vector<LaneProgram>& programs, Mutation how, Random& random) {
  LaneProgram& program = programs[static_cast<std::size_t>(random.upto(programs.size()))];
  if (program.steps.empty()) return false;
  const auto i = static_cast<std::size_t>(random.upto(program.steps.size()));
  bool applies = true;
  switch (how) {
    case Mutation::drop: erase(program, i); break;
    case Mutation::double_step: insert(program, i, i); break;
    case Mutation::swap:
      applies = i + 1 < program.steps.size();
      if (applies) exchange(program, i);
      break;
    case Mutation::no_slots: schedule.fifo_depth = 0; break;
    case Mutation::fuse: fuse(programs); break;
    default: applies = mutate_step(schedule, program, i, how, random);
  }
  for (LaneProgram& each : programs) rebundle(each);
  return applies;
}

TEST(ScheduleMutations, EveryHarmfulOneIsCaught) {
  const std::vector<RankSpace> spaces = {RankSpace{2}, RankSpace{5}, RankSpace{8}, RankSpace{3, 2},
                                         RankSpace{2, 4}};
  int harmful = 0, caught = 0, applied = 0, false_alarms = 0;
  std::map<int, int> harmful_by_kind;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    Random random{seed + 1};
    const auto catalogue = algorithm_catalogue();
    const AlgorithmEntry& entry = catalogue[static_cast<std::size_t>(random.upto(catalogue.size()))];
    const RankSpace& space = spaces[static_cast<std::size_t>(random.upto(spaces.size()))];
    if (!why_not(entry, space).empty()) continue;
    Schedule schedule = entry.build({space, 2, seed % 2 == 1});
    schedule.fifo_depth = 2 + random.upto(4);
    const Placement placement = Placement::identity(schedule.space);
    auto programs = expand_all(schedule, placement);
    for (auto& program : programs) rebundle(program);
    ASSERT_TRUE(verify(LaneSource(schedule, placement, programs)).ok()) << entry.name;
    const auto right = RandomInterleaving(schedule, programs, seed).run();
    ASSERT_TRUE(right.has_value()) << entry.name << " " << to_string(entry.collective);

    const auto how = static_cast<Mutation>(random.upto(static_cast<std::size_t>(Mutation::count)));
    if (!mutate(schedule, programs, how, random)) continue;
    ++applied;
    const bool found = !verify(LaneSource(schedule, placement, programs)).ok();
    bool bad = false;
    for (std::uint64_t i = 0; i < 4 && !bad; ++i) {
      const auto outputs = RandomInterleaving(schedule, programs, seed * 17 + i).run();
      bad = outputs != right;
    }
    if (bad) {
      ++harmful;
      ++harmful_by_kind[static_cast<int>(how)];
      caught += found ? 1 : 0;
      EXPECT_TRUE(found) << "seed " << seed << ": " << entry.name << " "
                         << to_string(entry.collective) << " on " << space.domains() << " x "
                         << space.domain_size() << ", mutation " << static_cast<int>(how);
    } else {
      false_alarms += found ? 1 : 0;
    }
  }
  RecordProperty("harmful", harmful);
  RecordProperty("caught", caught);
  RecordProperty("reported_though_random_runs_agree", false_alarms);
  std::printf("%d mutants, %d harmful, %d caught; %d reported though the random runs agree\n", applied,
              harmful, caught, false_alarms);
  EXPECT_GE(harmful, 500);
  EXPECT_EQ(harmful_by_kind.size(), static_cast<std::size_t>(Mutation::count));
}

}  // namespace
}  // namespace fabricast
