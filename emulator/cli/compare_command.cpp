// fabricast compare: is a new trace slower than the ones before it, beyond noise?
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "emulator/base/error.hpp"
#include "emulator/cli/command.hpp"
#include "emulator/cli/option_checks.hpp"
#include "emulator/report/compare.hpp"
#include "emulator/report/compare_view.hpp"
#include "emulator/trace/segment_folder.hpp"

namespace fabricast {
namespace {

struct CompareArguments {
  std::vector<std::string> traces;  // the last one is judged
  double threshold_percent = 5, alpha_percent = 1, run_noise_percent = 0;
  bool all = false, json = false, csv = false, allow_missing = false;
};

int compare(const CompareArguments& arguments) {
  std::vector<TraceContent> traces;
  for (const std::string& path : arguments.traces) traces.push_back(read_trace_or_segments(path));
  const TraceContent fresh = std::move(traces.back());
  traces.pop_back();
  CompareOptions options;
  options.threshold = arguments.threshold_percent / 100;
  options.alpha = arguments.alpha_percent / 100;
  options.allow_missing = arguments.allow_missing;
  if (arguments.run_noise_percent > 0) options.run_noise = arguments.run_noise_percent / 100;
  const Comparison comparison = compare_traces(traces, fresh, options);
  if (arguments.json) {
    fmt::print("{}", render_comparison_json(comparison));
  } else if (arguments.csv) {
    fmt::print("{}", render_comparison_csv(comparison));
  } else {
    fmt::print("{}", render_comparison(comparison, arguments.all));
  }
  return static_cast<int>(comparison.ok ? ExitCode::ok : ExitCode::check_failed);
}

}  // namespace

void add_compare_command(CLI::App& app, CommandBody& run) {
  auto arguments = std::make_shared<CompareArguments>();
  auto* command = app.add_subcommand(
      "compare", "judge a new trace against one base or several; exit code 1 on a regression");
  command
      ->add_option("traces", arguments->traces,
                   "BASE ... NEW: the last trace is judged; 5 bases or more tell the noise best")
      ->expected(2, 1000)
      ->required();
  command
      ->add_option("--threshold", arguments->threshold_percent,
                   "a change of the time by less than this many percent is none")
      ->check(number_between(0.01, 1000));
  command
      ->add_option("--alpha", arguments->alpha_percent,
                   "percent of comparisons of equals that may alarm")
      ->check(number_between(1e-6, 50));
  command
      ->add_option("--run-noise", arguments->run_noise_percent,
                   "percent from run to run assumed before any base is seen, instead of 5 (host, "
                   "mpi) or 1.1 (cuda, nccl); lets single imported logs be judged")
      ->check(number_between(0.001, 100));
  command->add_flag("--allow-missing", arguments->allow_missing,
                    "rows of the bases may be absent from NEW");
  auto* all = command->add_flag("--all", arguments->all, "print rows that did not change, too");
  auto* json = command->add_flag("--json", arguments->json, "print JSON, every row");
  auto* csv = command->add_flag("--csv", arguments->csv, "print CSV, every row");
  json->excludes(csv, all);
  csv->excludes(all);
  command->callback([&run, arguments] { run = [arguments] { return compare(*arguments); }; });
}

}  // namespace fabricast
