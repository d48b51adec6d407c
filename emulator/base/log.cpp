#include "emulator/base/log.hpp"

#include <cstdio>
#include <string>

namespace fabricast {
namespace {

struct LogState {
  Verbosity verbosity = Verbosity::normal;
  int rank = 0;
  int size = 1;
};

LogState& state() {
  static LogState instance;
  return instance;
}

void print(const char* level, std::string_view message) {
  std::string line = "fabricast: ";
  if (state().size > 1) line += "[rank " + std::to_string(state().rank) + "] ";
  line += level;
  line += message;
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

void set_verbosity(Verbosity verbosity) { state().verbosity = verbosity; }
Verbosity verbosity() { return state().verbosity; }
void set_log_rank(int rank, int size) {
  state().rank = rank;
  state().size = size;
}

int log_rank() { return state().rank; }

void log_info(std::string_view message) {
  if (state().verbosity != Verbosity::quiet && state().rank == 0) print("", message);
}
void log_detail(std::string_view message) {
  if (state().verbosity == Verbosity::verbose) print("", message);
}
void log_warning(std::string_view message) { print("warning: ", message); }
void log_error(std::string_view message) { print("error: ", message); }

}  // namespace fabricast
