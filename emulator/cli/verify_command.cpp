// fabricast verify: prove schedules of the catalogue correct and free of deadlock, before they run.
#include <chrono>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/log.hpp"
#include "emulator/base/names.hpp"
#include "emulator/cli/command.hpp"
#include "emulator/cli/name_lists.hpp"
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
};

// One row of the table, and the findings below it.
bool verify_entry(const AlgorithmEntry& entry, const RankSpace& space,
                  const VerifyArguments& arguments) {
  const auto plan = counted_plan(entry.collective, entry.name, space,
                                 {arguments.channels, arguments.chunks, arguments.slices,
                                  arguments.slots, arguments.root});
  VerifyOptions options;
  options.in_place = arguments.in_place;
  const auto begin = std::chrono::steady_clock::now();
  const VerifyReport report = verify(plan, options);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  fmt::print("{:<15} {:<17} {:>6} {:>8} {:>8} {:>10} {:>10} {:>11} {:>8.2f}  {}\n",
             to_string(entry.collective), entry.name, plan.ranks(), plan.channels.size(),
             report.lanes, report.steps, report.messages, report.connections, seconds.count(),
             report.ok() ? (report.hazards_proven ? "correct" : "correct, order not proven")
                         : "WRONG");
  for (const Finding& finding : report.findings) {
    fmt::print("  {}: {}\n", to_string(finding.kind), finding.text);
  }
  if (report.further_findings > 0) fmt::print("  and {} more\n", report.further_findings);
  if (!report.note.empty()) fmt::print("  note: {}\n", report.note);
  std::fflush(stdout);
  return report.ok();
}

int run_verify(const VerifyArguments& arguments) {
  const RankSpace space = space_option(arguments.ranks, arguments.domain, arguments.root);
  const auto collectives = collectives_from_list(arguments.collectives);
  const auto names = algorithm_names();
  const auto wanted = arguments.algorithm == "all" ? names : names_option("algorithm", arguments.algorithm);
  for (const auto& name : wanted) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw UsageError(unknown_name_message("algorithm", name, names));
    }
  }
  std::int32_t checked = 0, wrong = 0;
  std::string left_out;
  fmt::print("# {} ranks: {} domains of {}, {} slots per connection, {} slices per chunk{}\n",
             space.size(), space.domains(), space.domain_size(), arguments.slots, arguments.slices,
             arguments.in_place ? ", in place" : "");
  fmt::print("{:<15} {:<17} {:>6} {:>8} {:>8} {:>10} {:>10} {:>11} {:>8}  {}\n", "collective",
             "algorithm", "ranks", "channels", "lanes", "steps", "messages", "connections",
             "seconds", "verdict");
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
    ++checked;
    wrong += verify_entry(entry, space, arguments) ? 0 : 1;
  }
  fmt::print("{}", left_out);
  if (checked == 0) {
    throw UsageError("nothing to verify (no algorithm asked for does a collective asked for on " +
                     std::to_string(space.domains()) + " domains of " +
                     std::to_string(space.domain_size()) + ") see fabricast verify --help");
  }
  fmt::print("# {} of {} correct\n", checked - wrong, checked);
  if (wrong > 0) throw CheckError(fmt::format("{} of {} schedules are wrong", wrong, checked));
  return 0;
}

}  // namespace

void add_verify_command(CLI::App& app, CommandBody& run) {
  auto* command = app.add_subcommand(
      "verify", "prove schedules correct: results, order of accesses, no deadlock");
  auto arguments = std::make_shared<VerifyArguments>();
  command->add_option("algorithm", arguments->algorithm,
                      "algorithms, separated by commas; all (default): every one that applies");
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
      "For each schedule: a sequential interpreter runs all lanes on fingerprints and compares with\n"
      "what the collective promises; vector clocks prove the order of what lanes of a rank share;\n"
      "FIFOs of D slots show that it cannot deadlock. docs/semantics.md says what a schedule means.\n"
      "Exit code 1 if a schedule is wrong.");
  command->callback([arguments, &run] { run = [arguments] { return run_verify(*arguments); }; });
}

}  // namespace fabricast
