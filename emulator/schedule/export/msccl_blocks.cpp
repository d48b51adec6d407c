#include "emulator/schedule/export/msccl_blocks.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/schedule/expand.hpp"

namespace fabricast {
namespace {

constexpr std::int32_t most_chunks_per_step = 71;  // MSCCL_MAX_COUNT is 72, exclusive

// A connection of one lane: (peer, fifo, is it the sending end?).
using Link = std::tuple<std::int32_t, std::int32_t, bool>;
using Place = std::pair<Buffer, std::int32_t>;

class RankBuilder {
 public:
  RankBuilder(const ExecutionPlan& plan, std::int32_t rank, bool one_by_one)
      : plan_(plan), chunks_(msccl_chunks(plan)), rank_(rank), one_by_one_(one_by_one) {}

  MscclRank build() {
    for (std::size_t c = 0; c < plan_.channels.size(); ++c) {
      channel_ = static_cast<std::int32_t>(c);
      const auto& channel = plan_.channels[c];
      std::vector<std::vector<std::pair<std::int32_t, std::size_t>>> ended;  // by role
      std::vector<std::pair<std::size_t, StepExtra>> waiting;
      for (std::int32_t role = 0; role < channel.schedule->roles; ++role) {
        const auto lane = expand(*channel.schedule, channel.placement, rank_, role);
        assign_blocks(lane);
        ended.push_back(add_lane(lane, waiting));
      }
      for (const auto& [number, extra] : waiting) wait_for_lane(number, extra, ended);
    }
    return std::move(result_);
  }

 private:
  const Schedule& schedule() const {
    return *plan_.channels[static_cast<std::size_t>(channel_)].schedule;
  }

  [[noreturn]] void refuse(const std::string& reason) const {
    throw UsageError(
        fmt::format("schedule \"{}\" cannot be written as MSCCL XML ({}) use another "
                    "algorithm",
                    plan_.algorithm, reason));
  }

  // Links that one step joins share a block; a free sending end takes the receiving end of the same
  // peer.
  void assign_blocks(const LaneProgram& lane) {
    block_of_.clear();
    std::map<Link, Link> partner;
    std::vector<Link> order;
    const auto note = [&](const Link& link) {
      if (partner.try_emplace(link, link).second) order.push_back(link);
    };
    for (std::size_t s = 0; s < lane.steps.size(); ++s) {
      const Step& step = lane.steps[s];
      const Link in{static_cast<std::int32_t>(step.peer_in), lane.extras[s].fifo_in, false};
      const Link out{static_cast<std::int32_t>(step.peer_out), lane.extras[s].fifo_out, true};
      const bool receives = (step.action & action_recv) != 0;
      const bool sends = (step.action & action_send) != 0;
      if (receives) note(in);
      if (sends) note(out);
      if (!receives || !sends) continue;
      for (const auto& [link, other] : {std::pair{in, out}, std::pair{out, in}}) {
        if (partner[link] != link && partner[link] != other) {
          refuse(
              "a lane passes what it receives from one rank on to several, a thread block only "
              "to one");
        }
        partner[link] = other;
      }
      if (std::get<1>(in) != std::get<1>(out)) refuse("one step uses two connections of a pair");
    }
    for (const Link& link : order) {
      const auto& [peer, fifo, sends] = link;
      const Link other{peer, fifo, !sends};
      const auto found = partner.find(other);
      if (found == partner.end() || partner[link] != link || found->second != other) continue;
      partner[link] = other;
      partner[other] = link;
    }
    for (const Link& link : order) {
      if (block_of_.count(link) > 0) continue;
      block_of_[link] = block_of_[partner[link]] = new_block(link, partner[link]);
    }
    first_block_ = order.empty() ? new_block({-1, 0, true}, {-1, 0, false}) : block_of_[order[0]];
  }

  std::int32_t new_block(const Link& a, const Link& b) {
    MscclBlock block;
    block.channel = channel_ * chunks_.fifos + std::get<1>(a);
    for (const Link& link : {a, b}) {
      (std::get<2>(link) ? block.send : block.recv) = std::get<0>(link);
    }
    result_.blocks.push_back(block);
    return static_cast<std::int32_t>(result_.blocks.size()) - 1;
  }

  std::vector<std::pair<std::int32_t, std::size_t>> add_lane(
      const LaneProgram& lane, std::vector<std::pair<std::size_t, StepExtra>>& waiting) {
    std::vector<std::pair<std::int32_t, std::size_t>> ended;  // stage, step
    std::int32_t block = first_block_;
    for (std::size_t s = 0; s < lane.steps.size(); ++s) {
      const Step& step = lane.steps[s];
      const auto& extra = lane.extras[s];
      if ((step.action & action_recv) != 0) {
        block = block_of_[{static_cast<std::int32_t>(step.peer_in), extra.fifo_in, false}];
      } else if ((step.action & action_send) != 0) {
        block = block_of_[{static_cast<std::int32_t>(step.peer_out), extra.fifo_out, true}];
      }
      const std::size_t first = result_.steps.size();
      if (step.action == (action_copy | action_send)) {
        add_pieces(step, action_copy, block);
        add_pieces(step, action_send, block);
      } else {
        add_pieces(step, static_cast<std::uint8_t>(step.action), block);
      }
      if (extra.after_role >= 0) waiting.emplace_back(first, extra);
      for (std::size_t n = first; n < result_.steps.size(); ++n) {
        ended.emplace_back(lane.origins[s].stage, n);
      }
    }
    return ended;
  }

  // Runs of chunks that follow each other here, in the file's numbering and in both buffers.
  void add_pieces(const Step& step, std::uint8_t action, std::int32_t block) {
    if (action == action_none) {
      push({action, {}, {}, 0, 0, 0, block, {}});
      return;
    }
    const bool copies = (action & action_copy) != 0;
    const bool operand = (action & (action_recv | action_reduce)) != action_recv;
    MscclStep piece;
    std::int32_t last_identity = 0;
    for (std::uint32_t i = 0; i < step.chunk_count; ++i) {
      const Place to =
          place(step.target_buffer(), listed(step.target_buffer(), step.target_chunk, step, i));
      const Place from = operand ? place(step.source_buffer(),
                                         listed(step.source_buffer(), step.source_chunk, step, i))
                                 : to;
      const auto identity =
          number_of(operand ? listed(step.source_buffer(), step.source_chunk, step, i)
                            : listed(step.target_buffer(), step.target_chunk, step, i));
      const bool follows = i > 0 && !one_by_one_ && piece.count < most_chunks_per_step &&
                           identity == last_identity + 1 &&
                           from.second == piece.source_chunk + piece.count &&
                           (!copies || to.second == piece.target_chunk + piece.count);
      last_identity = identity;
      if (follows) {
        ++piece.count;
        continue;
      }
      if (i > 0) push(piece);
      piece = {action,
               from.first,
               copies ? to.first : Buffer::output,
               from.second,
               copies ? to.second : from.second,
               1,
               block,
               {}};
    }
    push(piece);
  }

  std::int32_t listed(Buffer buffer, std::uint32_t first, const Step& step, std::uint32_t i) const {
    const std::int64_t chunk = std::int64_t{first} + (std::int64_t{i} << step.stride_log2);
    const std::int32_t modulus =
        buffer == Buffer::scratch ? schedule().scratch_chunks : schedule().chunks;
    return static_cast<std::int32_t>(chunk % modulus);
  }

  // The whole message's numbering in the file.
  std::int32_t number_of(std::int32_t chunk) const {
    if (!has_rank_blocks(plan_.collective)) return channel_ * schedule().chunks + chunk;
    const std::int32_t parts = schedule().block_parts;
    const auto& placement = plan_.channels[static_cast<std::size_t>(channel_)].placement;
    const std::int32_t owner =
        chunk < schedule().chunks ? placement.rank_at(schedule().owner_of_chunk(chunk)) : chunk;
    return owner * chunks_.per_block + channel_ * parts + chunk % parts;
  }

  Place place(Buffer buffer, std::int32_t chunk) const {
    if (buffer == Buffer::scratch) {
      return {buffer, channel_ * schedule().scratch_chunks + chunk};
    }
    const bool own = buffer == Buffer::input ? input_is_own_block(plan_.collective)
                                             : output_is_own_block(plan_.collective);
    return {buffer, number_of(chunk) - (own ? rank_ * chunks_.per_block : 0)};
  }

  void push(MscclStep step) {
    const std::size_t number = result_.steps.size();
    const auto depend = [&](std::size_t other) {
      if (result_.steps[other].block != step.block) step.waits.push_back(other);
    };
    const bool receives = (step.action & action_recv) != 0;
    const bool reduces = (step.action & action_reduce) != 0;
    const bool copies = (step.action & action_copy) != 0;
    const bool reads = step.action != action_none && (!receives || reduces);
    for (std::int32_t i = 0; i < step.count; ++i) {
      if (reads) {
        Access& access = accesses_[{step.source, step.source_chunk + i}];
        if (access.written) depend(access.writer);
        access.readers.push_back(number);
      }
      if (!copies) continue;
      Access& access = accesses_[{step.target, step.target_chunk + i}];
      if (access.written) depend(access.writer);
      for (const std::size_t reader : access.readers) {
        if (reader != number) depend(reader);
      }
      access = {true, number, {}};
    }
    result_.blocks[static_cast<std::size_t>(step.block)].steps.push_back(number);
    result_.steps.push_back(std::move(step));
  }

  // All blocks of that lane must have come so far.
  void wait_for_lane(std::size_t number, const StepExtra& extra,
                     const std::vector<std::vector<std::pair<std::int32_t, std::size_t>>>& ended) {
    std::map<std::int32_t, std::size_t> last;  // by block
    for (const auto& [stage, other] : ended[static_cast<std::size_t>(extra.after_role)]) {
      if (stage <= extra.after_stage) last[result_.steps[other].block] = other;
    }
    for (const auto& [block, other] : last) result_.steps[number].waits.push_back(other);
  }

  struct Access {
    bool written = false;
    std::size_t writer = 0;
    std::vector<std::size_t> readers;
  };

  const ExecutionPlan& plan_;
  MscclChunks chunks_;
  std::int32_t rank_;
  bool one_by_one_;
  std::int32_t channel_ = 0, first_block_ = 0;
  std::map<Link, std::int32_t> block_of_;
  std::map<Place, Access> accesses_;
  MscclRank result_;
};

}  // namespace

MscclChunks msccl_chunks(const ExecutionPlan& plan) {
  const Schedule& first = *plan.channels.front().schedule;
  const auto channels = static_cast<std::int32_t>(plan.channels.size());
  MscclChunks chunks;
  for (const auto& channel : plan.channels) {
    for (const Stage& stage : channel.schedule->stages) {
      for (const PhaseGroup& group : stage.groups) {
        for (const Phase& phase : group.phases) {
          chunks.fifos = std::max({chunks.fifos, phase.peer_in.fifo + 1, phase.peer_out.fifo + 1});
        }
      }
    }
  }
  chunks.per_block = has_rank_blocks(plan.collective) ? channels * first.block_parts : 0;
  chunks.all =
      has_rank_blocks(plan.collective) ? chunks.per_block * plan.ranks() : channels * first.chunks;
  chunks.scratch = channels * first.scratch_chunks;
  return chunks;
}

MscclRank msccl_rank(const ExecutionPlan& plan, std::int32_t rank, bool one_by_one) {
  return RankBuilder(plan, rank, one_by_one).build();
}

}  // namespace fabricast
