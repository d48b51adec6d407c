#include "emulator/base/stop.hpp"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <mutex>
#include <thread>

#include "emulator/base/log.hpp"

namespace fabricast {
namespace {

std::atomic<int> asked{0};
std::atomic<int> runs{0};
std::mutex note_mutex;
std::string note = "nothing was finished yet";

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&set, signal);
  return set;
}

[[noreturn]] void end_now() {
  std::string text;
  {
    const std::lock_guard lock(note_mutex);
    text = note;
  }
  log_error("stopped by " + stop_signal_name() + ": " + text);
  ::_exit(static_cast<int>(ExitCode::interrupted));
}

void watch() {
  const sigset_t set = stop_signals();
  int signal = 0;
  while (sigwait(&set, &signal) != 0) {
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

std::string stop_signal_name() {
  switch (asked) {
    case SIGTERM: return "SIGTERM";
    case SIGINT: return "SIGINT";
    case SIGUSR1: return "SIGUSR1";
    default: return "no signal";
  }
}

StoppableRun::StoppableRun() { ++runs; }
StoppableRun::~StoppableRun() { --runs; }

void set_stop_note(const std::string& text) {
  const std::lock_guard lock(note_mutex);
  note = text;
}

}  // namespace fabricast
