#include "bench/harness/sweep_cases.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/coordinator/effective_bytes.hpp"
#include "emulator/cost/protocol.hpp"
#include "emulator/runtime/multimem_request.hpp"
#include "emulator/runtime/rank_buffers.hpp"
#include "emulator/schedule/catalogue.hpp"

namespace fabricast {
namespace {

// The library chooses algorithm and protocol itself; the plan only carries collective and size.
constexpr const char* library_choice = "nccl";
std::string carrier_algorithm(Collective collective) { return algorithms_of(collective).front(); }

std::string protocol_label(ExecutorKind kind, HandOff hand_off) {
  switch (kind) {
    case ExecutorKind::host:
      if (hand_off != HandOff::simple) return std::string(to_string(hand_off));
      return "none";  // simple is the one its model describes
    case ExecutorKind::mpi:
      return "none";
    case ExecutorKind::cuda:
    case ExecutorKind::peers:
      return std::string(to_string(hand_off));
    case ExecutorKind::nccl:
      return "auto";
  }
  return "none";
}

// Cut exactly as the forward model cuts it: a measured plan must be the predicted plan.
ExecutionPlan plan_of(Collective collective, const std::string& algorithm, const RankSpace& space,
                      std::int64_t bytes, ExecutorKind kind, HandOff hand_off,
                      const MeasureOptions& options) {
  const std::int32_t element = size_of(options.type);
  if (kind == ExecutorKind::nccl) {
    return make_plan(collective, carrier_algorithm(collective), space, bytes, element, {});
  }
  const auto protocol = protocol_from_name(protocol_label(kind, hand_off));
  return make_plan(
      collective, algorithm, space, bytes, element,
      plan_limits(kind, collective, algorithm, protocol, space, bytes, options.channels));
}

// A file that is right in place only is run so, unless its collective cannot be.
bool runs_in_place(const AlgorithmFile& file, const MeasureOptions& options) {
  const ImportedSchedule& imported = file.imported;
  return options.in_place ||
         (imported.in_place && !imported.out_of_place && can_be_in_place(file.collective()));
}

void check_names(const std::vector<std::string>& algorithms, ExecutorKind kind) {
  auto known = algorithm_names();
  if (kind == ExecutorKind::nccl) known = {library_choice};
  for (const auto& name : algorithms) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    if (kind == ExecutorKind::nccl) {
      throw UsageError(fmt::format(
          "algorithm \"{}\" cannot be chosen with the nccl executor (the library chooses by size): "
          "leave --algorithm out, or force one with NCCL_ALGO",
          name));
    }
    throw UsageError(unknown_name_message("algorithm", name, known));
  }
}

std::vector<std::string> algorithms_for(Collective collective, const RankSpace& space,
                                        ExecutorKind kind, const MeasureOptions& options) {
  if (kind == ExecutorKind::nccl) return {library_choice};
  if (options.algorithms.empty() && !options.files.empty()) return {};
  std::vector<std::string> result;
  const bool only_switch = options.multimem && options.algorithms.empty();
  const auto wanted = only_switch ? std::vector<std::string>{"nvls"} : options.algorithms;
  for (const auto& name :
       wanted.empty() ? usual_algorithms(collective) : algorithms_of(collective)) {
    const bool asked =
        wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
    if (asked && algorithm_applies(name, collective, space)) result.push_back(name);
  }
  return result;
}

// Whole multiples of `unit`.
std::vector<std::int64_t> sizes_for(const std::string& what, std::int32_t ranks,
                                    const MeasureOptions& options, std::int64_t unit,
                                    std::vector<std::string>& notes) {
  const auto asked = options.increment > 0
                         ? linear_sizes(options.min_bytes, options.max_bytes, options.increment)
                         : sweep_sizes(options.min_bytes, options.max_bytes, options.factor);
  std::vector<std::int64_t> sizes;
  SizeNotes told(what, ranks, unit, size_of(options.type));
  for (const std::int64_t bytes : asked) {
    const auto runs = bytes - bytes % unit;
    told.add(bytes, runs);
    if (runs > 0 && (sizes.empty() || sizes.back() != runs)) sizes.push_back(runs);
  }
  for (auto& note : told.notes()) notes.push_back(std::move(note));
  return sizes;
}

std::vector<HandOff> hand_offs_of(const MeasureOptions& options) {
  return options.hand_offs.empty() ? std::vector{HandOff::simple} : options.hand_offs;
}

void check_hand_offs(ExecutorKind kind, const MeasureOptions& options) {
  if (options.hand_offs.empty() || kind == ExecutorKind::cuda) return;
  if (kind == ExecutorKind::host && options.check_only) return;
  const std::string asked = fmt::format("--protocol {}", to_string(options.hand_offs.front()));
  if (kind == ExecutorKind::nccl) {
    throw UsageError(fmt::format(
        "{} cannot be chosen with the nccl executor (the library chooses by size): leave it out, "
        "or force one with NCCL_PROTO",
        asked));
  }
  if (kind == ExecutorKind::mpi) {
    throw UsageError(fmt::format(
        "{} is no protocol of the mpi executor (its messages are MPI's): leave it out", asked));
  }
  throw UsageError(fmt::format(
      "{} is not timed by the host executor (its model knows no protocols): add --check-only to "
      "verify the data",
      asked));
}

// What is fixed for all cases of a sweep.
Conditions conditions_of(std::int32_t ranks, ExecutorKind kind, const std::string& machine,
                         const MeasureOptions& options) {
  Conditions conditions;
  conditions.executor = kind;
  conditions.machine = machine;
  conditions.suite = suite_of(options);
  conditions.ranks = ranks;
  conditions.dtype = std::string(to_string(options.type));
  conditions.in_place = options.in_place;
  return conditions;
}

void add_algorithms(SweepCases& result, const Conditions& fixed, Collective collective,
                    const RankSpace& space, const MeasureOptions& options) {
  if (options.in_place && !can_be_in_place(collective)) {
    result.notes.push_back(
        fmt::format("{} cannot be done in place and is left out", to_string(collective)));
    return;
  }
  const ExecutorKind kind = fixed.executor;
  const auto algorithms = algorithms_for(collective, space, kind, options);
  if (algorithms.empty()) {
    if (options.algorithms.empty() && !options.files.empty()) return;
    result.notes.push_back(fmt::format("{}: none of the algorithms applies on {} ranks",
                                       to_string(collective), fixed.ranks));
    return;
  }
  const auto unit = least_bytes(collective, fixed.ranks, size_of(options.type));
  const auto sizes =
      sizes_for(std::string(to_string(collective)), fixed.ranks, options, unit, result.notes);
  for (const auto& algorithm : algorithms) {
    for (const HandOff hand_off : hand_offs_of(options)) {
      for (const std::int64_t bytes : sizes) {
        SweepCase entry{
            fixed, plan_of(collective, algorithm, space, bytes, kind, hand_off, options), hand_off};
        entry.conditions.collective = collective;
        entry.conditions.algorithm = algorithm;
        entry.conditions.protocol = protocol_label(kind, hand_off);
        entry.conditions.channels =
            kind == ExecutorKind::nccl ? 0 : static_cast<std::int32_t>(entry.plan.channels.size());
        entry.conditions.bytes = bytes;
        entry.conditions.redop = reduces(collective) ? std::string(to_string(options.op)) : "none";
        result.cases.push_back(std::move(entry));
      }
    }
  }
}

void add_file(SweepCases& result, const Conditions& fixed, const AlgorithmFile& file,
              const RankSpace& space, HandOff hand_off, const MeasureOptions& options) {
  const std::int32_t element = size_of(options.type);
  const auto protocol = protocol_label(fixed.executor, hand_off);
  const auto limits = file_limits(fixed.executor, protocol_from_name(protocol));
  const auto unit = least_bytes(file.schedule(), element);
  for (const auto bytes : sizes_for(file.label, fixed.ranks, options, unit, result.notes)) {
    SweepCase entry{fixed, plan_of(file.imported.schedule, bytes, element, limits), hand_off};
    entry.plan.space = space;
    entry.conditions.protocol = protocol;
    entry.conditions.collective = file.collective();
    entry.conditions.algorithm = file.label;
    entry.conditions.channels = file.imported.channels;
    entry.conditions.bytes = bytes;
    entry.conditions.in_place = runs_in_place(file, options);
    result.cases.push_back(std::move(entry));
  }
}

// What the switch does not do is refused before anything runs.
void check_multimem_cases(const SweepCases& sweep, const MeasureOptions& options) {
  for (const auto& entry : sweep.cases) {
    check_multimem_request(
        {&entry.plan, options.type, options.op, entry.conditions.in_place, entry.hand_off});
  }
}

}  // namespace

std::string suite_of(const MeasureOptions& options) {
  const char* gpus = options.multimem ? "_multimem" : options.peers ? "_peers" : "";
  return fmt::format("collective{}{}{}", gpus, options.symmetric ? "_symmetric" : "",
                     options.graph ? "_graph" : "");
}

void refuse_files(const AlgorithmFiles& files, ExecutorKind kind) {
  if (files.empty() || kind != ExecutorKind::nccl) return;
  throw UsageError(fmt::format(
      "{} cannot be run by the nccl executor (NCCL has no way to hand it a schedule): use "
      "--executor cuda, mpi or host",
      files.front()->path));
}

SweepCases make_sweep_cases(std::int32_t ranks, ExecutorKind kind, const std::string& machine,
                            const MeasureOptions& options) {
  check_names(options.algorithms, kind);
  check_hand_offs(kind, options);
  if ((options.symmetric || options.graph) && kind != ExecutorKind::nccl) {
    throw UsageError(fmt::format("{} is NCCL's, the {} executor has none: leave it out",
                                 options.symmetric ? "--symmetric" : "--graph", to_string(kind)));
  }
  refuse_files(options.files, kind);
  for (const auto& file : options.files) {
    if (file->ranks() == ranks) continue;
    throw UsageError(fmt::format(
        "{} is for {} ranks, the {} executor has {} here: start as many ranks as the file has",
        file->path, file->ranks(), to_string(kind), ranks));
  }
  RankSpace space = options.space;
  if (space.size() == 1) space = RankSpace{ranks};
  if (space.size() != ranks) {
    throw UsageError(fmt::format(
        "the machine has {} ranks but the executor has {} (every rank needs a lane): run on {} "
        "ranks or name another machine",
        space.size(), ranks, space.size()));
  }
  SweepCases result;
  const Conditions fixed = conditions_of(ranks, kind, machine, options);
  for (const Collective collective : options.collectives) {
    add_algorithms(result, fixed, collective, space, options);
  }
  for (const auto& file : options.files) {
    for (const HandOff hand_off : hand_offs_of(options)) {
      add_file(result, fixed, *file, space, hand_off, options);
    }
  }
  if (options.multimem) check_multimem_cases(result, options);
  if (result.cases.empty()) {
    std::string why;
    for (const auto& note : result.notes) why += (why.empty() ? "" : "; ") + note;
    throw UsageError(
        fmt::format("nothing to measure ({}): choose other sizes, collectives or algorithms", why));
  }
  return result;
}

}  // namespace fabricast
