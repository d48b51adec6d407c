#include "emulator/runtime/compile_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "emulator/base/error.hpp"
#include "emulator/runtime/channel_layout.hpp"
#include "emulator/runtime/message_lengths.hpp"
#include "emulator/runtime/rank_buffers.hpp"
#include "emulator/runtime/step_checks.hpp"
#include "kernels/lane/line_format.hpp"

namespace fabricast {
namespace {

class PlanCompiler {
 public:
  PlanCompiler(const RunRequest& request, std::int32_t first, std::int32_t end)
      : request_(request),
        plan_(*request.plan),
        first_(first),
        end_(end),
        fifos_per_pair_(connection_labels(plan_) /
                        static_cast<std::int32_t>(std::max<std::size_t>(1, plan_.channels.size()))),
        checks_(plan_) {}

  CompiledPlan compile() {
    auto& image = result_.image;
    image.data = {request_.type, request_.op, plan_.element_bytes};
    image.depth = static_cast<std::uint32_t>(plan_.channels.front().schedule->fifo_depth);
    for (std::int32_t rank = 0; rank < plan_.ranks(); ++rank) {
      image.buffers.push_back(rank_buffers(request_, rank));
    }
    image.hand_off = request_.hand_off;
    for (std::int32_t c = 0; c < channels(); ++c) {
      image.orders_lanes = image.orders_lanes || schedule(c).roles > 1;
      add_channel(c);
    }
    for (std::int32_t rank = first_; rank < end_; ++rank) {
      for (std::int32_t c = 0; c < channels(); ++c) {
        const auto first_lane = static_cast<std::int32_t>(image.lanes.size());
        for (std::int32_t role = 0; role < schedule(c).roles; ++role) add_lane(rank, c, role);
        resolve_dependencies(first_lane);
      }
    }
    image.fifos = static_cast<std::int32_t>(result_.connections.size());
    image.slot_bytes = whole_lines(slot_bytes_);
    compare_ends();
    return std::move(result_);
  }

 private:
  std::int32_t channels() const { return static_cast<std::int32_t>(plan_.channels.size()); }
  const Schedule& schedule(std::int32_t channel) const {
    return *plan_.channels[static_cast<std::size_t>(channel)].schedule;
  }

  // Block table and scratch of a channel; the scratch of all channels follows the user's buffers.
  void add_channel(std::int32_t c) {
    const auto& channel = plan_.channels[static_cast<std::size_t>(c)];
    auto& image = result_.image;
    result_.schedules.push_back(channel.schedule);
    auto& table = image.block_tables.emplace_back();
    for (std::int32_t k = 0; has_rank_blocks(plan_.collective) && k < schedule(c).chunks; ++k) {
      table.push_back(channel.placement.rank_at(schedule(c).owner_of_chunk(k)));
    }
    auto& shared = channels_.emplace_back();
    shared.layout = layout_of(plan_, c);
    shared.scratch_chunk_bytes = largest_chunk_bytes(shared.layout, plan_.element_bytes);
    const std::int64_t loop_bytes = shared.scratch_chunk_bytes * schedule(c).scratch_chunks;
    const bool by_loop = shares_scratch(schedule(c));
    if (by_loop) shared.scratch_loop_bytes = loop_bytes;
    for (auto& buffers : image.buffers) {
      shared.scratch_offset.push_back(whole_lines(buffers.allocation_bytes));
      if (loop_bytes == 0) continue;
      buffers.allocation_bytes =
          shared.scratch_offset.back() + loop_bytes * (by_loop ? plan_.loops : 1);
    }
  }

  // The layout with its table, which the image holds (its address changes when channels are added).
  lane::ChannelLayout full_layout(std::int32_t c) const {
    auto layout = channels_[static_cast<std::size_t>(c)].layout;
    const auto& table = result_.image.block_tables[static_cast<std::size_t>(c)];
    layout.block_of_chunk = table.empty() ? nullptr : table.data();
    return layout;
  }

  void add_lane(std::int32_t rank, std::int32_t c, std::int32_t role) {
    const auto& channel = plan_.channels[static_cast<std::size_t>(c)];
    const auto& shared = channels_[static_cast<std::size_t>(c)];
    auto program = expand(*channel.schedule, channel.placement, rank, role);
    lane::LaneImage lane;
    lane.rank = rank;
    lane.channel = c;
    lane.role = role;
    lane.layout = shared.layout;
    lane.block_table = has_rank_blocks(plan_.collective) ? c : -1;
    lane.scratch_offset = shared.scratch_offset[static_cast<std::size_t>(rank)];
    lane.scratch_chunk_bytes = shared.scratch_chunk_bytes;
    lane.scratch_loop_bytes = shared.scratch_loop_bytes;
    const std::int64_t own_block = rank * lane.layout.block;
    if (input_is_own_block(plan_.collective)) lane.input_shift = own_block;
    if (output_is_own_block(plan_.collective)) lane.output_shift = own_block;
    const auto layout = full_layout(c);
    for (std::size_t s = 0; s < program.steps.size(); ++s) {
      const Step& step = program.steps[s];
      const StepExtra& extra = program.extras[s];
      checks_.check(lane, layout, s, step, extra);
      lane.links.push_back(link(lane, step, extra));
      slot_bytes_ = std::max(slot_bytes_, largest_message(layout, step));
    }
    lane.steps = std::move(program.steps);
    lane.bundles = std::move(program.bundles);
    result_.image.lanes.push_back(std::move(lane));
    result_.origins.push_back(std::move(program.origins));
  }

  lane::StepLinks link(lane::LaneImage& lane, const Step& step, const StepExtra& extra) {
    const auto index = static_cast<std::int32_t>(result_.image.lanes.size());
    const std::int64_t messages = static_cast<std::int64_t>(plan_.loops) * plan_.slices;
    lane::StepLinks links;
    if ((step.action & action_recv) != 0) {
      links.in = connection(static_cast<std::int32_t>(step.peer_in), lane.rank, lane.channel,
                            extra.fifo_in);
      auto& from = result_.connections[static_cast<std::size_t>(links.in)];
      claim_end(from.receiving_lane, index, lane, "receive from");
      from.received += messages;
    }
    if ((step.action & action_send) != 0) {
      links.out = connection(lane.rank, static_cast<std::int32_t>(step.peer_out), lane.channel,
                             extra.fifo_out);
      auto& to = result_.connections[static_cast<std::size_t>(links.out)];
      claim_end(to.sending_lane, index, lane, "send on");
      to.sent += messages;
    }
    if (extra.after_role >= 0) links.after = dependency(lane, extra);
    return links;
  }

  // A role for now; resolve_dependencies() makes a lane of it.
  static std::int32_t dependency(lane::LaneImage& lane, const StepExtra& extra) {
    auto& all = lane.dependencies;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].lane == extra.after_role && all[i].stage == extra.after_stage) {
        return static_cast<std::int32_t>(i);
      }
    }
    all.push_back({extra.after_role, extra.after_stage, 0, 0});
    return static_cast<std::int32_t>(all.size()) - 1;
  }

  // Semantics 2.7, when all lanes of a rank and channel (from `first` on, by role) are there.
  void resolve_dependencies(std::int32_t first) {
    auto& image = result_.image;
    for (auto l = static_cast<std::size_t>(first); l < image.lanes.size(); ++l) {
      for (auto& on : image.lanes[l].dependencies) {
        on.lane += first;
        const auto& origins = result_.origins[static_cast<std::size_t>(on.lane)];
        const auto end =
            std::find_if(origins.begin(), origins.end(),
                         [&](const StepOrigin& origin) { return origin.stage > on.stage; });
        on.steps = (end - origins.begin()) * plan_.slices;
        on.steps_per_loop = static_cast<std::int64_t>(origins.size()) * plan_.slices;
        image.has_dependencies = true;
      }
    }
  }

  std::int32_t connection(std::int32_t source, std::int32_t destination, std::int32_t channel,
                          std::int32_t fifo) {
    const auto [at, added] =
        index_.try_emplace({source, destination, channel, fifo},
                           static_cast<std::int32_t>(result_.connections.size()));
    if (added) {
      Connection connection;
      connection.source = source;
      connection.destination = destination;
      connection.channel = channel;
      connection.fifo = fifo;
      connection.label = channel * fifos_per_pair_ + fifo;
      result_.connections.push_back(connection);
    }
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

  // Of the slot: data and alignment, or lines.
  std::int64_t largest_message(const lane::ChannelLayout& layout, const Step& step) const {
    if ((step.action & (action_recv | action_send)) == 0) return 0;
    std::int64_t bytes = 0;
    for (std::int32_t i = 0; i < step.chunk_count; ++i) {
      const std::int32_t chunk =
          layout.listed(static_cast<std::int32_t>(step.source_chunk), i, step.stride_log2,
                        step.source_buffer() == Buffer::scratch);
      bytes += lane::most_part_bytes(
          request_.hand_off, message_part(layout, 0, chunk, 0).within.count * plan_.element_bytes);
    }
    return bytes;
  }

  // Semantics 1.1, as far as both ends are known here.
  void compare_ends() const {
    MessageLengths lengths(result_.connections.size());
    for (const auto& lane : result_.image.lanes) {
      lengths.add(lane, full_layout(lane.channel), plan_.element_bytes);
    }
    const auto known = [this](std::int32_t rank) { return first_ <= rank && rank < end_; };
    for (std::size_t c = 0; c < result_.connections.size(); ++c) {
      const Connection& connection = result_.connections[c];
      if (!known(connection.source) || !known(connection.destination) || lengths.agree(c)) continue;
      const auto& layout = channels_[static_cast<std::size_t>(connection.channel)].layout;
      if (layout.packed && connection.sent == connection.received && !divides_evenly(layout)) {
        throw UsageError(
            fmt::format("schedule \"{}\" moves data between chunks of different numbers, but {} "
                        "bytes do not cut "
                        "into {} equal chunks (messages from rank {} to rank {} would change their "
                        "length) use a "
                        "size that divides evenly",
                        plan_.algorithm, plan_.bytes, layout.chunks, connection.source,
                        connection.destination));
      }
      throw RuntimeError(fmt::format(
          "schedule \"{}\": rank {} sends {} messages to rank {} on channel {} fifo {}, which are "
          "not the {} that rank {} receives there (number, length or parts differ; data would be "
          "lost or corrupted) this is a bug of the schedule",
          plan_.algorithm, connection.source, connection.sent, connection.destination,
          connection.channel, connection.fifo, connection.received, connection.destination));
    }
  }

  // What the lanes of a channel share.
  struct ChannelBuffers {
    lane::ChannelLayout layout;                // without its block table
    std::vector<std::int64_t> scratch_offset;  // by rank
    std::int64_t scratch_chunk_bytes = 0;
    std::int64_t scratch_loop_bytes = 0;
  };

  const RunRequest& request_;
  const ExecutionPlan& plan_;
  std::int32_t first_;
  std::int32_t end_;
  std::int32_t fifos_per_pair_;
  StepChecks checks_;
  CompiledPlan result_;
  std::vector<ChannelBuffers> channels_;
  std::map<std::tuple<std::int32_t, std::int32_t, std::int32_t, std::int32_t>, std::int32_t> index_;
  std::int64_t slot_bytes_ = 0;
};

}  // namespace

std::int32_t connection_labels(const ExecutionPlan& plan) {
  std::int32_t fifos = 1;
  for (const ChannelPlan& channel : plan.channels) {
    for (const Stage& stage : channel.schedule->stages) {
      for (const PhaseGroup& group : stage.groups) {
        for (const Phase& phase : group.phases) {
          fifos = std::max({fifos, phase.peer_in.fifo + 1, phase.peer_out.fifo + 1});
        }
      }
    }
  }
  return static_cast<std::int32_t>(plan.channels.size()) * fifos;
}

CompiledPlan compile_plan(const RunRequest& request, std::int32_t first_rank,
                          std::int32_t end_rank) {
  check_request(request);
  return PlanCompiler(request, first_rank, end_rank).compile();
}

}  // namespace fabricast
