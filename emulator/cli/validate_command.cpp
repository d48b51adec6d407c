// fabricast validate: how far predictions are from published tables.
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "emulator/base/error.hpp"
#include "emulator/cli/command.hpp"
#include "emulator/cli/engine_rows.hpp"
#include "emulator/trace/publish.hpp"
#include "emulator/validate/validation_report.hpp"

namespace fabricast {
namespace {

struct ValidateArguments {
  std::string data, fit, predict, csv, html, markdown;
  std::vector<std::string> disciplines;
  bool json = false, all = false, force = false;
};

void publish_text(const std::string& path, const std::string& text, bool force) {
  if (path.empty()) return;
  publish_file(path, std::as_bytes(std::span(text)), force, [](const std::filesystem::path&) {});
}

ValidationRequest request_of(const ValidateArguments& arguments) {
  ValidationRequest request;
  if (arguments.data.empty() == arguments.fit.empty() ||
      arguments.fit.empty() != arguments.predict.empty()) {
    throw UsageError(
        "validate needs --data DIR, or --fit DIR and --predict DIR: tables with an index.csv, as "
        "in "
        "tests/golden/published of the source tree (docs/validating.md)");
  }
  for (const std::string& name : arguments.disciplines) {
    request.disciplines.push_back(discipline_from_name(name));
  }
  if (!arguments.data.empty()) {
    request.fit = read_published_tables(arguments.data);
    if (request.disciplines.empty()) {
      request.disciplines.assign(all_disciplines.begin(), all_disciplines.end());
    }
  } else {
    request.fit = read_published_tables(arguments.fit);
    request.predict = read_published_tables(arguments.predict);
    if (request.disciplines.empty()) request.disciplines = {Discipline::fit};
  }
  request.engine = engine_rows();
  return request;
}

int validate_tables(const ValidateArguments& arguments) {
  for (const auto& path : {arguments.csv, arguments.html, arguments.markdown}) {
    if (!path.empty()) require_target(path, arguments.force);  // before the minutes of fitting
  }
  const Validation validation = validate(request_of(arguments));
  if (validation.judged.empty()) {
    const std::size_t skipped = validation.skipped.size();
    if (skipped < validation.tables.size()) {
      throw UsageError(
          "no table was judged (none has what the discipline needs, such as a larger scale) ask "
          "for "
          "another discipline");
    }
    throw UsageError(fmt::format(
        "no table was judged (all {} were skipped, the last, {}, because: {}) see index.csv",
        skipped, validation.tables[validation.skipped.back().table].column("file"),
        validation.skipped.back().reason));
  }
  publish_text(arguments.csv, render_validation_csv(validation), arguments.force);
  publish_text(arguments.html, render_validation_html(validation), arguments.force);
  publish_text(arguments.markdown, render_validation_markdown(validation), arguments.force);
  if (arguments.json) {
    fmt::print("{}", render_validation_json(validation));
  } else {
    fmt::print("{}", render_validation_text(validation, arguments.all));
  }
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_validate_command(CLI::App& app, CommandBody& run) {
  auto arguments = std::make_shared<ValidateArguments>();
  auto* command = app.add_subcommand(
      "validate", "predict published tables and print the error, by discipline, class and size");
  command->add_option("--data", arguments->data,
                      "directory with index.csv and its tables: fitted and judged");
  command->add_option("--fit", arguments->fit, "fit on all tables of this directory");
  command->add_option("--predict", arguments->predict, "and judge those of this one");
  command->add_option(
      "--discipline", arguments->disciplines,
      "fit, scale, transfer, datasheet or engine (default: all five of --data; what "
      "--fit knows of --predict)");
  command->add_option("--csv", arguments->csv, "write every judged point to this file");
  command->add_option("--html", arguments->html,
                      "write one page with measured and predicted curves, worst first");
  command->add_option("--markdown", arguments->markdown, "write the page docs/accuracy.md");
  command->add_flag("--force", arguments->force, "replace files that exist");
  command->add_flag("--json", arguments->json, "print JSON, every point");
  command->add_flag("--all", arguments->all, "print every table, not the worst only");
  command->callback(
      [&run, arguments] { run = [arguments] { return validate_tables(*arguments); }; });
}

}  // namespace fabricast
