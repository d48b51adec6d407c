// The subcommands of `fabricast`: one file each, registered here.
//
// A command adds its options to `app`; when the user picks it, its callback sets `run`, and main
// then calls run() inside the program's only try/catch and exits with what it returns.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace fabricast {

using CommandBody = std::function<int()>;

void add_calibrate_command(CLI::App& app, CommandBody& run);
void add_compare_command(CLI::App& app, CommandBody& run);
void add_emulate_command(CLI::App& app, CommandBody& run);
void add_explain_command(CLI::App& app, CommandBody& run);
void add_import_command(CLI::App& app, CommandBody& run);
void add_machine_command(CLI::App& app, CommandBody& run);
void add_measure_command(CLI::App& app, CommandBody& run);
void add_report_command(CLI::App& app, CommandBody& run);
void add_run_command(CLI::App& app, CommandBody& run);
void add_schedule_command(CLI::App& app, CommandBody& run);
void add_suites_command(CLI::App& app, CommandBody& run);
void add_validate_command(CLI::App& app, CommandBody& run);
void add_verify_command(CLI::App& app, CommandBody& run);

}  // namespace fabricast
