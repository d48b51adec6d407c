#include "emulator/schedule/verify/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "emulator/schedule/verify/interpreter.hpp"
#include "emulator/schedule/verify/shape.hpp"

namespace fabricast {
namespace {

// Vector clocks count lanes^2 steps, a block of ranks per run: each lane and each message in flight
// has a counter for every lane of the block.
constexpr std::int64_t most_clocked_lanes = 24'000;
constexpr std::int64_t most_clock_work = 20'000'000'000;  // counters compared: about 10 s

class Verification {
 public:
  Verification(const LaneSource& source, VerifyOptions options)
      : source_(source), schedule_(source.schedule()), options_(options) {}

  VerifyReport run();

 private:
  template <class Value>
  typename Interpreter<Value>::Settings settings() const {
    return {options_.loops, options_.slices, options_.root, options_.in_place};
  }
  void add(Finding::Kind kind, std::string text) {
    if (report_.findings.size() < options_.most_findings) {
      report_.findings.push_back({kind, std::move(text)});
    } else {
      ++report_.further_findings;
    }
  }
  bool run_fingerprints();
  void report_deadlock(const std::vector<LaneWait>& waits);
  void explain_results();
  void prove_order();
  void report_unordered(const std::vector<UnorderedAccess>& unordered);
  std::string name_of_slot(std::int64_t slot) const;
  template <class Value>
  std::vector<std::pair<std::int32_t, std::int32_t>> wrong_chunks(const Interpreter<Value>& run,
                                                                 std::int32_t loop) const;

  const LaneSource& source_;
  const Schedule& schedule_;
  VerifyOptions options_;
  VerifyReport report_;
};

// What each output chunk must be; reductions over all ranks are summed once per chunk.
template <class Value>
class Expected {
 public:
  Expected(const LaneSource& source, std::int32_t root, std::int32_t loop)
      : source_(source), promise_(source.schedule(), source.placement(), root), loop_(loop) {}

  std::optional<Value> of(std::int32_t rank, std::int32_t chunk) {
    const auto promised = promise_.output(rank, chunk);
    if (!promised) return std::nullopt;
    if (promised->rank >= 0) return Value::of_input(loop_, promised->rank, promised->chunk);
    if (sums_.empty()) sums_.resize(static_cast<std::size_t>(source_.schedule().chunks));
    auto& sum = sums_[static_cast<std::size_t>(promised->chunk)];
    if (!sum) {
      sum = Value{};
      for (std::int32_t r = 0; r < source_.ranks(); ++r) {
        sum->add(Value::of_input(loop_, r, promised->chunk));
      }
    }
    return sum;
  }

 private:
  const LaneSource& source_;
  Promise promise_;
  std::int32_t loop_;
  std::vector<std::optional<Value>> sums_;
};

template <class Value>
std::vector<std::pair<std::int32_t, std::int32_t>> Verification::wrong_chunks(
    const Interpreter<Value>& run, std::int32_t loop) const {
  Expected<Value> expected(source_, options_.root, loop);
  std::vector<std::pair<std::int32_t, std::int32_t>> wrong;
  for (std::int32_t rank = 0; rank < source_.ranks(); ++rank) {
    for (std::int32_t chunk = 0; chunk < schedule_.chunks; ++chunk) {
      const auto wanted = expected.of(rank, chunk);
      if (wanted && !(run.output(rank, chunk, loop) == *wanted)) wrong.emplace_back(rank, chunk);
    }
  }
  return wrong;
}

VerifyReport Verification::run() {
  report_.lanes = source_.lanes();
  ShapeResult shape = check_shape(source_, options_);
  for (Finding& finding : shape.findings) add(finding.kind, std::move(finding.text));
  report_.shared_chunks = shape.shared_chunks;
  const bool runnable =
      std::none_of(shape.findings.begin(), shape.findings.end(),
                   [](const Finding& f) { return f.kind == Finding::Kind::bad_step; });
  if (!runnable) {
    report_.note = "not run: its steps are not legal";
    return std::move(report_);
  }
  if (run_fingerprints() && shape.shared_chunks > 0) prove_order();
  return std::move(report_);
}

bool Verification::run_fingerprints() {
  Interpreter<Fingerprint> interpreter(source_, settings<Fingerprint>());
  const bool finished = interpreter.run();
  report_.steps = interpreter.steps();
  report_.messages = interpreter.messages();
  report_.connections = interpreter.connections();
  for (const auto& mismatch : interpreter.mismatches()) {
    add(Finding::Kind::connection,
        fmt::format("{}: expects {} chunks from rank {} and gets {}",
                    describe_step(schedule_, mismatch.lane, mismatch.origin), mismatch.wanted,
                    mismatch.peer, mismatch.got));
  }
  if (!finished) {
    report_deadlock(interpreter.waits());
    return false;
  }
  for (const auto& left : interpreter.leftovers()) {
    add(Finding::Kind::connection,
        fmt::format("{} messages from rank {} to rank {} are never received", left.messages,
                    left.source, left.destination));
  }
  bool right = true;
  for (std::int32_t loop = 0; loop < options_.loops; ++loop) {
    const auto wrong = wrong_chunks(interpreter, loop);
    if (wrong.empty()) continue;
    right = false;
    if (source_.ranks() <= options_.exact_ranks) {
      explain_results();
      break;
    }
    for (const auto& [rank, chunk] : wrong) {
      add(Finding::Kind::wrong_result,
          fmt::format("rank {}: output chunk {} is not what {} promises", rank, chunk,
                      to_string(schedule_.collective)));
    }
    break;
  }
  return right;
}

void Verification::explain_results() {
  Interpreter<Contributions> interpreter(source_, settings<Contributions>());
  interpreter.run();
  for (std::int32_t loop = 0; loop < options_.loops; ++loop) {
    Expected<Contributions> expected(source_, options_.root, loop);
    for (const auto& [rank, chunk] : wrong_chunks(interpreter, loop)) {
      add(Finding::Kind::wrong_result,
          fmt::format("rank {}: output chunk {} {}", rank, chunk,
                      difference(interpreter.output(rank, chunk, loop),
                                 *expected.of(rank, chunk))));
    }
    if (!report_.ok()) return;
  }
}

// Follows who waits for whom until a lane comes round again, or somebody waits for nobody.
void Verification::report_deadlock(const std::vector<LaneWait>& waits) {
  const auto describe = [&](std::size_t lane) {
    const LaneWait& wait = waits[lane];
    std::string what = fmt::format("role {} of its own rank", wait.lane % schedule_.roles);
    if (wait.what == LaneWait::For::message) what = fmt::format("a message from rank {}", wait.peer);
    if (wait.what == LaneWait::For::room) {
      what = fmt::format("a free slot towards rank {}", wait.peer);
    }
    return fmt::format("{} waits for {}",
                       describe_step(schedule_, static_cast<std::int32_t>(lane), wait.origin), what);
  };
  const auto blocked = [&](std::size_t lane) { return waits[lane].what != LaneWait::For::nothing; };
  std::size_t lane = 0;
  while (lane < waits.size() && !blocked(lane)) ++lane;
  std::set<std::size_t> seen;
  while (waits[lane].lane >= 0 && seen.insert(lane).second) {
    const auto next = static_cast<std::size_t>(waits[lane].lane);
    if (!blocked(next)) break;
    lane = next;
  }
  std::string text = describe(lane);
  if (waits[lane].lane < 0) {
    text += ", which never comes";
  } else {
    const std::size_t first = lane;
    for (int shown = 1; shown < 6; ++shown) {
      lane = static_cast<std::size_t>(waits[lane].lane);
      if (lane == first) break;
      text += "; " + describe(lane);
    }
    text += lane == first ? "; and so round" : "; and so on";
  }
  const auto count = std::count_if(waits.begin(), waits.end(), [](const LaneWait& wait) {
    return wait.what != LaneWait::For::nothing;
  });
  add(Finding::Kind::deadlock,
      fmt::format("{} of {} lanes wait for ever with {} slots per connection and {} slices: {}",
                  count, waits.size(), schedule_.fifo_depth, options_.slices, text));
}

std::string Verification::name_of_slot(std::int64_t slot) const {
  const MemoryLayout layout{schedule_.chunks, schedule_.scratch_chunks, options_.loops,
                            options_.in_place};
  const std::int64_t user = 2 * layout.chunks * layout.loops;
  if (slot >= user) return fmt::format("scratch chunk {}", (slot - user) % layout.scratch);
  const bool output = slot / layout.chunks % 2 == 1;
  return fmt::format("{} chunk {}", options_.in_place ? "in-place" : output ? "output" : "input",
                     slot % layout.chunks);
}

void Verification::prove_order() {
  const std::int64_t work = report_.lanes * report_.steps * options_.loops * options_.slices;
  if (report_.lanes > most_clocked_lanes || work > most_clock_work) {
    report_.hazards_proven = false;
    report_.note = fmt::format(
        "the order of {} chunks that lanes share is not proven ({} lanes x {} steps are too many "
        "for vector clocks); verify the same algorithm with fewer ranks",
        report_.shared_chunks, report_.lanes, report_.steps);
    return;
  }
  const auto lanes = static_cast<std::int32_t>(report_.lanes);
  const auto ranks_at_once =
      std::max<std::int64_t>(1, options_.clock_counters / report_.lanes / schedule_.roles);
  const auto block = static_cast<std::int32_t>(
      std::min<std::int64_t>(lanes, ranks_at_once * schedule_.roles));
  for (std::int32_t first = 0; first < lanes; first += block) {
    auto clocked = settings<Fingerprint>();
    clocked.first_clocked = first;
    clocked.clocked = std::min(block, lanes - first);
    Interpreter<Fingerprint> interpreter(source_, clocked);
    interpreter.run();
    report_unordered(interpreter.unordered());
  }
}

void Verification::report_unordered(const std::vector<UnorderedAccess>& unordered) {
  const auto verb = [](bool writes) { return writes ? "writes" : "reads"; };
  for (const UnorderedAccess& access : unordered) {
    add(Finding::Kind::hazard,
        fmt::format("rank {}: role {} (step {}) {} and role {} (step {}) {} {}, and no message or "
                    "dependence orders them",
                    access.rank, access.first_lane % schedule_.roles, access.first_step,
                    verb(access.first_writes), access.second_lane % schedule_.roles,
                    access.second_step, verb(access.second_writes), name_of_slot(access.slot)));
  }
}

}  // namespace

std::string_view to_string(Finding::Kind kind) {
  switch (kind) {
    case Finding::Kind::bad_step: return "bad step";
    case Finding::Kind::connection: return "connection";
    case Finding::Kind::wrong_result: return "wrong result";
    case Finding::Kind::hazard: return "hazard";
    case Finding::Kind::deadlock: return "deadlock";
  }
  return "";
}

std::string difference(const Contributions& found, const Contributions& wanted) {
  std::vector<std::string> parts;
  const auto name = [](const auto& key) {
    const auto& [loop, rank, chunk] = key;
    return rank < 0 ? std::string("what was there before the run")
                    : fmt::format("chunk {} of rank {}", chunk, rank);
  };
  for (const auto& [key, times] : wanted.count) {
    const auto at = found.count.find(key);
    const std::int32_t has = at == found.count.end() ? 0 : at->second;
    if (has < times) parts.push_back("lacks " + name(key));
    if (has > times) parts.push_back(fmt::format("has {} {} times", name(key), has));
  }
  for (const auto& [key, times] : found.count) {
    if (times != 0 && !wanted.count.contains(key)) parts.push_back("has " + name(key));
  }
  constexpr std::size_t shown = 4;
  const std::size_t more = parts.size() > shown ? parts.size() - shown : 0;
  parts.resize(parts.size() - more);
  return fmt::format("{}{}", fmt::join(parts, ", "),
                     more > 0 ? fmt::format(", and {} more", more) : "");
}

VerifyReport verify(const LaneSource& source, const VerifyOptions& options) {
  return Verification(source, options).run();
}

VerifyReport verify(const Schedule& schedule, const Placement& placement,
                    const VerifyOptions& options) {
  return verify(LaneSource(schedule, placement), options);
}

VerifyReport verify(const ExecutionPlan& plan, VerifyOptions options) {
  VerifyReport all;
  options.slices = plan.slices;
  if (!plan.channels.empty() && has_root(plan.collective)) {
    options.root = plan.channels.front().placement.rank_at(0);
  }
  for (std::size_t c = 0; c < plan.channels.size(); ++c) {
    const ChannelPlan& channel = plan.channels[c];
    const bool known =
        std::any_of(plan.channels.begin(), plan.channels.begin() + static_cast<std::ptrdiff_t>(c),
                    [&](const ChannelPlan& other) {
                      return other.schedule == channel.schedule &&
                             other.placement == channel.placement;
                    });
    if (known) continue;
    VerifyReport one = verify(*channel.schedule, channel.placement, options);
    for (Finding& finding : one.findings) {
      finding.text = fmt::format("channel {}: {}", c, finding.text);
      all.findings.push_back(std::move(finding));
    }
    all.further_findings += one.further_findings;
    all.lanes += one.lanes;
    all.steps += one.steps;
    all.messages += one.messages;
    all.connections += one.connections;
    all.shared_chunks += one.shared_chunks;
    all.hazards_proven = all.hazards_proven && one.hazards_proven;
    if (all.note.empty()) all.note = one.note;
  }
  return all;
}

}  // namespace fabricast
