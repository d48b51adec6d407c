#include "emulator/schedule/draw/rounds.hpp"

#include <algorithm>
#include <bit>
#include <deque>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/schedule/expand.hpp"
#include "emulator/schedule/verify/promise.hpp"

namespace fabricast {
namespace {

struct InFlight {
  std::vector<CellValue> values;
  std::int32_t round;
  std::size_t message;
};

struct Lane {
  std::int32_t rank = 0;
  LaneProgram program;
  std::size_t next = 0;
  std::int32_t clock = 0, last_send = -1, last_receive = -1;
  StepOrigin send_origin{-1, 0, 0, 0}, receive_origin{-1, 0, 0, 0};
  std::vector<std::int32_t> end_round;  // of each step
};

bool same(const StepOrigin& a, const StepOrigin& b) {
  return a.stage == b.stage && a.group == b.group && a.phase == b.phase &&
         a.repetition == b.repetition;
}

class Run {
 public:
  Run(const Schedule& schedule, const Placement& placement)
      : schedule_(schedule),
        placement_(placement),
        promise_(schedule, placement, placement.rank_at(0)) {
    result_.ranks = schedule.positions();
    result_.full = reduces(schedule.collective) ? result_.ranks : 1;
    for (std::int32_t rank = 0; rank < result_.ranks; ++rank) {
      for (std::int32_t role = 0; role < schedule.roles; ++role) {
        Lane lane;
        lane.rank = rank;
        lane.program = expand(schedule, placement, rank, role);
        remaining_ += lane.program.steps.size();
        lanes_.push_back(std::move(lane));
      }
      add_start(rank);
    }
  }

  Rounds run() {
    std::int32_t idle = 0;
    for (std::int32_t round = 0; remaining_ > 0; ++round) {
      if (round >= most_drawn_rounds) {
        throw UsageError(fmt::format(
            "more than {} rounds cannot be drawn; show fewer ranks or chunks", most_drawn_rounds));
      }
      bool any = false;
      for (bool progress = true; progress;) {
        progress = false;
        for (Lane& lane : lanes_) {
          while (lane.next < lane.program.steps.size() && start_of(lane) <= round) {
            execute(lane, round);
            progress = any = true;
          }
        }
      }
      idle = any ? 0 : idle + 1;
      if (idle > 2) throw CheckError("the schedule gets stuck; fabricast verify says where");
      result_.after.push_back(now_);
      result_.rounds = round + 1;
    }
    finish_stages();
    return std::move(result_);
  }

 private:
  static constexpr std::int32_t never = 1 << 30;

  void add_start(std::int32_t rank) {
    RankCells input, output;
    for (std::int32_t c = 0; c < schedule_.chunks; ++c) {
      const CellValue value = promise_.has_input(rank, c) ? own_value(rank, c) : CellValue{};
      input.output.push_back(value);
      output.output.push_back(schedule_.starts_in_output ? value : CellValue{});
    }
    input.scratch.resize(static_cast<std::size_t>(schedule_.scratch_chunks));
    output.scratch = input.scratch;
    result_.start.push_back(std::move(input));
    now_.push_back(std::move(output));
  }

  CellValue own_value(std::int32_t rank, std::int32_t chunk) const {
    const bool by_rank = schedule_.collective == Collective::all_to_all ||
                         schedule_.collective == Collective::send_recv;
    return {by_rank ? rank : chunk, std::uint64_t{1} << rank};
  }

  using Key = std::tuple<std::int32_t, std::int32_t, std::int32_t>;

  // The first round in which the lane's next step can run; never: something is missing.
  std::int32_t start_of(const Lane& lane) {
    const Step& step = lane.program.steps[lane.next];
    const StepExtra& extra = lane.program.extras[lane.next];
    const StepOrigin& origin = lane.program.origins[lane.next];
    std::int32_t round = lane.clock;
    if (extra.after_role >= 0) {
      const Lane& other =
          lanes_[static_cast<std::size_t>(lane.rank * schedule_.roles + extra.after_role)];
      const auto needed = static_cast<std::size_t>(other.program.steps_through(extra.after_stage));
      if (other.next < needed) return never;
      if (needed > 0) round = std::max(round, other.end_round[needed - 1]);
    }
    if ((step.action & action_recv) != 0) {
      const auto found =
          fifos_.find(Key{static_cast<std::int32_t>(step.peer_in), lane.rank, extra.fifo_in});
      if (found == fifos_.end() || found->second.empty()) return never;
      round = std::max(round, found->second.front().round + 1);
      const bool one_step = is_one_step(origin) && same(origin, lane.receive_origin);
      if (!one_step) round = std::max(round, lane.last_receive + 1);
    }
    if ((step.action & action_send) != 0) {
      const bool one_step = is_one_step(origin) && same(origin, lane.send_origin);
      if (!one_step) round = std::max(round, lane.last_send + 1);
    }
    return round;
  }

  const Phase& phase_of(const StepOrigin& origin) const {
    return schedule_.stages[static_cast<std::size_t>(origin.stage)]
        .groups[static_cast<std::size_t>(origin.group)]
        .phases[static_cast<std::size_t>(origin.phase)];
  }
  bool is_one_step(const StepOrigin& origin) const {
    const Phase& phase = phase_of(origin);
    return phase.peer_in.is_group() || phase.peer_out.is_group();
  }

  void execute(Lane& lane, std::int32_t round) {
    const Step& step = lane.program.steps[lane.next];
    const StepExtra& extra = lane.program.extras[lane.next];
    const StepOrigin& origin = lane.program.origins[lane.next];
    std::vector<CellValue> values(step.chunk_count);
    if ((step.action & action_recv) != 0) {
      auto& fifo = fifos_[Key{static_cast<std::int32_t>(step.peer_in), lane.rank, extra.fifo_in}];
      values = fifo.front().values;
      values.resize(step.chunk_count);
      result_.messages[fifo.front().message].received = round;
      fifo.pop_front();
      lane.last_receive = round;
      lane.receive_origin = origin;
    }
    for (std::uint32_t i = 0; i < step.chunk_count && step.action != action_none; ++i) {
      compute(lane.rank, step, i, values[i]);
    }
    if ((step.action & action_send) != 0) {
      const auto to = static_cast<std::int32_t>(step.peer_out);
      const Phase& phase = phase_of(origin);
      const bool by_switch = phase.peer_out.is_switched();
      result_.messages.push_back({lane.rank, to, round, round + 1, origin.stage, by_switch,
                                  by_switch && phase.per_member, values});
      fifos_[Key{lane.rank, to, extra.fifo_out}].push_back(
          {std::move(values), round, result_.messages.size() - 1});
      lane.last_send = round;
      lane.send_origin = origin;
    }
    lane.clock = round;
    lane.end_round.push_back(round);
    ++lane.next;
    --remaining_;
  }

  // values[i] of a step: what it sends or stores.
  void compute(std::int32_t rank, const Step& step, std::uint32_t i, CellValue& value) {
    const bool receives = (step.action & action_recv) != 0;
    const bool combines = (step.action & action_reduce) != 0;
    if (!receives) value = *cell(rank, step.source_buffer(), step.source_chunk, step, i);
    if (receives && combines)
      add(value, *cell(rank, step.source_buffer(), step.source_chunk, step, i));
    if ((step.action & action_copy) == 0) return;
    CellValue* target = cell(rank, step.target_buffer(), step.target_chunk, step, i);
    if (!receives && combines) add(value, *target);
    *target = value;
  }

  static void add(CellValue& sum, const CellValue& part) {
    if (sum.empty()) sum.identity = part.identity;
    sum.ranks |= part.ranks;
  }

  CellValue* cell(std::int32_t rank, Buffer buffer, std::uint64_t first, const Step& step,
                  std::uint32_t i) {
    auto& start = result_.start[static_cast<std::size_t>(rank)];
    auto& now = now_[static_cast<std::size_t>(rank)];
    auto& cells = buffer == Buffer::scratch  ? now.scratch
                  : buffer == Buffer::output ? now.output
                                             : start.output;
    const std::uint64_t at = first + (std::uint64_t{i} << step.stride_log2);
    if (cells.empty()) throw CheckError("a step uses scratch that the schedule does not have");
    return &cells[static_cast<std::size_t>(at % cells.size())];
  }

  void finish_stages() {
    auto& messages = result_.messages;
    std::stable_sort(messages.begin(), messages.end(), [](const auto& a, const auto& b) {
      return std::tie(a.sent, a.from) < std::tie(b.sent, b.from);
    });
    std::vector<std::set<std::int32_t>> stages(static_cast<std::size_t>(result_.rounds));
    for (const Lane& lane : lanes_) {
      for (std::size_t s = 0; s < lane.program.steps.size(); ++s) {
        stages[static_cast<std::size_t>(lane.end_round[s])].insert(lane.program.origins[s].stage);
      }
    }
    for (const auto& set : stages) result_.stages.emplace_back(set.begin(), set.end());
  }

  const Schedule& schedule_;
  const Placement& placement_;
  Promise promise_;
  Rounds result_;
  std::vector<Lane> lanes_;
  std::vector<RankCells> now_;
  std::map<Key, std::deque<InFlight>> fifos_;
  std::size_t remaining_ = 0;
};

std::string values_text(const Schedule& schedule, const Rounds& rounds,
                        const RoundMessage& message) {
  std::string text;
  const std::size_t n = message.values.size();
  const bool row = n > 2 && message.values.back().identity - message.values.front().identity ==
                                static_cast<std::int32_t>(n) - 1;
  if (row) {
    text = fmt::format("{}-{}", message.values.front().identity, message.values.back().identity);
  } else {
    for (const auto& value : message.values) {
      text += fmt::format("{}{}", text.empty() ? "" : "+", value.identity);
    }
  }
  if (reduces(schedule.collective)) {
    text += fmt::format(" ({} of {})", message.values.front().contributions(), rounds.full);
  }
  return text;
}

}  // namespace

std::int32_t CellValue::contributions() const { return std::popcount(ranks); }

Rounds rounds_of(const Schedule& schedule, const Placement& placement) {
  if (schedule.positions() > most_drawn_ranks) {
    throw UsageError(fmt::format("{} ranks in one picture (more than {} cannot be read) show fewer",
                                 schedule.positions(), most_drawn_ranks));
  }
  if (schedule.chunks > most_drawn_chunks || schedule.scratch_chunks > most_drawn_chunks) {
    throw UsageError(
        fmt::format("{} chunks in one picture (more than {} cannot be read) show fewer",
                    std::max(schedule.chunks, schedule.scratch_chunks), most_drawn_chunks));
  }
  return Run(schedule, placement).run();
}

std::string rounds_text(const Schedule& schedule, const Rounds& rounds) {
  std::string text;
  std::size_t m = 0;
  for (std::int32_t round = 0; round < rounds.rounds; ++round) {
    std::string line;
    for (; m < rounds.messages.size() && rounds.messages[m].sent == round; ++m) {
      const auto& message = rounds.messages[m];
      line += fmt::format("{}{}>{} {}{}", line.empty() ? "" : ", ", message.from, message.to,
                          values_text(schedule, rounds, message),
                          message.through_switch ? " by switch" : "");
    }
    if (!line.empty()) text += fmt::format("round {}: {}\n", round, line);
  }
  return text;
}

}  // namespace fabricast
