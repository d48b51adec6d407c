#include "emulator/sim/wired_many.hpp"

#include <algorithm>

#include "emulator/sim/member_clocks.hpp"
#include "emulator/sim/wired_sweep.hpp"

namespace fabricast {
namespace {

std::int64_t steps_of(const WiredProgram& program) {
  std::int64_t steps = 0;
  for (const WiredSegment& segment : program.segments) {
    steps += static_cast<std::int64_t>(segment.steps.size());
  }
  return steps;
}

// The costs of eight members, step by step.
class SetSource {
 public:
  static constexpr bool costs_stay = true;
  SetSource(const WiredProgram& program, const Schedule& schedule,
            std::span<const StepCosts* const> sets)
      : first_segment_(program.segments.data()) {
    for (const WiredSegment& segment : program.segments) costs_.emplace_back(segment.steps.size());
    for (std::size_t m = 0; m < wired_members; ++m) {
      // Places without a member repeat the first.
      const auto of = costs_of_steps(program, schedule, *sets[m < sets.size() ? m : 0]);
      for (std::size_t s = 0; s < of.size(); ++s) {
        for (std::size_t i = 0; i < of[s].size(); ++i) {
          MemberCosts& to = costs_[s][i];
          for (std::size_t kind = 0; kind < to.size(); ++kind) to[kind][m] = of[s][i][kind];
        }
      }
    }
  }

  const std::vector<MemberCosts>& costs(const WiredSegment& segment) const {
    return costs_[static_cast<std::size_t>(&segment - first_segment_)];
  }
  const MemberCosts& costs(const WiredPlace& place) const {
    return costs(place.segment)[static_cast<std::size_t>(&place.step - place.segment.steps.data())];
  }

 private:
  const WiredSegment* first_segment_;
  std::vector<std::vector<MemberCosts>> costs_;
};

void one_by_one(WiredProgram program, const Schedule& schedule,
                std::span<const StepCosts* const> sets, std::int32_t loops, std::int32_t slices,
                bool jump, ManyOutcome& result) {
  for (const StepCosts* costs : sets) {
    const auto of = costs_of_steps(program, schedule, *costs);
    for (std::size_t s = 0; s < of.size(); ++s) {
      for (std::size_t i = 0; i < of[s].size(); ++i) {
        program.segments[s].steps[i].costs = of[s][i];
      }
    }
    const EngineOutcome outcome = wired_sweep(program, loops, slices, jump);
    result.makespan_ps.push_back(outcome.makespan_ps);
    result.updates += outcome.updates;
    result.skipped += outcome.skipped;
    result.state_bytes = outcome.state_bytes;
  }
}

}  // namespace

ManyOutcome wired_sweep_many(const WiredProgram& program, const Schedule& schedule,
                             std::span<const StepCosts* const> sets, std::int32_t loops,
                             std::int32_t slices, InstructionSet set, bool jump) {
  ManyOutcome result;
  const std::int64_t bytes = steps_of(program) * static_cast<std::int64_t>(sizeof(MemberCosts));
  if (sets.size() < 2 || bytes > max_many_bytes) {
    one_by_one(program, schedule, sets, loops, slices, jump, result);
    return result;
  }
  for (std::size_t first = 0; first < sets.size(); first += wired_members) {
    const auto members = sets.subspan(first, std::min(wired_members, sets.size() - first));
    SetSource source(program, schedule, members);
    MemberClocks<SetSource> clocks(set, source);
    WiredRun<MemberClocks<SetSource>> run(program, loops, slices, jump, clocks);
    run.run();
    const MemberRow ends = member_makespans(run);
    result.makespan_ps.insert(result.makespan_ps.end(), ends.begin(),
                              ends.begin() + static_cast<std::ptrdiff_t>(members.size()));
    const auto count = static_cast<std::int64_t>(members.size());
    result.updates += run.updates() * count;
    result.skipped += run.skipped() * count;
    result.state_bytes = run.state_bytes() + bytes;
  }
  return result;
}

}  // namespace fabricast
