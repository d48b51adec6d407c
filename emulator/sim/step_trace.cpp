#include "emulator/sim/step_trace.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "emulator/base/contracts.hpp"
#include "emulator/cost/table_step_costs.hpp"
#include "emulator/sim/flat_phases.hpp"

namespace fabricast {
namespace {

// A class as the engine evaluated it, and the rank that stands for it.
struct Representative {
  std::int32_t rank_class = 0, members = 0, position = 0, rank = 0;
};

// By column of the engine, of the classes asked for.
std::map<std::int32_t, Representative> representatives(const SweepResult& swept,
                                                       const Placement& placement,
                                                       std::int32_t positions,
                                                       const std::vector<std::int32_t>& asked) {
  std::map<std::int32_t, Representative> by_column;
  for (std::int32_t x = 0; x < positions; ++x) {
    const std::int32_t rank = placement.rank_at(x);
    const bool folded = !swept.class_of.empty();
    const std::int32_t column = folded ? swept.class_of[static_cast<std::size_t>(x)] : x;
    const std::int32_t rank_class = folded ? column : rank;
    if (!asked.empty() && std::find(asked.begin(), asked.end(), rank_class) == asked.end())
      continue;
    Representative& known = by_column[column];
    ++known.members;
    if (known.members == 1 || rank < known.rank) known = {rank_class, known.members, x, rank};
  }
  return by_column;
}

// Goes through the steps of one lane in their order (semantics 2.2), without slices unrolled into
// the phases: call next() for each step.
class LaneWalk {
 public:
  LaneWalk(const Schedule& schedule, const std::vector<FlatPhase>& flat, std::int32_t slices,
           std::int32_t position, std::int32_t role)
      : schedule_(schedule), flat_(flat), slices_(slices), position_(position), role_(role) {
    find_phases();
  }

  // Onto the next step; call it before the first one too. Expects that there is one.
  void next() {
    do {
      advance();
    } while (!executes(phase(), schedule_.space, position_, repetition_));
    ++step_;
  }

  const FlatPhase& phase() const { return flat_[phases_[static_cast<std::size_t>(at_)]]; }
  std::int64_t step() const { return step_; }
  std::int32_t loop() const { return loop_; }
  std::int32_t repetition() const { return repetition_; }
  std::int32_t slice() const { return slice_; }

 private:
  void find_phases() {
    phases_.clear();
    for (std::size_t f = 0; f < flat_.size(); ++f) {
      if (flat_[f].stage == stage_ && flat_[f].phase->role == role_) phases_.push_back(f);
    }
  }

  void advance() {
    if (++at_ < static_cast<std::int32_t>(phases_.size())) return;
    at_ = 0;
    if (++slice_ < slices_ && !phases_.empty()) return;
    slice_ = 0;
    if (++repetition_ < repeat() && !phases_.empty()) return;
    do {
      repetition_ = 0;
      if (++stage_ == static_cast<std::int32_t>(schedule_.stages.size())) {
        stage_ = 0;
        ++loop_;
      }
      find_phases();
    } while (phases_.empty() || repeat() < 1);
  }

  std::int32_t repeat() const { return schedule_.stages[static_cast<std::size_t>(stage_)].repeat; }

  const Schedule& schedule_;
  const std::vector<FlatPhase>& flat_;
  std::int32_t slices_, position_, role_;
  std::vector<std::size_t> phases_;  // of the role in the stage
  std::int32_t stage_ = 0, loop_ = 0, repetition_ = 0, slice_ = 0, at_ = -1;
  std::int64_t step_ = -1;
};

TracedStep described(const LaneWalk& walk, const Representative& who, const LoggedStep& logged,
                     const Schedule& schedule, const Placement& placement,
                     const TableStepCosts& costs) {
  const FlatPhase& flat = walk.phase();
  const auto peer = [&](bool used, const PeerMap& map) {
    if (!used) return TracedStep::nobody;
    if (map.is_group()) return TracedStep::a_group;
    return placement.rank_at(peer_of(map, schedule.space, who.position, walk.repetition()));
  };
  TracedStep row;
  row.rank_class = who.rank_class;
  row.members = who.members;
  row.rank = who.rank;
  row.role = logged.role;
  row.stage = flat.stage;
  row.loop = walk.loop();
  row.repetition = walk.repetition();
  row.slice = walk.slice();
  row.step = logged.step;
  row.action = flat.phase->action;
  row.bound = logged.bound;
  row.peer_in = peer(flat.receives, flat.phase->peer_in);
  row.peer_out = peer(flat.sends, flat.phase->peer_out);
  row.bytes = costs.bytes(flat.stage, flat.group, flat.index);
  row.start_ps = logged.start_ps;
  row.end_ps = logged.end_ps;
  row.ready_ps = logged.ready_ps;
  return row;
}

}  // namespace

StepTrace trace_steps(const CollectiveCase& made, std::size_t channel_class,
                      const SweepResult& swept, const EngineOptions& options,
                      const StepTraceRequest& request) {
  const ChannelClass& channels = made.channel_classes[channel_class];
  const ChannelPlan& channel =
      made.plan.channels[static_cast<std::size_t>(channels.representative)];
  const Schedule& schedule = *channel.schedule;
  const auto* costs = dynamic_cast<const TableStepCosts*>(channels.costs.get());
  FABRICAST_EXPECT(costs != nullptr, "costs of a case builder");
  const auto who = representatives(swept, channel.placement, schedule.positions(), request.classes);
  std::vector<std::int32_t> columns;
  for (const auto& [column, representative] : who) columns.push_back(column);
  StepLog log(columns, schedule.roles, request.window, static_cast<std::size_t>(request.most_rows));
  const SweepResult again = evaluate_channel(made, channel_class, options, &log);
  FABRICAST_ENSURE(again.class_of == swept.class_of && again.makespan == swept.makespan,
                   "a log changes no result");

  StepTrace trace;
  trace.channel = channels.representative;
  trace.classes = swept.classes;
  trace.steps = log.found();
  trace.complete_until_ps = std::min(log.complete_until_ps(), swept.makespan.value());
  for (const Stage& stage : schedule.stages) trace.stages.push_back(stage.name);
  const auto flat = flatten(schedule);
  std::optional<LaneWalk> walk;
  const LoggedStep* before = nullptr;
  const auto kept = log.take();
  for (const LoggedStep& logged : kept) {
    const Representative& representative = who.at(logged.column);
    const bool same_lane =
        before != nullptr && before->column == logged.column && before->role == logged.role;
    if (!same_lane) {
      walk.emplace(schedule, flat, made.plan.slices, representative.position, logged.role);
    }
    while (walk->step() < logged.step) walk->next();
    trace.rows.push_back(
        described(*walk, representative, logged, schedule, channel.placement, *costs));
    before = &logged;
  }
  std::stable_sort(
      trace.rows.begin(), trace.rows.end(), [](const TracedStep& a, const TracedStep& b) {
        return a.rank_class < b.rank_class;  // columns are positions where nothing was folded
      });
  return trace;
}

std::int64_t most_steps_per_rank(const ExecutionPlan& plan) {
  std::int64_t most = 0;
  for (const ChannelPlan& channel : plan.channels) {
    std::int64_t steps = 0;
    for (const FlatPhase& phase : flatten(*channel.schedule)) {
      steps += channel.schedule->stages[static_cast<std::size_t>(phase.stage)].repeat;
    }
    most = std::max(most, steps * plan.loops * plan.slices);
  }
  return most;
}

}  // namespace fabricast
