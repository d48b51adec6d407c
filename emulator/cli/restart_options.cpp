#include "emulator/cli/restart_options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "emulator/base/log.hpp"
#include "emulator/trace/trace_file.hpp"

namespace fabricast {

void add_restart_options(CLI::App& command, bool& resume, bool& force) {
  auto* again = command.add_flag(
      "--resume", resume,
      "go on with an interrupted run of this very command (its segments are in FILE.d); starts one if "
      "there is none");
  command
      .add_flag("--force", force, "replace an existing trace file, discard an interrupted run of it")
      ->excludes(again);
}

RunStart run_start(bool resume, bool force) {
  return resume ? RunStart::resume : force ? RunStart::discard : RunStart::fresh;
}

void show_complete(const std::string& trace, RunRecord& record) {
  record.finish();
  log_info(fmt::format("{} is complete already: nothing to resume", trace));
  fmt::print("# trace {} content_digest {}\n", trace, content_digest(read_trace(trace)));
}

}  // namespace fabricast
