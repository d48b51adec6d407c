#include "emulator/cli/trace_options.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <limits>

#include "emulator/base/error.hpp"
#include "emulator/base/log.hpp"
#include "emulator/base/scaled_number.hpp"
#include "emulator/cli/name_lists.hpp"
#include "emulator/coordinator/step_tables.hpp"

namespace fabricast {

void add_trace_options(CLI::App& command, TraceArguments& arguments) {
  command.add_option(
      "--trace", arguments.level,
      "summary (results only), phases (/timeline: when each stage runs; default), steps "
      "(/steps: every step of one rank per symmetric class of the slowest channel)");
  command.add_option("--trace-class", arguments.classes,
                     "with --trace steps: only these classes, a,b (default: all)");
  command.add_option(
      "--trace-window", arguments.window,
      "with --trace steps: only steps that overlap FROM:TO after the launch, e.g. 10us:20us");
}

TraceChoice trace_choice(const TraceArguments& arguments) {
  TraceChoice choice;
  choice.level = trace_level_from_name(arguments.level);
  choice.classes = classes_option("--trace-class", arguments.classes);
  choice.window = window_option("--trace-window", arguments.window);
  if (choice.level != TraceLevel::steps &&
      !(arguments.classes.empty() && arguments.window.empty())) {
    throw UsageError(fmt::format(
        "--trace-class and --trace-window choose steps (--trace {} writes none): add --trace steps",
        to_string(choice.level)));
  }
  return choice;
}

std::vector<std::int32_t> classes_option(const char* option, const std::string& text) {
  std::vector<std::int32_t> classes;
  if (text.empty()) return classes;
  for (const std::string& item : names_option(option, text)) {
    std::int64_t number = -1;
    try {
      number = parse_integer(item);
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("{}: {}", option, error.what()));
    }
    if (number < 0 || number > std::numeric_limits<std::int32_t>::max()) {
      throw UsageError(fmt::format("{}: {} is no class (they are numbered from 0)", option, item));
    }
    classes.push_back(static_cast<std::int32_t>(number));
  }
  return classes;
}

TimeWindow window_option(const char* option, const std::string& text) {
  if (text.empty()) return {};
  try {
    return parse_time_window(text);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("{}: {}", option, error.what()));
  }
}

void log_note_on_steps(const TraceContent& content) {
  const std::string note = note_on_steps(content);
  if (!note.empty()) log_warning(note);
}

}  // namespace fabricast
