#include "emulator/base/run_phase.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "emulator/base/communicator.hpp"
#include "emulator/base/error.hpp"
#include "emulator/base/log.hpp"

namespace fabricast {
namespace {

constexpr std::array<std::string_view, 7> names{"init",     "measure", "calibrate", "distribute",
                                                "simulate", "write",   "finalize"};
// What a waiting process grants the one that hangs, to say so first.
constexpr double courtesy_seconds = 3;

std::int64_t now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

std::atomic<RunPhase> phase{RunPhase::init};
std::atomic<std::int64_t> last_progress{now_ns()};
std::atomic<int> waits{0};
std::atomic<double> limit_seconds{0};

[[noreturn]] void loop_for_ever() {
  volatile bool forever = true;
  while (forever) {
  }
  std::abort();
}

void fail(std::string_view kind) {
  if (kind == "kill") std::raise(SIGKILL);
  if (kind == "segv") std::raise(SIGSEGV);
  if (kind == "exit0") std::exit(0);
  if (kind == "exit3") std::exit(3);
  if (kind == "throw") throw std::runtime_error("a fault was asked for (FABRICAST_FAULT)");
  if (kind == "abort") Communicator::world().abort(7);
  if (kind == "hang") loop_for_ever();
  throw UsageError(fmt::format(
      "FABRICAST_FAULT: \"{}\" is no kind of fault (kill, segv, exit0, exit3, throw, abort, hang)", kind));
}

void fail_if_asked(RunPhase entered) {
  const char* asked = std::getenv("FABRICAST_FAULT");
  if (asked == nullptr) return;
  const std::string text = asked;
  const auto first = text.find(':'), second = text.find(':', first + 1);
  if (first == std::string::npos || second == std::string::npos) {
    throw UsageError("FABRICAST_FAULT: \"" + text + "\" is not KIND:PHASE:RANK");
  }
  if (text.substr(first + 1, second - first - 1) != to_string(entered)) return;
  if (text.substr(second + 1) != std::to_string(log_rank())) return;
  fail(text.substr(0, first));
}

}  // namespace

std::string_view to_string(RunPhase value) { return names[static_cast<std::size_t>(value)]; }

void enter_phase(RunPhase entered) {
  phase = entered;
  mark_progress();
  fail_if_asked(entered);
}

RunPhase current_phase() { return phase; }

void mark_progress() { last_progress = now_ns(); }

WaitingForOthers::WaitingForOthers() {
  mark_progress();
  ++waits;
}

WaitingForOthers::~WaitingForOthers() {
  --waits;
  mark_progress();
}

void set_progress_limit(double seconds) {
  mark_progress();
  limit_seconds = seconds;
}

void end_if_stuck() {
  const double limit = limit_seconds;
  if (limit <= 0) return;
  const bool waiting = waits > 0;
  const double idle = static_cast<double>(now_ns() - last_progress) / 1e9;
  if (idle < limit + (waiting ? courtesy_seconds : 0)) return;
  log_error(fmt::format("no progress for {:.0f} s in phase {} ({}): the run is ended (--timeout)",
                        idle, to_string(current_phase()),
                        waiting ? "waiting for other processes" : "this process is at work, or hangs"));
  ::_exit(static_cast<int>(ExitCode::runtime));
}

}  // namespace fabricast
