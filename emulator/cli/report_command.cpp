// fabricast report: what a trace says. A table, CSV, JSON, a plot, a walk from a row to its
// origins.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "emulator/base/error.hpp"
#include "emulator/base/log.hpp"
#include "emulator/base/scaled_number.hpp"
#include "emulator/cli/command.hpp"
#include "emulator/cli/picture_file.hpp"
#include "emulator/cli/trace_options.hpp"
#include "emulator/coordinator/ensemble_tables.hpp"
#include "emulator/coordinator/job_tables.hpp"
#include "emulator/coordinator/library_tables.hpp"
#include "emulator/report/cost_view.hpp"
#include "emulator/report/csv.hpp"
#include "emulator/report/json.hpp"
#include "emulator/report/plot.hpp"
#include "emulator/report/table_view.hpp"
#include "emulator/report/timeline_view.hpp"
#include "emulator/report/why.hpp"
#include "emulator/trace/publish.hpp"
#include "emulator/trace/segment_folder.hpp"
#include "emulator/trace/trace_file.hpp"

namespace fabricast {
namespace {

struct ReportArguments {
  std::string trace, csv, plot, timeline, classes, window, compute;
  std::int64_t why = -1;
  bool check = false, best = false, cost = false, json = false, force = false;
  bool wants_csv = false, wants_why = false, wants_timeline = false;
  ResultFilter filter;
};

int report_check(const ReportArguments& arguments) {
  const auto problems = check_trace_or_segments(arguments.trace);
  if (arguments.json) {
    fmt::print("{}", render_json(problems));
  } else {
    for (const auto& problem : problems) fmt::print("{}: {}\n", problem.where, problem.what);
    if (problems.empty()) fmt::print("ok\n");
  }
  return static_cast<int>(problems.empty() ? ExitCode::ok : ExitCode::check_failed);
}

void write_plot(const ReportArguments& arguments, const TraceContent& content) {
  check_picture_name(arguments.plot);
  require_target(arguments.plot, arguments.force);
  publish_picture(arguments.plot, render_busbw_svg(content, {arguments.filter}), arguments.force);
  log_info("wrote " + arguments.plot);
}

TimelineOptions timeline_options(const ReportArguments& arguments) {
  TimelineOptions options;
  options.classes = classes_option("--class", arguments.classes);
  options.window = window_option("--window", arguments.window);
  options.steps =
      !arguments.timeline.empty() || !arguments.classes.empty() || !arguments.window.empty();
  if (arguments.timeline.empty()) return options;
  try {
    options.row = parse_integer(arguments.timeline);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("--timeline: {}", error.what()));
  }
  return options;
}

// Microseconds.
std::optional<double> compute_option(const std::string& text) {
  if (text.empty()) return std::nullopt;
  double us = 0;
  try {
    us = parse_scaled(text, Dimension::duration, "us");
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("--compute: {}", error.what()));
  }
  if (us < 0) throw UsageError(fmt::format("--compute: {} is negative", text));
  return us;
}

int report(const ReportArguments& arguments) {
  if (arguments.check) return report_check(arguments);
  const TraceContent content = read_trace_or_segments(arguments.trace);
  if (content.attributes.at("complete") == "no") {
    log_warning(arguments.trace +
                " is an unfinished run: these are the rows that it has kept so far");
  }
  const TableOptions options{arguments.filter, arguments.best};
  if (!arguments.plot.empty()) {
    write_plot(arguments, content);
  } else if (arguments.wants_why) {
    fmt::print("{}{}{}", render_why(content, arguments.why), what_if_line(content),
               note_lines(content.attributes, true));
  } else if (arguments.wants_timeline) {
    fmt::print("{}", render_timeline(content, timeline_options(arguments)));
  } else if (arguments.cost) {
    fmt::print("{}{}", render_cost(content, options, compute_option(arguments.compute)),
               what_if_line(content));
  } else if (arguments.wants_csv) {
    fmt::print("{}", render_csv(content, arguments.csv.empty() ? "/results" : arguments.csv));
  } else if (arguments.json) {
    fmt::print("{}", render_json(content, options));
  } else {
    const auto shown = shown_rows(content, options);
    fmt::print("{}", render_table(content, options));
    fmt::print("{}", render_ensembles(content, shown));
    fmt::print("{}{}", render_library_choices(content, shown), what_if_line(content));
    fmt::print("{}{}", library_lines(content, shown), note_lines(content.attributes));
    fmt::print("{}", render_jobs(content, shown));
  }
  return 0;
}

}  // namespace

void add_report_command(CLI::App& app, CommandBody& run) {
  auto arguments = std::make_shared<ReportArguments>();
  auto* command =
      app.add_subcommand("report", "show what a trace says, check it, or explain a row");
  command->add_option("trace", arguments->trace,
                      "trace file (.h5), or the folder of an unfinished run (.h5.d)");
  auto* check =
      command->add_flag("--check", arguments->check, "validate the trace; exit code 1 on problems");
  auto* csv = command->add_option("--csv", arguments->csv, "print a table as CSV; default /results")
                  ->expected(0, 1);
  auto* why = command->add_option("--why", arguments->why,
                                  "explain this row of /results: parameters, samples, citations");
  auto* timeline =
      command
          ->add_option("--timeline", arguments->timeline,
                       "when the stages of each result run; with a row of /results, its "
                       "steps too (emulate --trace steps)")
          ->expected(0, 1);
  auto* classes = command->add_option("--class", arguments->classes,
                                      "with --timeline: only steps of these classes, a,b");
  auto* window = command->add_option(
      "--window", arguments->window,
      "with --timeline: only what overlaps FROM:TO after the launch, e.g. 10us:20us");
  auto* plot = command->add_option("--plot", arguments->plot,
                                   "draw busbw against size into this file (.svg or .html)");
  auto* json = command->add_flag("--json", arguments->json, "print JSON (also with --check)");
  auto* cost = command->add_flag("--cost", arguments->cost,
                                 "energy and dollars of each operation, by the machine's power "
                                 "and price");
  auto* compute = command->add_option(
      "--compute", arguments->compute,
      "with --cost: time of the computation beside each operation, e.g. 2ms; what of the operation "
      "is longer is exposed: idle dollars");
  auto* best = command->add_flag("--best", arguments->best, "only the fastest algorithm per size");
  auto* force =
      command->add_flag("--force", arguments->force, "with --plot: replace an existing file");
  auto* collective =
      command->add_option("--collective,-c", arguments->filter.collective, "only this collective");
  auto* machine =
      command->add_option("--machine,-m", arguments->filter.machine, "only this machine");
  auto* algorithm =
      command->add_option("--algorithm,-a", arguments->filter.algorithm, "only this algorithm");
  // An option that would do nothing is an error, not a surprise.
  check->excludes(csv, why, timeline, plot, cost, best, collective, machine, algorithm);
  cost->excludes(csv, why, timeline, plot, json);
  csv->excludes(why, timeline, plot, json, best, collective, machine, algorithm);
  why->excludes(timeline, plot, json, best, collective, machine, algorithm);
  timeline->excludes(plot, json, best, collective, machine, algorithm);
  plot->excludes(json, best);
  compute->needs(cost);
  classes->needs(timeline);
  window->needs(timeline);
  force->needs(plot);
  command->callback([&run, arguments, csv, why, timeline] {
    arguments->wants_csv = csv->count() > 0;
    arguments->wants_why = why->count() > 0;
    arguments->wants_timeline = timeline->count() > 0;
    // `report --csv trace.h5` reads as a table named trace.h5; the trace is what was meant.
    if (arguments->trace.empty()) std::swap(arguments->trace, arguments->csv);
    if (arguments->trace.empty()) std::swap(arguments->trace, arguments->timeline);
    if (arguments->trace.empty()) {
      throw CLI::RequiredError("trace");
    }
    run = [arguments] { return report(*arguments); };
  });
}

}  // namespace fabricast
