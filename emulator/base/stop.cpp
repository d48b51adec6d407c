#include "emulator/base/stop.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <mutex>
#include <thread>

#include "emulator/base/log.hpp"
#include "emulator/base/run_phase.hpp"

namespace fabricast {
namespace {

std::atomic<int> asked{0};
std::atomic<int> runs{0};
constexpr int staying = -1;
std::atomic<int> leaving{staying};  // the exit code
std::mutex note_mutex;
std::string note = "nothing was finished yet";

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&set, signal);
  return set;
}

[[noreturn]] void end_now() {
  if (leaving != staying) ::_exit(leaving);
  std::string text;
  {
    const std::lock_guard lock(note_mutex);
    text = note;
  }
  // Of many processes the first two speak: one of them may be the dead one that the others are
  // stopped for.
  if (log_rank() < 2) {
    log_error(stopped_text() + ": " + text);
  }
  ::_exit(static_cast<int>(ExitCode::interrupted));
}

void watch() {
  const sigset_t set = stop_signals();
  constexpr timespec look_interval{0, 100'000'000};
  int signal = -1;
  while (signal <= 0) {
    signal = sigtimedwait(&set, nullptr, &look_interval);
    end_if_stuck();
  }
  asked = signal;
  if (runs == 0) end_now();
  std::this_thread::sleep_for(std::chrono::duration<double>(stop_grace_seconds));
  end_now();
}

}  // namespace

void watch_for_stop() {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread(watch).detach();
}

int stop_signal() { return asked; }

std::string stopped_text() {
  const char* name = asked == SIGTERM ? "SIGTERM" : asked == SIGINT ? "SIGINT" : "SIGUSR1";
  return fmt::format("stopped by {} in phase {}", name, to_string(current_phase()));
}

StoppableRun::StoppableRun() { ++runs; }
StoppableRun::~StoppableRun() { --runs; }

void leaving_with(ExitCode code) { leaving = static_cast<int>(code); }

void set_stop_note(const std::string& text) {
  const std::lock_guard lock(note_mutex);
  note = text;
}

}  // namespace fabricast
