// fabricast verify: prove schedules of the catalogue, and files of other programs, correct and free
// of deadlock, before they run.
#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/log.hpp"
#include "emulator/base/names.hpp"
#include "emulator/cli/algorithm_files.hpp"
#include "emulator/cli/command.hpp"
#include "emulator/cli/schedule_choice.hpp"
#include "emulator/coordinator/agreement.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "emulator/schedule/verify/verify.hpp"

namespace fabricast {
namespace {

struct VerifyArguments {
  std::string algorithm = "all";
  std::string collectives = "all";
  std::int32_t ranks = 8, domain = 0, channels = 2, slots = 8, slices = 2, chunks = 4, root = 0;
  bool in_place = false;
  std::set<std::string> given;  // of the options about sizes
};

struct Tally {
  std::int32_t checked = 0, wrong = 0;
};

void print_heading() {
  fmt::print("{:<15} {:<17} {:>6} {:>8} {:>8} {:>10} {:>10} {:>11} {:>8}  {}\n", "collective",
             "algorithm", "ranks", "channels", "lanes", "steps", "messages", "connections",
             "seconds", "verdict");
}

// One row of the table, and the findings below it.
void verify_plan(const ExecutionPlan& plan, const std::string& name, std::int32_t channels,
                 bool in_place, Tally& tally) {
  VerifyOptions options;
  options.in_place = in_place;
  const auto begin = std::chrono::steady_clock::now();
  const VerifyReport report = verify(plan, options);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  fmt::print(
      "{:<15} {:<17} {:>6} {:>8} {:>8} {:>10} {:>10} {:>11} {:>8.2f}  {}\n",
      to_string(plan.collective), name, plan.ranks(), channels, report.lanes, report.steps,
      report.messages, report.connections, seconds.count(),
      report.ok() ? (report.hazards_proven ? "correct" : "correct, order not proven") : "WRONG");
  for (const Finding& finding : report.findings) {
    fmt::print("  {}: {}\n", to_string(finding.kind), finding.text);
  }
  if (report.further_findings > 0) fmt::print("  and {} more\n", report.further_findings);
  if (!report.note.empty()) fmt::print("  note: {}\n", report.note);
  std::fflush(stdout);
  ++tally.checked;
  tally.wrong += report.ok() ? 0 : 1;
}

void verify_catalogue(const VerifyArguments& arguments, const std::vector<std::string>& wanted,
                      const std::vector<Collective>& collectives, Tally& tally) {
  const RankSpace space = space_option(arguments.ranks, arguments.domain, arguments.root);
  fmt::print("# {} ranks: {} domains of {}, {} slots per connection, {} slices per chunk{}\n",
             space.size(), space.domains(), space.domain_size(), arguments.slots, arguments.slices,
             arguments.in_place ? ", in place" : "");
  print_heading();
  std::string left_out;
  for (const AlgorithmEntry& entry : algorithm_catalogue()) {
    if (std::find(wanted.begin(), wanted.end(), entry.name) == wanted.end()) continue;
    if (std::find(collectives.begin(), collectives.end(), entry.collective) == collectives.end()) {
      continue;
    }
    const std::string reason = why_not(entry, space);
    if (!reason.empty()) {
      left_out += fmt::format("# {} {}: not checked, it {}\n", to_string(entry.collective),
                              entry.name, reason);
      continue;
    }
    const auto plan = counted_plan(
        entry.collective, entry.name, space,
        {arguments.channels, arguments.chunks, arguments.slices, arguments.slots, arguments.root});
    verify_plan(plan, entry.name, static_cast<std::int32_t>(plan.channels.size()),
                arguments.in_place, tally);
  }
  fmt::print("{}", left_out);
  if (tally.checked == 0) {
    throw UsageError("nothing to verify (no algorithm asked for does a collective asked for on " +
                     std::to_string(space.domains()) + " domains of " +
                     std::to_string(space.domain_size()) + ") see fabricast verify --help");
  }
}

void verify_files(const VerifyArguments& arguments, const AlgorithmFiles& files, bool heading,
                  Tally& tally) {
  if (heading) {
    fmt::print("# {} slots per connection{}\n", arguments.slots,
               arguments.in_place ? ", in place" : "");
    print_heading();
  }
  PlanLimits limits;
  limits.fifo_depth = arguments.slots;
  for (const auto& file : files) {
    verify_plan(plan_of(file->imported.schedule, 0, 4, limits), file->label,
                file->imported.channels, arguments.in_place, tally);
  }
}

// A file has its own collective, ranks, channels and chunks.
void check_against_files(VerifyArguments& arguments, const AlgorithmFiles& files, bool alone) {
  const auto& given = arguments.given;
  if (given.contains("--ranks")) expect_ranks(files, "--ranks", arguments.ranks);
  if (given.contains("--channels")) expect_channels(files, "--channels", arguments.channels);
  for (const char* option : {"--domain", "--slices", "--chunks", "--root"}) {
    if (!alone || !given.contains(option)) continue;
    throw UsageError(fmt::format("{}: {} is a file, which is as it is: leave {} out", option,
                                 files.front()->path, option));
  }
  if (alone) return;
  if (!given.contains("--ranks")) arguments.ranks = files.front()->ranks();
  expect_ranks(files, "algorithms of the catalogue, --ranks", arguments.ranks);
}

int run_verify(VerifyArguments arguments) {
  const auto list = algorithm_list("algorithm", arguments.algorithm);
  const auto known = algorithm_names();
  for (const auto& name : list.names) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw UsageError(unknown_name_message("algorithm", name, known) +
                       "; or give a .xml or .json file");
    }
  }
  const auto files = load_algorithm_files(Communicator::null(), list.paths);
  const bool every = list.names.empty() && files.empty();
  const auto collectives =
      collectives_option(files, "-c", arguments.collectives, arguments.given.contains("-c"));
  if (!files.empty()) check_against_files(arguments, files, list.names.empty());
  Tally tally;
  const bool ours = every || !list.names.empty();
  if (ours) verify_catalogue(arguments, every ? known : list.names, collectives, tally);
  verify_files(arguments, files, !ours, tally);
  fmt::print("# {} of {} correct\n", tally.checked - tally.wrong, tally.checked);
  if (tally.wrong > 0) {
    throw CheckError(fmt::format("{} of {} schedules are wrong", tally.wrong, tally.checked));
  }
  return 0;
}

}  // namespace

void add_verify_command(CLI::App& app, CommandBody& run) {
  auto* command = app.add_subcommand(
      "verify", "prove schedules correct: results, order of accesses, no deadlock");
  auto arguments = std::make_shared<VerifyArguments>();
  command->add_option("algorithm", arguments->algorithm,
                      "algorithms, or files (MSCCL .xml, MSCCL++ .json), separated by commas; all "
                      "(default): every algorithm that applies");
  command->add_option("-c,--collective", arguments->collectives,
                      "collectives, separated by commas (default: all)");
  command->add_option("--ranks", arguments->ranks, "ranks")
      ->check(CLI::Range(1, 1 << 24))->capture_default_str();
  command->add_option("--domain", arguments->domain,
                      "ranks per NVLink domain (default: all of them in one)")
      ->check(CLI::Range(1, 1 << 24));
  command->add_option("--channels", arguments->channels, "channels")
      ->check(CLI::Range(1, 1024))->capture_default_str();
  command->add_option("--slots", arguments->slots, "slots per connection (D)")
      ->check(CLI::Range(0, 1 << 16))->capture_default_str();
  command->add_option("--slices", arguments->slices, "messages per chunk of a step")
      ->check(CLI::Range(1, 1 << 16))->capture_default_str();
  command->add_option("--chunks", arguments->chunks,
                      "chunks of algorithms that pipeline over them (trees, chains)")
      ->check(CLI::Range(1, 1 << 16))->capture_default_str();
  command->add_option("--root", arguments->root, "root rank")
      ->check(CLI::Range(0, 1 << 24))->capture_default_str();
  command->add_flag("--in-place", arguments->in_place, "input and output are one buffer");
  command->footer(
      "For each schedule: a sequential interpreter runs all lanes on fingerprints and compares "
      "with\n"
      "what the collective promises; vector clocks prove the order of what lanes of a rank share;\n"
      "FIFOs of D slots show that it cannot deadlock. docs/semantics.md says what a schedule "
      "means.\n"
      "A file has its own collective, ranks, channels and chunks.\n"
      "Exit code 1 if a schedule is wrong.");
  command->callback([arguments, &run, command] {
    for (const char* option :
         {"-c", "--ranks", "--domain", "--channels", "--slices", "--chunks", "--root"}) {
      if (command->count(option) > 0) arguments->given.insert(option);
    }
    run = [arguments] { return run_verify(*arguments); };
  });
}

}  // namespace fabricast
