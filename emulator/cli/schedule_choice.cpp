#include "emulator/cli/schedule_choice.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/base/text_file.hpp"
#include "emulator/cli/algorithm_files.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "emulator/schedule/import/algorithm_file.hpp"

namespace fabricast {
namespace {

constexpr const char* size_options[] = {"--collective", "--ranks",  "--domain",
                                        "--channels",   "--chunks", "--root"};

Collective collective_of(const ScheduleChoice& choice) {
  if (!choice.collective.empty()) return collective_from_name(choice.collective);
  for (const AlgorithmEntry& entry : algorithm_catalogue()) {
    if (entry.name == choice.what) return entry.collective;
  }
  auto known = algorithm_names();
  throw UsageError(unknown_name_message("algorithm", choice.what, known) +
                   "; or give a .xml or .json file");
}

}  // namespace

RankSpace space_option(std::int32_t ranks, std::int32_t domain, std::int32_t root) {
  if (domain == 0) domain = ranks;
  if (ranks % domain != 0) {
    throw UsageError(
        fmt::format("--domain: {} ranks are no whole number of domains of {}", ranks, domain));
  }
  if (root >= ranks) {
    throw UsageError(fmt::format("--root: rank {} does not exist among {} ranks", root, ranks));
  }
  return RankSpace{domain, ranks / domain};
}

ExecutionPlan counted_plan(Collective collective, const std::string& algorithm,
                           const RankSpace& space, const PlanCounts& counts) {
  constexpr std::int64_t unit = 4096;
  PlanLimits limits;
  limits.channels = counts.channels;
  limits.fifo_depth = counts.slots;
  limits.max_slice_bytes = unit;
  const AlgorithmEntry* entry = find_algorithm(algorithm, collective);
  const bool pipelines = entry != nullptr && entry->cut == Cut::chunks;
  std::int64_t units = pipelines ? counts.chunks : 1;
  if (entry != nullptr && entry->cut == Cut::pieces) {
    units = space.domain_size();  // a block each
    limits.max_pieces = counts.chunks;
    limits.min_piece_bytes = 1;
  }
  const std::int64_t bytes = unit * units * counts.channels;
  auto plan = make_plan(collective, algorithm, space, bytes, 4, limits, counts.root);
  plan.loops = 1;
  plan.slices = pipelines ? 1 : counts.slices;
  return plan;
}

void add_schedule_options(CLI::App& command, ScheduleChoice& choice) {
  command
      .add_option("what", choice.what,
                  "an algorithm (see `fabricast schedule list`), or an MSCCL .xml or MSCCL++ "
                  ".json file")
      ->required();
  command.add_option("-c,--collective", choice.collective,
                     "collective (default: the first that the algorithm can do)");
  command.add_option("--ranks", choice.ranks, "ranks")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command
      .add_option("--domain", choice.domain,
                  "ranks per NVLink domain (default: all of them in one)")
      ->check(CLI::Range(1, 4096));
  command.add_option("--channels", choice.channels, "channels")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command
      .add_option("--chunks", choice.chunks,
                  "chunks of algorithms that pipeline over them (trees, chains)")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command.add_option("--root", choice.root, "root rank")
      ->check(CLI::Range(0, 4095))
      ->capture_default_str();
}

bool size_options_given(const CLI::App& command) {
  return std::any_of(std::begin(size_options), std::end(size_options),
                     [&](const char* name) { return command.count(name) > 0; });
}

ChosenSchedule choose_schedule(const ScheduleChoice& choice, bool sized) {
  if (!is_schedule_file(choice.what)) {
    const Collective collective = collective_of(choice);
    const RankSpace space = space_option(choice.ranks, choice.domain, choice.root);
    PlanCounts counts;
    counts.channels = choice.channels;
    counts.chunks = choice.chunks;
    counts.root = choice.root;
    return {counted_plan(collective, choice.what, space, counts), std::nullopt};
  }
  if (sized) {
    throw UsageError(
        fmt::format("{} is a file, which has its own collective, ranks and channels; "
                    "leave out --collective, --ranks and the like",
                    choice.what));
  }
  auto imported =
      read_algorithm_file(read_text_file(choice.what, most_schedule_file_bytes), choice.what);
  auto plan = plan_of(imported.schedule, 0, 4, {});
  return {std::move(plan), std::move(imported)};
}

}  // namespace fabricast
