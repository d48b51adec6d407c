#include "emulator/cli/schedule_choice.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/base/text_file.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "emulator/schedule/import/msccl_xml.hpp"
#include "emulator/schedule/import/mscclpp_json.hpp"

namespace fabricast {
namespace {

constexpr const char* size_options[] = {"--collective", "--ranks",  "--domain",
                                        "--channels",   "--chunks", "--root"};

RankSpace space_of(const ScheduleChoice& choice) {
  const std::int32_t domain = choice.domain == 0 ? choice.ranks : choice.domain;
  if (choice.ranks % domain != 0) {
    throw UsageError(fmt::format("--domain: {} ranks are no whole number of domains of {}",
                                 choice.ranks, domain));
  }
  if (choice.root >= choice.ranks) {
    throw UsageError(
        fmt::format("--root: rank {} does not exist among {} ranks", choice.root, choice.ranks));
  }
  return RankSpace{domain, choice.ranks / domain};
}

Collective collective_of(const ScheduleChoice& choice) {
  if (!choice.collective.empty()) return collective_from_name(choice.collective);
  for (const AlgorithmEntry& entry : algorithm_catalogue()) {
    if (entry.name == choice.what) return entry.collective;
  }
  auto known = algorithm_names();
  throw UsageError(unknown_name_message("algorithm", choice.what, known) +
                   "; or give a .xml or .json file");
}

// One slice per chunk and one loop: bytes play no part.
ExecutionPlan plan_of_choice(const ScheduleChoice& choice) {
  constexpr std::int64_t unit = 4096;
  const Collective collective = collective_of(choice);
  PlanLimits limits;
  limits.channels = choice.channels;
  limits.max_slice_bytes = unit;
  const AlgorithmEntry* entry = find_algorithm(choice.what, collective);
  const std::int64_t parts = entry != nullptr && entry->cut == Cut::chunks ? choice.chunks : 1;
  auto plan = make_plan(collective, choice.what, space_of(choice), unit * parts * choice.channels,
                        4, limits, choice.root);
  plan.loops = 1;
  plan.slices = 1;
  return plan;
}

bool ends_with(const std::string& text, const char* end) {
  return std::string_view(text).ends_with(end);
}

}  // namespace

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

bool is_schedule_file(const std::string& what) {
  return ends_with(what, ".xml") || ends_with(what, ".json") || what.find('/') != std::string::npos;
}

ImportedSchedule import_schedule_file(const std::string& file) {
  const std::string text = read_text_file(file, most_schedule_file_bytes);
  return ends_with(file, ".json") ? read_mscclpp_json(text, file) : read_msccl_xml(text, file);
}

ChosenSchedule choose_schedule(const ScheduleChoice& choice, bool sized) {
  if (!is_schedule_file(choice.what)) return {plan_of_choice(choice), std::nullopt};
  if (sized) {
    throw UsageError(
        fmt::format("{} is a file, which has its own collective, ranks and channels; "
                    "leave out --collective, --ranks and the like",
                    choice.what));
  }
  auto imported = import_schedule_file(choice.what);
  auto plan = plan_of(imported.schedule, 0, 4, {});
  return {std::move(plan), std::move(imported)};
}

VerifyReport prove(const ChosenSchedule& chosen) {
  return verify(chosen.plan);
}

}  // namespace fabricast
