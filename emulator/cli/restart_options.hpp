// --resume and --force of the commands that write a trace bit by bit (run, measure, emulate).
#pragma once

#include <string>

#include "emulator/coordinator/run_record.hpp"

namespace CLI {
class App;
}

namespace fabricast {

void add_restart_options(CLI::App& command, bool& resume, bool& force);
RunStart run_start(bool resume, bool force);

// Says that nothing is left to do, and removes what an interruption left beside the trace.
void show_complete(const std::string& trace, RunRecord& record);

}  // namespace fabricast
