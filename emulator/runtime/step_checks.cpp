#include "emulator/runtime/step_checks.hpp"

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/runtime/rank_buffers.hpp"

namespace fabricast {

struct StepChecks::At {
  const lane::LaneImage& lane;
  const lane::ChannelLayout& layout;
  const Schedule& schedule;
  std::size_t number;
  const Step& step;

  std::int32_t chunk(Buffer buffer, std::uint32_t first, std::int32_t i) const {
    return layout.listed(static_cast<std::int32_t>(first), i, step.stride_log2,
                         buffer == Buffer::scratch);
  }
};

StepChecks::StepChecks(const ExecutionPlan& plan) : plan_(plan), root_(root_rank(plan)) {}

void StepChecks::reject(const At& at, const char* problem) const {
  throw RuntimeError(fmt::format(
      "schedule \"{}\": rank {} channel {} role {}, step {}: {} (executing it would corrupt data) "
      "this is a bug of the schedule",
      plan_.algorithm, at.lane.rank, at.lane.channel, at.lane.role, at.number, problem));
}

void StepChecks::check(const lane::LaneImage& lane, const lane::ChannelLayout& layout,
                       std::size_t number, const Step& step, const StepExtra& extra) const {
  const auto& schedule = *plan_.channels[static_cast<std::size_t>(lane.channel)].schedule;
  const At at{lane, layout, schedule, number, step};
  const auto action = static_cast<std::uint8_t>(step.action);
  const auto ranks = static_cast<std::uint32_t>(plan_.ranks());
  const bool receives = (action & action_recv) != 0;
  const bool reduces = (action & action_reduce) != 0;
  if (receives && step.peer_in >= ranks) reject(at, "it receives from no rank");
  if ((action & action_send) != 0 && step.peer_out >= ranks) reject(at, "it sends to no rank");
  if (!is_instruction(action)) reject(at, "its actions are none of the legal combinations");
  if (extra.after_role >= schedule.roles ||
      (extra.after_role >= 0 &&
       (extra.after_stage < 0 ||
        static_cast<std::size_t>(extra.after_stage) >= schedule.stages.size()))) {
    reject(at, "it waits for a lane or a stage that does not exist");
  }
  if (action == action_none) return;
  check_chunks(at, step.source_buffer(), step.source_chunk);
  if (!receives || reduces) check_access(at, step.source_buffer(), step.source_chunk, false);
  if ((action & action_copy) == 0) return;
  if (step.target_buffer() == Buffer::input) reject(at, "it overwrites the user's input");
  check_chunks(at, step.target_buffer(), step.target_chunk);
  check_access(at, step.target_buffer(), step.target_chunk, true);
  check_lengths(at);
}

void StepChecks::check_chunks(const At& at, Buffer buffer, std::uint32_t first) const {
  const bool scratch = buffer == Buffer::scratch;
  const std::int64_t chunks = scratch ? at.schedule.scratch_chunks : at.schedule.chunks;
  if (first >= chunks || at.step.chunk_count < 1) {
    reject(at, scratch ? "its chunks lie outside the scratch"
                       : "its chunks lie outside the schedule's");
  }
  const std::int64_t span = static_cast<std::int64_t>(at.step.chunk_count - 1)
                            << at.step.stride_log2;
  if (span >= chunks) reject(at, "some of its chunks occur twice in one message");
}

void StepChecks::check_access(const At& at, Buffer buffer, std::uint32_t first, bool writes) const {
  if (buffer == Buffer::scratch) return;
  const Collective collective = plan_.collective;
  if (at.lane.rank != root_ && !at.schedule.starts_in_output) {
    if (buffer == Buffer::output && output_is_at_root(collective)) {
      reject(at, writes ? "it writes an output that only the root has"
                        : "it reads an output that only the root has");
    }
    if (buffer == Buffer::input && input_is_at_root(collective)) {
      reject(at, "it reads an input that only the root has");
    }
  }
  const bool own_only =
      buffer == Buffer::input ? input_is_own_block(collective) : output_is_own_block(collective);
  if (!own_only) return;
  for (std::int32_t i = 0; i < at.step.chunk_count; ++i) {
    const auto chunk = static_cast<std::size_t>(at.chunk(buffer, first, i));
    if (at.layout.block_of_chunk[chunk] != at.lane.rank) {
      reject(at, "it touches another rank's block of a buffer that holds only its own");
    }
  }
}

// Loops differ in length by one element at most and the longer ones come first, so the first and
// the last stand for all.
void StepChecks::check_lengths(const At& at) const {
  for (std::int32_t i = 0; i < at.step.chunk_count; ++i) {
    const std::int32_t from = at.chunk(at.step.source_buffer(), at.step.source_chunk, i);
    const std::int32_t to = at.chunk(at.step.target_buffer(), at.step.target_chunk, i);
    if (from == to) continue;
    for (const std::int32_t loop : {0, at.layout.loops - 1}) {
      lane::ChannelLayout whole = at.layout;
      whole.slices = 1;
      const auto length = lane::message_part(whole, loop, from, 0).within.count;
      const auto room = lane::message_part(whole, loop, to, 0).within.count;
      if (length == room) continue;
      throw UsageError(fmt::format(
          "schedule \"{}\" moves chunk {} to the place of chunk {}, but of {} bytes the one gets "
          "{} "
          "elements and the other {} (rank {} channel {} role {}, step {}) use a size that divides "
          "evenly into {} chunks",
          plan_.algorithm, from, to, plan_.bytes, length, room, at.lane.rank, at.lane.channel,
          at.lane.role, at.number, at.schedule.chunks));
    }
  }
}

}  // namespace fabricast
