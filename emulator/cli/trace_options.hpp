// --trace, --trace-class and --trace-window of the commands that emulate (run, emulate).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/coordinator/trace_choice.hpp"
#include "emulator/trace/table.hpp"

namespace CLI {
class App;
}

namespace fabricast {

struct TraceArguments {
  std::string level = "phases", classes, window;
};

void add_trace_options(CLI::App& command, TraceArguments& arguments);
// Throws UsageError that names the option.
TraceChoice trace_choice(const TraceArguments& arguments);

// "0,5" as classes, and a window of time, given as `option`; an empty text is everything.
std::vector<std::int32_t> classes_option(const char* option, const std::string& text);
TimeWindow window_option(const char* option, const std::string& text);

// Logs what of the steps was left out, if anything.
void log_note_on_steps(const TraceContent& content);

}  // namespace fabricast
