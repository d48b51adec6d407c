#include "emulator/runtime/compile_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "emulator/base/error.hpp"
#include "emulator/runtime/rank_buffers.hpp"
#include "emulator/schedule/partition.hpp"
#include "kernels/lane/fifo.hpp"

namespace fabricast {
namespace {

std::int32_t owner_rank(const ChannelPlan& channel, std::int32_t chunk) {
  return channel.placement.rank_at(channel.schedule->owner_of_chunk(chunk));
}

lane::ChannelLayout layout_of(const ExecutionPlan& plan, std::int32_t channel) {
  const bool blocks = has_rank_blocks(plan.collective);
  const std::int64_t elements = plan.bytes / plan.element_bytes;
  const auto& schedule = *plan.channels[static_cast<std::size_t>(channel)].schedule;
  lane::ChannelLayout layout;
  layout.block = blocks ? elements / plan.ranks() : 0;
  layout.share = lane::split_evenly({0, blocks ? layout.block : elements},
                                    static_cast<std::int32_t>(plan.channels.size()), channel);
  layout.loops = plan.loops;
  layout.slices = plan.slices;
  layout.chunks = blocks ? 1 : schedule.chunks;
  return layout;
}

class PlanCompiler {
 public:
  PlanCompiler(const RunRequest& request, std::int32_t first, std::int32_t end)
      : request_(request), plan_(*request.plan), first_(first), end_(end) {}

  CompiledPlan compile() {
    auto& image = result_.image;
    image.data = {request_.type, request_.op, plan_.element_bytes};
    image.depth = static_cast<std::uint32_t>(plan_.channels.front().schedule->fifo_depth);
    for (std::int32_t rank = 0; rank < plan_.ranks(); ++rank) {
      image.buffers.push_back(rank_buffers(request_, rank));
    }
    for (const auto& channel : plan_.channels) {
      result_.schedules.push_back(channel.schedule);
      image.block_tables.emplace_back();
      if (!has_rank_blocks(plan_.collective)) continue;
      for (std::int32_t c = 0; c < channel.schedule->chunks; ++c) {
        image.block_tables.back().push_back(owner_rank(channel, c));
      }
    }
    for (std::int32_t rank = first_; rank < end_; ++rank) {
      for (std::int32_t c = 0; c < static_cast<std::int32_t>(plan_.channels.size()); ++c) {
        const auto& channel = plan_.channels[static_cast<std::size_t>(c)];
        for (std::int32_t role = 0; role < channel.schedule->roles; ++role) add_lane(rank, c, role);
      }
    }
    image.fifos = static_cast<std::int32_t>(result_.connections.size());
    image.slot_bytes = (slot_bytes_ + static_cast<std::int64_t>(lane::line_bytes) - 1) /
                       static_cast<std::int64_t>(lane::line_bytes) *
                       static_cast<std::int64_t>(lane::line_bytes);
    return std::move(result_);
  }

 private:
  void add_lane(std::int32_t rank, std::int32_t c, std::int32_t role) {
    const auto& channel = plan_.channels[static_cast<std::size_t>(c)];
    auto program = expand(*channel.schedule, channel.placement, rank, role);
    lane::LaneImage lane;
    lane.rank = rank;
    lane.channel = c;
    lane.role = role;
    lane.layout = layout_of(plan_, c);
    lane.block_table = has_rank_blocks(plan_.collective) ? c : -1;
    const std::int64_t own_block = rank * lane.layout.block;
    if (plan_.collective == Collective::all_gather) lane.input_shift = own_block;
    if (plan_.collective == Collective::reduce_scatter) lane.output_shift = own_block;
    for (const Step& step : program.steps) {
      check_step(lane, step);
      lane.links.push_back(link(lane, step));
      slot_bytes_ = std::max(slot_bytes_, largest_message(lane, step));
    }
    lane.steps = std::move(program.steps);
    lane.bundles = std::move(program.bundles);
    result_.image.lanes.push_back(std::move(lane));
    result_.origins.push_back(std::move(program.origins));
  }

  lane::StepLinks link(const lane::LaneImage& lane, const Step& step) {
    const auto index = static_cast<std::int32_t>(result_.image.lanes.size());
    const std::int64_t messages = static_cast<std::int64_t>(plan_.loops) * plan_.slices;
    lane::StepLinks links;
    if ((step.action & action_recv) != 0) {
      links.in = connection(static_cast<std::int32_t>(step.peer_in), lane.rank, lane.channel);
      auto& from = result_.connections[static_cast<std::size_t>(links.in)];
      claim_end(from.receiving_lane, index, lane, "receive from");
      from.received += messages;
    }
    if ((step.action & action_send) != 0) {
      links.out = connection(lane.rank, static_cast<std::int32_t>(step.peer_out), lane.channel);
      auto& to = result_.connections[static_cast<std::size_t>(links.out)];
      claim_end(to.sending_lane, index, lane, "send on");
      to.sent += messages;
    }
    return links;
  }

  std::int32_t connection(std::int32_t source, std::int32_t destination, std::int32_t channel) {
    const auto [at, added] = index_.try_emplace(
        {source, destination, channel}, static_cast<std::int32_t>(result_.connections.size()));
    if (added) result_.connections.push_back({source, destination, channel, -1, -1, 0, 0});
    return at->second;
  }

  static void claim_end(std::int32_t& end, std::int32_t index, const lane::LaneImage& lane,
                        const char* what) {
    if (end >= 0 && end != index) {
      throw RuntimeError(
          fmt::format("two lanes of rank {} {} one connection of channel {} (their order would "
                      "depend on timing) "
                      "this is a bug of the schedule",
                      lane.rank, what, lane.channel));
    }
    end = index;
  }

  [[noreturn]] void bad_step(const lane::LaneImage& lane, const char* problem) const {
    throw RuntimeError(fmt::format(
        "schedule \"{}\": rank {} channel {} role {}, step {}: {} (executing it would corrupt "
        "data) "
        "this is a bug of the schedule",
        plan_.algorithm, lane.rank, lane.channel, lane.role, lane.links.size(), problem));
  }

  void check_step(const lane::LaneImage& lane, const Step& step) const {
    const auto& schedule = *plan_.channels[static_cast<std::size_t>(lane.channel)].schedule;
    const auto ranks = static_cast<std::uint32_t>(plan_.ranks());
    const bool receives = (step.action & action_recv) != 0;
    if (receives && step.peer_in >= ranks) bad_step(lane, "it receives from no rank");
    if ((step.action & action_send) != 0 && step.peer_out >= ranks)
      bad_step(lane, "it sends to no rank");
    if ((step.action & action_reduce) != 0 && !receives) bad_step(lane, "it reduces nothing");
    const std::int64_t chunk_end = static_cast<std::int64_t>(step.source_chunk) + step.chunk_count;
    if (chunk_end > schedule.chunks) bad_step(lane, "its chunks lie outside the schedule's");
    const bool reads = !receives || (step.action & action_reduce) != 0;
    const bool uses_input = reads && step.source_buffer() == Buffer::input;
    const bool uses_output = (step.action & action_copy) != 0 || (reads && step.source_buffer() == Buffer::output);
    const bool own_only = (uses_input && plan_.collective == Collective::all_gather) ||
                          (uses_output && plan_.collective == Collective::reduce_scatter);
    if (!own_only) return;
    for (std::int64_t c = step.source_chunk; c < chunk_end; ++c) {
      const auto& channel = plan_.channels[static_cast<std::size_t>(lane.channel)];
      if (owner_rank(channel, static_cast<std::int32_t>(c)) != lane.rank) {
        bad_step(lane, "it touches another rank's block of a buffer that holds only its own");
      }
    }
  }

  // Loop 0 and slice 0 are the largest; each chunk may need up to 15 bytes of alignment.
  std::int64_t largest_message(const lane::LaneImage& lane, const Step& step) const {
    lane::ChannelLayout layout = lane.layout;
    const auto& table = result_.image.block_tables[static_cast<std::size_t>(lane.channel)];
    layout.block_of_chunk = table.empty() ? nullptr : table.data();
    std::int64_t bytes = 0;
    for (std::int32_t i = 0; i < step.chunk_count; ++i) {
      const auto chunk = static_cast<std::int32_t>(step.source_chunk) + i;
      bytes += message_part(layout, 0, chunk, 0).within.count * plan_.element_bytes + 15;
    }
    return bytes;
  }

  const RunRequest& request_;
  const ExecutionPlan& plan_;
  std::int32_t first_;
  std::int32_t end_;
  CompiledPlan result_;
  std::map<std::tuple<std::int32_t, std::int32_t, std::int32_t>, std::int32_t> index_;
  std::int64_t slot_bytes_ = 0;
};

}  // namespace

CompiledPlan compile_plan(const RunRequest& request, std::int32_t first_rank,
                          std::int32_t end_rank) {
  check_request(request);
  return PlanCompiler(request, first_rank, end_rank).compile();
}

std::string describe_stall(const CompiledPlan& compiled, const lane::StallRecord& stall) {
  const auto index = static_cast<std::size_t>(stall.lane);
  const auto& lane = compiled.image.lanes.at(index);
  const auto at = static_cast<std::size_t>(stall.step);
  const StepOrigin& origin = compiled.origins[index].at(at);
  const auto& schedule = *compiled.schedules[static_cast<std::size_t>(lane.channel)];
  const bool message = stall.wait == lane::Wait::message;
  return fmt::format(
      "rank {} channel {} role {} waits at step {} of {} (stage {}, repetition {}, loop {}, slice "
      "{}) "
      "for {} rank {}",
      lane.rank, lane.channel, lane.role, stall.step, lane.steps.size(),
      schedule.stages[static_cast<std::size_t>(origin.stage)].name, origin.repetition, stall.loop,
      stall.slice, message ? "a message from" : "a free slot towards",
      message ? lane.steps[at].peer_in : lane.steps[at].peer_out);
}

std::string stall_message(const std::string& executor, const CompiledPlan& compiled,
                          const lane::StallRecord& stall, double limit_seconds) {
  return fmt::format(
      "the {} executor made no progress for {:.2f} s: {} (its peer died or is suspended, or the "
      "schedule deadlocks) try another --algorithm, and report the schedule if it recurs",
      executor, limit_seconds, describe_stall(compiled, stall));
}

}  // namespace fabricast
