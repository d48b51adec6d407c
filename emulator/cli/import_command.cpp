// fabricast import: files of other programs, checked, and what they are.
#include <memory>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "emulator/base/error.hpp"
#include "emulator/base/scaled_number.hpp"
#include "emulator/base/text_file.hpp"
#include "emulator/cli/algorithm_files.hpp"
#include "emulator/cli/command.hpp"
#include "emulator/cli/import_log.hpp"
#include "emulator/cli/schedule_choice.hpp"
#include "emulator/schedule/import/msccl_xml.hpp"
#include "emulator/schedule/import/mscclpp_json.hpp"
#include "emulator/schedule/verify/verify.hpp"

namespace fabricast {
namespace {

struct ImportArguments {
  std::string file;
  std::int32_t slots = 8;
  bool is_json = false;
};

std::string sizes_text(const ImportedSchedule& imported) {
  const std::string low = imported.min_bytes == 0 ? "0" : format_size(imported.min_bytes);
  if (imported.max_bytes < 0) return imported.min_bytes == 0 ? "any" : "from " + low;
  return low + " to " + format_size(imported.max_bytes);
}

void print_row(const char* name, const std::string& value) {
  fmt::print("  {:<12} {}\n", name, value);
}

int import_schedule(const ImportArguments& arguments) {
  const std::string text = read_text_file(arguments.file, most_schedule_file_bytes);
  ChosenSchedule chosen;
  chosen.imported = arguments.is_json ? read_mscclpp_json(text, arguments.file)
                                      : read_msccl_xml(text, arguments.file);
  const ImportedSchedule& imported = *chosen.imported;
  PlanLimits limits;
  limits.fifo_depth = arguments.slots;
  chosen.plan = plan_of(imported.schedule, 0, 4, limits);
  const VerifyReport report = verify(chosen.plan);
  const Schedule& schedule = *imported.schedule;
  const char* place = imported.in_place && imported.out_of_place ? "in place or not"
                      : imported.in_place                        ? "in place"
                                                                 : "out of place";
  fmt::print("{}: {}, {}\n", arguments.file, imported.format, report.ok() ? "correct" : "WRONG");
  print_row("name", schedule.algorithm);
  print_row("collective", fmt::format("{}, {}", to_string(schedule.collective), place));
  print_row("ranks", std::to_string(schedule.positions()));
  print_row("protocol", imported.protocol);
  if (!imported.reduction.empty()) print_row("reduction", imported.reduction);
  print_row("sizes", sizes_text(imported));
  print_row("channels", fmt::format("{} ({} connections)", imported.channels, report.connections));
  print_row("chunks",
            fmt::format("{}, scratch {} per rank", schedule.chunks, schedule.scratch_chunks));
  print_row("lanes", fmt::format("{} (up to {} per rank)", report.lanes, schedule.roles));
  print_row("steps", std::to_string(report.steps));
  print_row("messages", std::to_string(report.messages));
  for (const auto& note : imported.notes) print_row("note", note);
  if (!report.note.empty()) print_row("note", report.note);
  for (const Finding& finding : report.findings) {
    fmt::print("  {}: {}\n", to_string(finding.kind), finding.text);
  }
  if (report.further_findings > 0) fmt::print("  and {} more\n", report.further_findings);
  if (!report.ok()) {
    throw CheckError(
        fmt::format("{} does not compute {} ({} problems with {} slots per connection) "
                    "see above",
                    arguments.file, to_string(schedule.collective),
                    static_cast<std::int64_t>(report.findings.size()) + report.further_findings,
                    arguments.slots));
  }
  return 0;
}

}  // namespace

void add_import_command(CLI::App& app, CommandBody& run) {
  auto* import =
      app.add_subcommand("import", "nccl-tests logs become samples; check files of other programs");
  import->require_subcommand(0, 1);
  const auto logs = std::make_shared<ImportLogArguments>();
  add_import_log_options(*import, *logs);
  import->callback([&run, import, logs] {
    if (import->get_subcommands().empty()) run = [logs] { return import_log(*logs); };
  });
  const auto arguments = std::make_shared<ImportArguments>();
  const auto add = [&](const char* name, const char* description, bool is_json) {
    auto* command = import->add_subcommand(name, description);
    command->add_option("file", arguments->file, "the file")->required();
    command->add_option("--slots", arguments->slots, "slots per connection (D)")
        ->check(CLI::Range(1, 1 << 16))
        ->capture_default_str();
    command->callback([&run, arguments, is_json] {
      arguments->is_json = is_json;
      run = [arguments] { return import_schedule(*arguments); };
    });
  };
  add("msccl", "an MSCCL algorithm (XML)", false);
  add("mscclpp", "an MSCCL++ execution plan (JSON)", true);
  import->footer(
      "FILE: nccl-tests' text or JSON becomes samples for `calibrate`: every row that is not\n"
      "evidence is told with its line and the reason. docs/importing.md says what is read.\n"
      "msccl, mscclpp: the file becomes a schedule, which is proved: right results, ordered\n"
      "accesses, no deadlock. Exit code 1 if it is wrong, 2 if the file is refused\n"
      "(FILE:LINE: why). docs/schedules.md says what is read.");
}

}  // namespace fabricast
