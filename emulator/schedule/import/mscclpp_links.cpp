#include "emulator/schedule/import/mscclpp_links.hpp"

#include <utility>

#include <fmt/format.h>

namespace fabricast {
namespace {

// A line of the file may ask for 255 steps. 200 MB of them; plans in use have some thousand.
constexpr std::int64_t most_barrier_steps = 1 << 22;

// Puts that one signal announces.
struct Announced {
  std::vector<PutTarget> puts;
  std::int32_t line = 0;
};

struct ChannelUse {
  std::vector<Announced> signals;
  std::size_t signalling_block = 0;
  std::size_t waiting_block = 0, waits = 0;
};

class Linker {
 public:
  Linker(const std::vector<std::vector<PlanBlock>>& ranks, FileProgram& program)
      : ranks_(ranks), program_(program) {}

  std::int32_t link() {
    for (std::size_t r = 0; r < ranks_.size(); ++r) {
      for (std::size_t b = 0; b < ranks_[r].size(); ++b) announce(b, ranks_[r][b]);
    }
    for (std::size_t r = 0; r < ranks_.size(); ++r) {
      auto& blocks = program_.ranks[r].blocks;
      first_steps_.clear();
      for (std::size_t b = 0; b < ranks_[r].size(); ++b) blocks.push_back(emit(b, ranks_[r][b]));
      join_barriers(ranks_[r], blocks);
    }
    for (const auto& [key, use] : channels_) {
      for (std::size_t n = use.waits; n < use.signals.size(); ++n) {
        if (use.signals[n].puts.empty()) continue;
        refuse_file(
            program_.file, use.signals[n].line,
            fmt::format("rank {} never waits for this signal of rank {}, so that the data put "
                        "before it arrive unnoticed; add the wait",
                        std::get<1>(key), std::get<0>(key)));
      }
    }
    return empty_signals_;
  }

 private:
  // First pass: which signal announces which puts.
  void announce(std::size_t index, const PlanBlock& block) {
    std::map<std::int32_t, std::vector<PutTarget>> pending;  // by peer
    std::map<std::int32_t, std::int32_t> line_of_put;
    for (const PlanOp& op : block.ops) {
      if (op.kind == PlanOp::Kind::put) {
        pending[op.step.peer_out].push_back(op.target);
        line_of_put[op.step.peer_out] = op.step.line;
      }
      if (op.kind != PlanOp::Kind::signal) continue;
      const auto [at, added] = channels_.try_emplace(op.channel);
      if (added) at->second.signalling_block = index;
      if (at->second.signalling_block != index) {
        refuse_file(program_.file, op.step.line,
                    "two thread blocks signal on one channel (their order is not given); use a "
                    "channel each");
      }
      auto& puts = pending[std::get<1>(op.channel)];
      if (puts.empty()) ++empty_signals_;
      at->second.signals.push_back({std::exchange(puts, {}), op.step.line});
    }
    for (const auto& [peer, puts] : pending) {
      if (puts.empty()) continue;
      refuse_file(program_.file, line_of_put[peer],
                  fmt::format("no signal to rank {} follows this put in its thread block, so that "
                              "nobody can know when the data are there; add one",
                              peer));
    }
  }

  // Of each put, the number of the channel whose signal comes next in its block; backwards, because
  // a signal may follow any number of puts.
  static std::vector<std::int32_t> fifos_of_puts(const PlanBlock& block) {
    std::vector<std::int32_t> fifos(block.ops.size(), 0);
    std::map<std::int32_t, std::int32_t> next;  // by peer
    for (std::size_t i = block.ops.size(); i-- > 0;) {
      const PlanOp& op = block.ops[i];
      if (op.kind == PlanOp::Kind::signal) next[std::get<1>(op.channel)] = std::get<2>(op.channel);
      if (op.kind == PlanOp::Kind::put) fifos[i] = next[op.step.peer_out];
    }
    return fifos;
  }

  FileBlock emit(std::size_t index, const PlanBlock& block) {
    FileBlock result{block.id, block.line, {}};
    auto& first_steps = first_steps_.emplace_back();
    const auto fifos = fifos_of_puts(block);
    for (std::size_t i = 0; i < block.ops.size(); ++i) {
      const PlanOp& op = block.ops[i];
      first_steps.push_back(result.steps.size());
      switch (op.kind) {
        case PlanOp::Kind::step:
          result.steps.push_back(op.step);
          break;
        case PlanOp::Kind::put:
          result.steps.push_back(op.step);
          result.steps.back().fifo = fifos[i];
          break;
        case PlanOp::Kind::signal:
          break;
        case PlanOp::Kind::wait:
          receive(index, op, result.steps);
          break;
        case PlanOp::Kind::barrier:
          barrier_steps_ += op.members - 1;
          if (barrier_steps_ > most_barrier_steps) {
            refuse_file(program_.file, op.step.line,
                        fmt::format("the barriers up to here are {} waits of one thread block for "
                                    "another (at most {}) give a smaller plan",
                                    barrier_steps_, most_barrier_steps));
          }
          for (std::int64_t m = 1; m < op.members; ++m) result.steps.push_back(op.step);
          break;
      }
    }
    return result;
  }

  void receive(std::size_t index, const PlanOp& op, std::vector<FileStep>& steps) {
    const auto& [from, to, number] = op.channel;
    const auto found = channels_.find(op.channel);
    if (found == channels_.end() || found->second.waits >= found->second.signals.size()) {
      refuse_file(
          program_.file, op.step.line,
          fmt::format("rank {} never sends this signal to rank {} (a wait without end); add "
                      "it",
                      from, to));
    }
    ChannelUse& use = found->second;
    if (use.waits == 0) use.waiting_block = index;
    if (use.waiting_block != index) {
      refuse_file(program_.file, op.step.line,
                  "two thread blocks wait on one channel (their order is not given); use a channel "
                  "each");
    }
    for (const PutTarget& put : use.signals[use.waits++].puts) {
      FileStep step;
      step.action = action_recv | action_copy;
      step.target = put.buffer;
      step.target_chunk = put.chunk;
      step.count = put.count;
      step.peer_in = from;
      step.fifo = number;
      step.line = op.step.line;
      steps.push_back(step);
    }
  }

  // The n-th barrier of a number is one meeting of all its thread blocks: each waits for what the
  // others did before.
  void join_barriers(const std::vector<PlanBlock>& plan, std::vector<FileBlock>& blocks) const {
    struct Meeting {
      std::size_t block, first_step;
      const PlanOp* op;
    };
    std::map<std::pair<std::int64_t, std::int32_t>, std::vector<Meeting>> meetings;
    for (std::size_t b = 0; b < plan.size(); ++b) {
      std::map<std::int64_t, std::int32_t> times;
      for (std::size_t i = 0; i < plan[b].ops.size(); ++i) {
        const PlanOp& op = plan[b].ops[i];
        if (op.kind != PlanOp::Kind::barrier) continue;
        meetings[{op.barrier, times[op.barrier]++}].push_back({b, first_steps_[b][i], &op});
      }
    }
    for (const auto& [key, members] : meetings) {
      for (const Meeting& self : members) {
        if (static_cast<std::int64_t>(members.size()) != self.op->members) {
          refuse_file(program_.file, self.op->step.line,
                      fmt::format("barrier {} is for {} thread blocks, but {} come to it",
                                  key.first, self.op->members, members.size()));
        }
        std::size_t step = self.first_step;
        for (const Meeting& other : members) {
          if (other.block == self.block) continue;
          FileStep& wait = blocks[self.block].steps[step++];
          if (other.first_step == 0) continue;  // nothing before it
          wait.after_block = static_cast<std::int32_t>(other.block);
          wait.after_step = static_cast<std::int32_t>(other.first_step) - 1;
        }
      }
    }
  }

  const std::vector<std::vector<PlanBlock>>& ranks_;
  FileProgram& program_;
  std::map<ChannelKey, ChannelUse> channels_;
  std::vector<std::vector<std::size_t>> first_steps_;  // of each op, by block of this rank
  std::int32_t empty_signals_ = 0;
  std::int64_t barrier_steps_ = 0;
};

}  // namespace

std::int32_t link_plan(const std::vector<std::vector<PlanBlock>>& ranks, FileProgram& program) {
  return Linker(ranks, program).link();
}

}  // namespace fabricast
