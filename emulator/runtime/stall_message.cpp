#include <fmt/format.h>

#include "emulator/runtime/compile_plan.hpp"

namespace fabricast {
namespace {

// "a message from rank 1"
std::string awaited(const CompiledPlan& compiled, const lane::StallRecord& stall) {
  const auto& lane = compiled.image.lanes[static_cast<std::size_t>(stall.lane)];
  const auto at = static_cast<std::size_t>(stall.step);
  if (stall.wait == lane::Wait::message) {
    return "a message from rank " + std::to_string(lane.steps[at].peer_in);
  }
  if (stall.wait == lane::Wait::room) {
    return "a free slot towards rank " + std::to_string(lane.steps[at].peer_out);
  }
  const auto& on = lane.dependencies[static_cast<std::size_t>(lane.links[at].after)];
  const auto& schedule = *compiled.schedules[static_cast<std::size_t>(lane.channel)];
  return fmt::format("role {} to end stage {}",
                     compiled.image.lanes[static_cast<std::size_t>(on.lane)].role,
                     schedule.stages[static_cast<std::size_t>(on.stage)].name);
}

}  // namespace

std::string describe_stall(const CompiledPlan& compiled, const lane::StallRecord& stall) {
  const auto index = static_cast<std::size_t>(stall.lane);
  const auto& lane = compiled.image.lanes.at(index);
  const auto at = static_cast<std::size_t>(stall.step);
  const StepOrigin& origin = compiled.origins[index].at(at);
  const auto& schedule = *compiled.schedules[static_cast<std::size_t>(lane.channel)];
  return fmt::format(
      "rank {} channel {} role {} waits at step {} of {} (stage {}, repetition {}, loop {}, slice "
      "{}) for {}",
      lane.rank, lane.channel, lane.role, stall.step, lane.steps.size(),
      schedule.stages[static_cast<std::size_t>(origin.stage)].name, origin.repetition, stall.loop,
      stall.slice, awaited(compiled, stall));
}

std::string stall_message(const std::string& executor, const CompiledPlan& compiled,
                          const lane::StallRecord& stall, double limit_seconds) {
  return fmt::format(
      "the {} executor made no progress for {:.2f} s: {} (its peer died or is suspended, or the "
      "schedule deadlocks) try another --algorithm, and report the schedule if it recurs",
      executor, limit_seconds, describe_stall(compiled, stall));
}

}  // namespace fabricast
