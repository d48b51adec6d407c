// fabricast: one executable, one subcommand per file, and the program's only try/catch.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "emulator/base/communicator.hpp"
#include "emulator/base/error.hpp"
#include "emulator/base/heap.hpp"
#include "emulator/base/log.hpp"
#include "emulator/base/run_phase.hpp"
#include "emulator/base/standard_streams.hpp"
#include "emulator/base/stop.hpp"
#include "emulator/base/version.hpp"
#include "emulator/cli/command.hpp"
#include "emulator/cli/option_checks.hpp"
#include "emulator/cli/parse_error.hpp"
#include "emulator/coordinator/agreement.hpp"

namespace fabricast {
namespace {

// Longer than any single point of an emulation or iteration of a measurement has taken.
constexpr double default_timeout_seconds = 1800;

constexpr const char* footer =
    "Exit codes: 0 ok, 1 failed check or regression, 2 usage or configuration, 3 runtime (MPI, "
    "CUDA,\n"
    "NCCL), 4 input/output, 5 interrupted with a usable partial result.\n"
    "Results go to stdout, messages and progress to stderr. `fabricast COMMAND --help` has more.";

// An error that every process of the run has: rank 0 says it, all leave with the same code.
int leave_together(ExitCode code, const std::string& message) {
  const auto world = Communicator::world();
  if (world.is_root()) log_error(message);
  leaving_with(code);  // before finish(), which nobody leaves until all are in it
  Communicator::finish();
  return static_cast<int>(code);
}

// An error of this process alone: the others may be waiting for it.
int leave_alone(ExitCode code, const std::string& message) {
  const auto world = Communicator::world();
  if (world.size() == 1) {
    log_error(message);
    return static_cast<int>(code);
  }
  // The others are ended with this one, whatever they were doing: say where it happened.
  log_error(fmt::format("{} (in phase {})", message, to_string(current_phase())));
  std::fflush(nullptr);
  world.abort(static_cast<int>(code));
  return static_cast<int>(code);
}

int run_program(int argc, char** argv) {
  CLI::App app{
      "Fabricast measures collectives here and predicts them on the GPU cluster you do not "
      "have yet: measure, calibrate, emulate, and report how far to believe each number."};
  app.set_version_flag("--version", std::string("fabricast ") + version());
  app.require_subcommand(1);
  app.footer(footer);
  app.option_defaults()->always_capture_default();  // --help shows them
  bool quiet = false, verbose = false;
  app.add_flag("--quiet", quiet, "only warnings and errors on stderr");
  app.add_flag("--verbose", verbose, "say more on stderr");
  double timeout = default_timeout_seconds;
  app.add_option("--timeout", timeout,
                 "end the run when a process makes no progress for so many seconds (at least 0.1; "
                 "0: never)")
      ->check(number_between(0, 1e9))
      ->check([](const std::string& text) {
        double seconds = 0;
        const bool hasty = CLI::detail::lexical_cast(text, seconds) && seconds > 0 && seconds < 0.1;
        return std::string(hasty ? "less than 0.1 s ends any run (0: never)" : "");
      });
  app.fallthrough();

  CommandBody body;
  add_run_command(app, body);
  add_measure_command(app, body);
  add_suites_command(app, body);
  add_calibrate_command(app, body);
  add_emulate_command(app, body);
  add_report_command(app, body);
  add_compare_command(app, body);
  add_validate_command(app, body);
  add_verify_command(app, body);
  add_explain_command(app, body);
  add_machine_command(app, body);
  add_schedule_command(app, body);
  add_import_command(app, body);
  expect_decimal_numbers(app);
  hide_empty_defaults(app);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return leave_together(ExitCode::usage, parse_error_message(app, error));
  }
  if (quiet) set_verbosity(Verbosity::quiet);
  if (verbose) set_verbosity(Verbosity::verbose);
  set_progress_limit(timeout);
  const int code = body();
  enter_phase(RunPhase::finalize);
  return code;
}

}  // namespace
}  // namespace fabricast

int main(int argc, char** argv) {
  using namespace fabricast;
  occupy_standard_streams();
  keep_freed_memory();
  // A full disk under `ulimit -f` must be an error message, not a signal.
  std::signal(SIGXFSZ, SIG_IGN);
  watch_for_stop();
  try {
    const int code = run_program(argc, argv);
    flush_standard_output();
    Communicator::finish();
    return code;
  } catch (const AgreedError& error) {
    return leave_together(error.code(), error.what());
  } catch (const std::exception& exception) {
    const Error error = as_error(exception);
    return leave_alone(error.code(), error.what());
  }
}
