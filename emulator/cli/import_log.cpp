#include "emulator/cli/import_log.hpp"

#include <memory>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "bench/harness/measurement_trace.hpp"
#include "emulator/base/error.hpp"
#include "emulator/base/scaled_number.hpp"
#include "emulator/base/text_file.hpp"
#include "emulator/cli/output_format.hpp"
#include "emulator/coordinator/imported_logs.hpp"
#include "emulator/trace/trace_file.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

constexpr std::int64_t most_bytes = 256 << 20;  // a job's log with NCCL's own at every level

std::string sizes_text(const ImportedRun& run) {
  if (run.max_bytes == 0) return "none";
  return fmt::format("{} to {}", format_size(run.min_bytes), format_size(run.max_bytes));
}

std::string hosts_text(const NcclTestsShape& shape) {
  if (shape.hosts == 0) return "not said";
  if (shape.per_host == 0) return fmt::format("{}, uneven", shape.hosts);
  return fmt::format("{} x {}", shape.hosts, shape.per_host);
}

void print_runs(const ImportedLogs& logs) {
  fmt::print("{:>6}  {:<14} {:>6}  {:<10} {:<16} {:>5} {:>8} {:>9}  {}\n", "line", "collective",
             "ranks", "hosts", "sizes", "rows", "samples", "discarded", "device and library");
  for (const ImportedRun& run : logs.runs) {
    const std::string collective(run.shape.collective ? to_string(*run.shape.collective) : "?");
    const std::string ranks = run.shape.ranks > 0 ? std::to_string(run.shape.ranks) : "?";
    fmt::print("{:>6}  {:<14} {:>6}  {:<10} {:<16} {:>5} {:>8} {:>9}  {}{}{}\n", run.line,
               collective, ranks, hosts_text(run.shape), sizes_text(run), run.rows,
               run.count.accepted, run.count.discarded, run.shape.device,
               run.shape.device.empty() ? "" : "; ", run.description);
  }
}

void print_file(const ImportedFile& file) {
  fmt::print("{}: {} lines ({} of NCCL, {} unknown), sha256 {}\n", file.file, file.lines,
             file.library_lines, file.unknown_lines, file.sha256);
  for (const RefusedLine& refused : file.refused) {
    fmt::print("{}:{}: refused: {}\n", file.file, refused.line, refused.reason);
  }
}

// What decided the samples. Files are named by what they hold: names may be of any folder.
std::string config_yaml(const ImportLogArguments& arguments, const ImportedLogs& logs,
                        const Topology& machine) {
  std::string text = "import:\n";
  text += fmt::format("  machine: {}\n", machine.name());
  if (!arguments.collective.empty())
    text += fmt::format("  collective: {}\n", arguments.collective);
  if (arguments.ranks > 0) text += fmt::format("  ranks: {}\n", arguments.ranks);
  text += fmt::format("  keep_wrong: {}\n  files:\n", arguments.keep_wrong);
  for (const ImportedFile& file : logs.files) {
    text += fmt::format("    - sha256: {}\n", file.sha256);
  }
  return text;
}

void publish(const ImportLogArguments& arguments, const ImportedLogs& logs,
             const Topology& machine) {
  const auto content =
      measurement_trace(logs.samples, machine,
                        {"nccl", this_command_line(), config_yaml(arguments, logs, machine), "0"});
  write_trace(arguments.output, content, WriteOptions{arguments.force});
  fmt::print("# trace {}\n", arguments.output);
}

}  // namespace

void add_import_log_options(CLI::App& command, ImportLogArguments& arguments) {
  command.add_option("files", arguments.files, "nccl-tests output: text or JSON, whole job logs");
  command.add_option("--machine,-m", arguments.machine,
                     "machine (name or YAML) whose first ranks it ran on; where it did not run on "
                     "one of its kind, the reason is told");
  command.add_option("--collective,-c", arguments.collective,
                     "collective, where neither the text nor the file's name says");
  command.add_option("--ranks", arguments.ranks, "ranks, where the text does not list them")
      ->check(CLI::Range(1, 1 << 20));
  command.add_flag("--keep-wrong", arguments.keep_wrong,
                   "rows with wrong elements are evidence as well");
  command.add_option("--output,-o", arguments.output, "trace file to write the samples to (HDF5)")
      ->needs(command.get_option("--machine"));
  command.add_flag("--force", arguments.force, "replace an existing trace file")
      ->needs(command.get_option("-o"));
}

int import_log(const ImportLogArguments& arguments) {
  if (arguments.files.empty()) {
    throw UsageError("import needs FILE (nccl-tests output) or a kind of file: see --help");
  }
  if (!arguments.output.empty()) check_writable(arguments.output, arguments.force);
  ImportRules rules;
  if (!arguments.collective.empty()) {
    rules.collective = collective_from_name(arguments.collective);
  }
  rules.ranks = arguments.ranks;
  rules.keep_wrong = arguments.keep_wrong;
  std::shared_ptr<const Topology> machine;
  if (!arguments.machine.empty()) machine = load_machine(arguments.machine);
  std::vector<LogText> texts;
  for (const std::string& file : arguments.files) {
    texts.push_back({file, read_text_file(file, most_bytes)});
  }
  const ImportedLogs logs = import_logs(texts, machine, rules);
  for (const ImportedFile& file : logs.files) print_file(file);
  if (!logs.runs.empty()) print_runs(logs);
  if (logs.runs.empty()) {
    throw UsageError(fmt::format(
        "{}: no run of nccl-tests in it (no table of sizes and times) give the text or JSON that "
        "nccl-tests printed; a trace of fabricast goes to calibrate as it is",
        fmt::join(arguments.files, ", ")));
  }
  if (logs.samples.samples.empty()) {
    throw UsageError(
        fmt::format("{} holds no evidence ({} runs of nccl-tests were found) see above "
                    "why each was refused",
                    fmt::join(arguments.files, ", "), logs.runs.size()));
  }
  fmt::print(
      "{} samples under {} conditions{}\n", logs.samples.samples.size(),
      logs.samples.conditions.size(),
      machine == nullptr ? "; give --machine to match them with one" : " of " + machine->name());
  if (!arguments.output.empty()) publish(arguments, logs, *machine);
  return 0;
}

}  // namespace fabricast
