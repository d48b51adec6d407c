#include "emulator/sim/wired_program.hpp"

#include <fmt/format.h>

#include <unordered_map>

#include "emulator/base/error.hpp"
#include "emulator/sim/flat_phases.hpp"

namespace fabricast {
namespace {

// 40 bytes each: at most 1.6 GB of steps.
constexpr std::int64_t max_steps = 40'000'000;

class Wiring {
 public:
  Wiring(const Schedule& schedule, const StepCosts& costs)
      : schedule_(schedule), costs_(costs), flat_(flatten(schedule)) {
    program_.lanes = schedule.positions() * schedule.roles;
    program_.roles = schedule.roles;
    program_.depth = schedule.fifo_depth;
  }

  WiredProgram build() {
    for (std::size_t s = 0; s < schedule_.stages.size(); ++s) {
      program_.stage_names.push_back(schedule_.stages[s].name);
      add_stage(static_cast<std::int32_t>(s));
    }
    return std::move(program_);
  }

 private:
  void add_stage(std::int32_t stage);
  void add_segment(std::int32_t stage, const std::vector<std::size_t>& phases, std::int32_t k,
                   std::int32_t repeat);
  std::int32_t connection(std::int32_t source, std::int32_t destination);
  void claim(std::int32_t& owner, std::int32_t lane) const;

  const Schedule& schedule_;
  const StepCosts& costs_;
  std::vector<FlatPhase> flat_;
  WiredProgram program_;
  std::int64_t steps_ = 0;
  std::unordered_map<std::uint64_t, std::int32_t> numbers_;
};

std::int32_t Wiring::connection(std::int32_t source, std::int32_t destination) {
  const auto key =
      static_cast<std::uint64_t>(source) << 32 | static_cast<std::uint32_t>(destination);
  const auto next = static_cast<std::int32_t>(program_.connections.size());
  const auto [it, added] = numbers_.try_emplace(key, next);
  if (added) program_.connections.push_back({source, destination, -1, -1});
  return it->second;
}

void Wiring::claim(std::int32_t& owner, std::int32_t lane) const {
  if (owner >= 0 && owner != lane) {
    throw UsageError(
        fmt::format("two lanes of position {} use the same end of one connection "
                    "(their order is not defined); give them one role",
                    lane / schedule_.roles));
  }
  owner = lane;
}

void Wiring::add_stage(std::int32_t stage) {
  const std::int32_t repeat = schedule_.stages[static_cast<std::size_t>(stage)].repeat;
  std::vector<std::size_t> phases;
  bool varies = false;
  for (std::size_t f = 0; f < flat_.size(); ++f) {
    if (flat_[f].stage != stage) continue;
    phases.push_back(f);
    varies = varies || flat_[f].varies;
  }
  if (repeat < 1) return;
  const std::size_t first = program_.segments.size();
  if (!varies) {
    add_segment(stage, phases, 0, repeat);
  } else {
    for (std::int32_t k = 0; k < repeat; ++k) add_segment(stage, phases, k, 1);
  }
  program_.segments[first].opens_stage = true;
}

void Wiring::add_segment(std::int32_t stage, const std::vector<std::size_t>& phases, std::int32_t k,
                         std::int32_t repeat) {
  const std::int32_t positions = schedule_.positions();
  std::vector<CostBlock> costs;
  for (const std::size_t f : phases) {
    costs.emplace_back(static_cast<std::size_t>(positions));
    costs.back().fill(costs_, flat_[f], flat_[f].varies ? k : 0);
  }
  WiredSegment segment;
  segment.stage = stage;
  segment.first_repetition = k;
  segment.repeat = repeat;
  segment.begin.push_back(0);
  for (std::int32_t lane = 0; lane < program_.lanes; ++lane) {
    const std::int32_t x = lane / schedule_.roles;
    const auto at = static_cast<std::size_t>(x);
    for (std::size_t i = 0; i < phases.size(); ++i) {
      const FlatPhase& phase = flat_[phases[i]];
      if (phase.phase->role != lane % schedule_.roles) continue;
      if (!executes(phase, schedule_.space, x, k)) continue;
      WiredStep step{
          -1, -1, costs[i].lane[at], costs[i].port[at], costs[i].latency[at], costs[i].credit[at]};
      if (phase.receives) {
        step.in = connection(peer_of(phase.phase->peer_in, schedule_.space, x, k), x);
        claim(program_.connections[static_cast<std::size_t>(step.in)].receiving_lane, lane);
      }
      if (phase.sends) {
        step.out = connection(x, peer_of(phase.phase->peer_out, schedule_.space, x, k));
        claim(program_.connections[static_cast<std::size_t>(step.out)].sending_lane, lane);
      }
      segment.steps.push_back(step);
    }
    segment.begin.push_back(static_cast<std::int32_t>(segment.steps.size()));
  }
  steps_ += static_cast<std::int64_t>(segment.steps.size());
  if (steps_ > max_steps) {
    throw UsageError(
        fmt::format("the schedule is irregular and unrolls into more than {} steps "
                    "(peers vary with the repetition); use fewer ranks",
                    max_steps));
  }
  program_.segments.push_back(std::move(segment));
}

}  // namespace

WiredProgram wire(const Schedule& schedule, const StepCosts& costs) {
  return Wiring(schedule, costs).build();
}

}  // namespace fabricast
