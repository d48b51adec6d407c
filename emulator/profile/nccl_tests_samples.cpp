#include "emulator/profile/nccl_tests_samples.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "emulator/base/contracts.hpp"
#include "emulator/profile/nccl_settings.hpp"

namespace fabricast {
namespace {

constexpr double set_up = 2;       // a first row so many times the second holds more than itself
constexpr double rounding = 1e-6;  // relative: of the doubles that nccl-tests divides
constexpr std::size_t longest_list = 5;  // settings shown of a run

struct Range {
  double low = 0, high = 0;
};

bool overlap(const Range& a, const PrintedNumber& b) {
  return a.low * (1 - rounding) <= b.value + b.half_unit &&
         b.value - b.half_unit <= a.high * (1 + rounding);
}

std::string placement_of(const NcclTestsTiming& timing) {
  return timing.in_place ? "in place" : "out of place";
}

// NCCL's log names collectives in its own way; sizes are nccl-tests' only for these.
std::string_view nccl_name(Collective collective) {
  switch (collective) {
    case Collective::all_reduce:
      return "AllReduce";
    case Collective::broadcast:
      return "Broadcast";
    case Collective::reduce:
      return "Reduce";
    default:
      return {};
  }
}

bool obeys_overrides(Collective collective) {
  return collective == Collective::all_reduce || collective == Collective::all_gather ||
         collective == Collective::reduce_scatter || collective == Collective::broadcast ||
         collective == Collective::reduce;
}

std::string setting(const NcclTestsRun& run, const char* name) {
  const auto found = run.environment.find(name);
  return found == run.environment.end() ? std::string() : found->second;
}

// What NCCL said it chose, what it was told to choose, or its own choice.
NcclChoice choice_of(const NcclTestsRun& run, Collective collective, std::int64_t bytes) {
  const auto said = run.choices.find({std::string(nccl_name(collective)), bytes});
  if (said != run.choices.end()) return said->second;
  NcclChoice choice{"nccl", "auto", 0};
  if (!obeys_overrides(collective)) return choice;
  const std::string algorithm = algorithm_of(setting(run, "NCCL_ALGO"));
  const std::string protocol = protocol_of(setting(run, "NCCL_PROTO"));
  if (!algorithm.empty()) choice.algorithm = algorithm;
  if (!protocol.empty()) choice.protocol = protocol;
  return choice;
}

std::int32_t index_of(const Conditions& conditions, SampleSet& samples) {
  const auto found = std::find(samples.conditions.begin(), samples.conditions.end(), conditions);
  const auto index = found - samples.conditions.begin();
  if (found == samples.conditions.end()) samples.conditions.push_back(conditions);
  return static_cast<std::int32_t>(index);
}

// Samples of each condition so far.
std::vector<std::int32_t> repeats_of(const SampleSet& samples) {
  std::vector<std::int32_t> repeats(samples.conditions.size());
  for (const Sample& sample : samples.samples)
    ++repeats[static_cast<std::size_t>(sample.condition)];
  return repeats;
}

std::string row_problem(const NcclTestsRun& run, const NcclTestsRow& row,
                        const ImportRules& rules) {
  if (row.bytes == 0) return "size 0 moves nothing";
  for (const NcclTestsTiming& timing : row.timings) {
    if (!std::isfinite(timing.time_us.value) || !(timing.time_us.value > 0)) {
      return fmt::format("its time {} is no positive number", placement_of(timing));
    }
    if (timing.wrong && !(*timing.wrong == 0) && !rules.keep_wrong) {
      return fmt::format("{} wrong elements {}", *timing.wrong, placement_of(timing));
    }
    if (run.failed && !timing.wrong && !rules.keep_wrong) {
      return "the run's own check failed, and the row does not say whether it is the one";
    }
  }
  return {};
}

// The first row's time against the second's, of the same placement.
bool holds_set_up(const NcclTestsRun& run, const NcclTestsRow& row, const NcclTestsTiming& timing) {
  if (&row != &run.rows.front() || run.rows.size() < 2 || run.rows[1].bytes < row.bytes)
    return false;
  const auto& next = run.rows[1].timings;
  const auto same = std::find_if(next.begin(), next.end(), [&](const NcclTestsTiming& t) {
    return t.in_place == timing.in_place;
  });
  return same != next.end() && timing.time_us.value > set_up * same->time_us.value;
}

Conditions conditions_of(const NcclTestsRun& run, const NcclTestsShape& shape,
                         const NcclTestsRow& row, const std::string& machine) {
  const NcclChoice choice = choice_of(run, *shape.collective, row.bytes);
  Conditions conditions;
  conditions.executor = ExecutorKind::nccl;
  conditions.machine = machine;
  conditions.suite = "collective";
  conditions.collective = *shape.collective;
  conditions.algorithm = choice.algorithm;
  conditions.protocol = choice.protocol;
  conditions.channels = choice.channels;
  conditions.ranks = shape.ranks;
  conditions.bytes = row.bytes;
  conditions.dtype = row.dtype;
  // Files of old versions have no such column.
  conditions.redop = reduces(*shape.collective) ? row.redop : "none";
  return conditions;
}

// nccl-tests of 2019 left the rank's own block out of algbw as well.
NcclTestsTiming with_own_block(NcclTestsTiming timing, Collective collective, std::int32_t ranks) {
  const bool blocks =
      collective == Collective::all_gather || collective == Collective::reduce_scatter;
  if (!blocks || timing.algbw != timing.busbw) return timing;
  const double factor = busbw_factor(collective, ranks);
  timing.algbw = {timing.algbw.value / factor, timing.algbw.half_unit / factor};
  return timing;
}

}  // namespace

std::string bandwidth_problem(const NcclTestsTiming& timing, std::int64_t bytes,
                              Collective collective, std::int32_t ranks) {
  const double shortest = timing.time_us.value - timing.time_us.half_unit;
  const double longest = timing.time_us.value + timing.time_us.half_unit;
  const Range algbw{algbw_gb_per_s(bytes, longest), shortest > 0
                                                        ? algbw_gb_per_s(bytes, shortest)
                                                        : std::numeric_limits<double>::infinity()};
  if (!overlap(algbw, timing.algbw)) {
    return fmt::format("algbw {} does not follow from {} B in {} us ({:.4g})", timing.algbw.value,
                       bytes, timing.time_us.value, algbw_gb_per_s(bytes, timing.time_us.value));
  }
  const double factor = busbw_factor(collective, ranks);
  if (!overlap({algbw.low * factor, algbw.high * factor}, timing.busbw)) {
    return fmt::format("busbw {} does not follow from {} B in {} us as {} of {} ranks ({:.4g})",
                       timing.busbw.value, bytes, timing.time_us.value, to_string(collective),
                       ranks, algbw_gb_per_s(bytes, timing.time_us.value) * factor);
  }
  return {};
}

ImportCount add_samples(const NcclTestsRun& run, const NcclTestsShape& shape,
                        const ImportRules& rules, const SampleOrigin& origin, SampleSet& samples,
                        std::vector<RefusedLine>& refused) {
  FABRICAST_EXPECT(shape.refusal.empty() && shape.collective, "a run that can be evidence");
  ImportCount count;
  const std::string description = describe(run);
  std::vector<std::int32_t> repeats = repeats_of(samples);
  for (const NcclTestsRow& row : run.rows) {
    std::string problem = row_problem(run, row, rules);
    for (const NcclTestsTiming& timing : row.timings) {
      if (problem.empty()) {
        problem = bandwidth_problem(with_own_block(timing, *shape.collective, shape.ranks),
                                    row.bytes, *shape.collective, shape.ranks);
      }
    }
    if (!problem.empty()) {
      refused.push_back({row.line, problem});
      continue;
    }
    Conditions conditions = conditions_of(run, shape, row, origin.machine);
    for (const NcclTestsTiming& timing : row.timings) {
      conditions.in_place = timing.in_place;
      const std::int32_t index = index_of(conditions, samples);
      const bool discarded = holds_set_up(run, row, timing);
      samples.sources.push_back({static_cast<std::int64_t>(samples.samples.size()), origin.file,
                                 origin.sha256, row.line, description});
      repeats.resize(samples.conditions.size());
      samples.samples.push_back(
          {index, repeats[static_cast<std::size_t>(index)]++, timing.time_us.value, discarded});
      ++count.accepted;
      count.discarded += discarded ? 1 : 0;
    }
  }
  return count;
}

std::string describe(const NcclTestsRun& run) {
  std::string text = run.rccl ? "rccl-tests" : "nccl-tests";
  if (!run.tests_version.empty()) text += " " + run.tests_version;
  if (!run.nccl_version.empty()) text += (run.rccl ? ", RCCL " : ", NCCL ") + run.nccl_version;
  if (run.iterations >= 0) text += fmt::format(", mean of {} iterations", run.iterations);
  if (run.warmup >= 0) text += fmt::format(" after {}", run.warmup);
  if (run.graph > 0) text += fmt::format(", {} CUDA graph launches", run.graph);
  if (run.blocking) text += ", waiting after each (-z)";
  std::size_t shown = 0;
  for (const auto& [name, value] : run.environment) {
    if (name.starts_with("NCCL_DEBUG") || name.starts_with("NCCL_TESTS_")) continue;
    if (++shown > longest_list) continue;
    text += fmt::format(", {}={}", name, value);
  }
  if (shown > longest_list) text += fmt::format(", {} settings more", shown - longest_list);
  return text;
}

}  // namespace fabricast
