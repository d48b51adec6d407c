#include "emulator/schedule/verify/shape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "emulator/schedule/verify/interpreter.hpp"
#include "emulator/schedule/verify/promise.hpp"

namespace fabricast {
namespace {

constexpr unsigned recv = action_recv, red = action_reduce, copy = action_copy, snd = action_send;

class ShapeCheck {
 public:
  ShapeCheck(const LaneSource& source, const VerifyOptions& options)
      : source_(source),
        schedule_(source.schedule()),
        options_(options),
        promise_(source.schedule(), source.placement(), options.root),
        layout_{schedule_.chunks, schedule_.scratch_chunks, 1, options.in_place} {}

  ShapeResult run();

 private:
  struct Ends {
    std::int32_t sender = -1, receiver = -1;
    std::int64_t sent = 0, received = 0;
  };
  struct Use {
    std::int16_t role = -1;
    bool shared = false, written = false;
  };

  void check_step(std::int32_t lane, const Step& step, const StepExtra& extra,
                  const StepOrigin& origin);
  void check_chunks(std::int32_t lane, const Step& step, const StepOrigin& origin);
  void use(std::int32_t lane, Buffer buffer, std::int32_t chunk, bool writes);
  void claim(std::int32_t& end, std::int32_t lane, const StepOrigin& origin, const char* what);
  void count_messages();
  void add(Finding::Kind kind, std::int32_t lane, const StepOrigin& origin, std::string text) {
    result_.findings.push_back({kind, describe_step(schedule_, lane, origin) + ": " + text});
  }

  const LaneSource& source_;
  const Schedule& schedule_;
  const VerifyOptions& options_;
  Promise promise_;
  MemoryLayout layout_;
  ShapeResult result_;
  std::unordered_map<std::uint64_t, Ends> ends_;
  std::vector<Use> uses_;  // of the rank being walked, by slot
};

ShapeResult ShapeCheck::run() {
  if (schedule_.fifo_depth < 1) {
    result_.findings.push_back(
        {Finding::Kind::bad_step, "the schedule's connections have no slot (fifo_depth " +
                                      std::to_string(schedule_.fifo_depth) + ")"});
    return std::move(result_);
  }
  LaneProgram bundle;
  for (std::int32_t rank = 0; rank < source_.ranks(); ++rank) {
    if (schedule_.roles > 1) uses_.assign(static_cast<std::size_t>(layout_.slots()), {});
    for (std::int32_t role = 0; role < schedule_.roles; ++role) {
      LaneSource::Cursor cursor;
      const std::int32_t lane = rank * schedule_.roles + role;
      while (source_.next_bundle(lane, cursor, bundle)) {
        for (std::size_t i = 0; i < bundle.steps.size(); ++i) {
          check_step(lane, bundle.steps[i], bundle.extras[i], bundle.origins[i]);
        }
      }
    }
    for (std::size_t slot = 0; slot < uses_.size(); ++slot) {
      if (!uses_[slot].shared || !uses_[slot].written) continue;
      ++result_.shared_chunks;
    }
  }
  count_messages();
  return std::move(result_);
}

// Semantics 1.3.
void ShapeCheck::claim(std::int32_t& end, std::int32_t lane, const StepOrigin& origin,
                       const char* what) {
  if (end >= 0 && end != lane) {
    add(Finding::Kind::connection, lane, origin,
        fmt::format("{} a connection that role {} uses too (their order would depend on timing)",
                    what, end % schedule_.roles));
  }
  end = lane;
}

void ShapeCheck::check_step(std::int32_t lane, const Step& step, const StepExtra& extra,
                            const StepOrigin& origin) {
  const auto ranks = static_cast<std::uint64_t>(source_.ranks());
  const auto rank = static_cast<std::uint64_t>(lane / schedule_.roles);
  const unsigned action = step.action;
  const auto bad = [&](std::string text) {
    add(Finding::Kind::bad_step, lane, origin, std::move(text));
  };
  if (!is_instruction(action)) bad(fmt::format("action {} is no instruction", action));
  const auto ends_of = [&](std::uint64_t from, std::uint64_t to, unsigned fifo) -> Ends& {
    return ends_[(from * ranks + to) * 256 + fifo];
  };
  if ((action & recv) != 0) {
    if (step.peer_in >= ranks || step.peer_in == rank) {
      bad("receives from no other rank");
    } else {
      Ends& ends = ends_of(step.peer_in, rank, extra.fifo_in);
      claim(ends.receiver, lane, origin, "receives on");
      ++ends.received;
    }
  }
  if ((action & snd) != 0) {
    if (step.peer_out >= ranks || step.peer_out == rank) {
      bad("sends to no other rank");
    } else {
      Ends& ends = ends_of(rank, step.peer_out, extra.fifo_out);
      claim(ends.sender, lane, origin, "sends on");
      ++ends.sent;
    }
  }
  if (extra.after_role >= schedule_.roles || (extra.after_role >= 0 &&
                                              extra.after_role == lane % schedule_.roles)) {
    bad(fmt::format("waits for role {}, which is no other lane", extra.after_role));
  }
  check_chunks(lane, step, origin);
}

void ShapeCheck::check_chunks(std::int32_t lane, const Step& step, const StepOrigin& origin) {
  if (step.action == action_none) return;
  const std::int32_t rank = lane / schedule_.roles;
  const bool reads = (step.action & recv) == 0 || (step.action & red) != 0;
  const bool reads_target = (step.action & recv) == 0 && (step.action & red) != 0;
  const bool writes = (step.action & copy) != 0;
  const auto check = [&](Buffer buffer, std::uint64_t first, bool write) {
    const bool scratch = buffer == Buffer::scratch;
    const auto chunks = static_cast<std::uint64_t>(scratch ? schedule_.scratch_chunks
                                                           : schedule_.chunks);
    const std::uint64_t end = first + ((step.chunk_count - 1ull) << step.stride_log2) + 1;
    // A message may go round the end of its buffer (semantics 2.9).
    if (step.chunk_count == 0 || first >= chunks || step.chunk_count > chunks) {
      add(Finding::Kind::bad_step, lane, origin,
          fmt::format("chunks {} to {} lie outside the {} of its buffer", first, end - 1, chunks));
      return;
    }
    for (std::uint32_t i = 0; i < step.chunk_count; ++i) {
      const auto chunk =
          chunk_in_message(schedule_, buffer, static_cast<std::uint32_t>(first),
                                          step.stride_log2, i);
      if (!scratch) {
        const bool exists = buffer == Buffer::input ? promise_.has_input(rank, chunk)
                                                    : promise_.has_output(rank, chunk);
        if (!exists || (write && buffer == Buffer::input && !options_.in_place)) {
          add(Finding::Kind::bad_step, lane, origin,
              fmt::format("{} chunk {} of its {} buffer, which {}", write ? "writes" : "reads",
                          chunk, buffer == Buffer::input ? "input" : "output",
                          exists ? "is the user's" : "does not hold it"));
          return;
        }
      }
      use(lane, buffer, chunk, write);
    }
  };
  if (reads) check(step.source_buffer(), step.source_chunk, false);
  if (reads_target) check(step.target_buffer(), step.target_chunk, false);
  if (writes) check(step.target_buffer(), step.target_chunk, true);
}

void ShapeCheck::use(std::int32_t lane, Buffer buffer, std::int32_t chunk, bool writes) {
  if (uses_.empty()) return;
  Use& use = uses_[static_cast<std::size_t>(layout_.slot(buffer, chunk, 0))];
  const auto role = static_cast<std::int16_t>(lane % schedule_.roles);
  use.shared = use.shared || (use.role >= 0 && use.role != role);
  use.written = use.written || writes;
  use.role = role;
}

void ShapeCheck::count_messages() {
  std::vector<std::uint64_t> unequal;
  for (const auto& [key, ends] : ends_) {
    if (ends.sent != ends.received) unequal.push_back(key);
  }
  std::sort(unequal.begin(), unequal.end());
  for (const std::uint64_t key : unequal) {
    const auto ranks = static_cast<std::uint64_t>(source_.ranks());
    const Ends& ends = ends_[key];
    const std::string fifo =
        key % 256 == 0 ? std::string() : fmt::format(" (fifo {})", key % 256);
    result_.findings.push_back(
        {Finding::Kind::connection,
         fmt::format("rank {} sends {} messages to rank {}{}, which receives {}",
                     key / 256 / ranks, ends.sent, key / 256 % ranks, fifo, ends.received)});
  }
}

}  // namespace

std::string describe_step(const Schedule& schedule, std::int32_t lane, const StepOrigin& origin) {
  const auto stage = static_cast<std::size_t>(origin.stage);
  std::string text = fmt::format("rank {}", lane / schedule.roles);
  if (schedule.roles > 1) text += fmt::format(" role {}", lane % schedule.roles);
  text += fmt::format(", stage {}",
                      stage < schedule.stages.size() ? schedule.stages[stage].name : "?");
  if (stage < schedule.stages.size() && schedule.stages[stage].repeat > 1) {
    text += fmt::format(", repetition {}", origin.repetition);
  }
  return text;
}

ShapeResult check_shape(const LaneSource& source, const VerifyOptions& options) {
  return ShapeCheck(source, options).run();
}

}  // namespace fabricast
