// Progress on stderr, told by rank 0 and unless --quiet: a bar on a terminal, elsewhere (a log, a
// batch job) a line now and then, so that a run of a minute is not silent.
//
// Not thread safe. advance() is cheap: it redraws at most ten times a second, and writes a line at
// most every `between_lines`, none before that time has passed.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace fabricast {

class ProgressBar {
 public:
  enum class Form { none, bar, lines };

  ProgressBar(std::string label, std::int64_t total, Form form,
              std::chrono::milliseconds between_lines = std::chrono::seconds(10));
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void advance(std::int64_t steps = 1);
  // None where this is not rank 0 or verbosity is quiet.
  static Form wanted(int rank);

 private:
  void draw();
  void write_line() const;
  std::string label_;
  std::int64_t total_;
  std::int64_t done_ = 0;
  Form form_;
  std::chrono::milliseconds pause_;
  std::chrono::steady_clock::time_point start_, last_told_;
};

}  // namespace fabricast
