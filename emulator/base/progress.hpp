// A progress bar on stderr, drawn only on a terminal, by rank 0 and unless --quiet.
//
// Not thread safe. advance() is cheap: it redraws at most ten times a second.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace fabricast {

class ProgressBar {
 public:
  ProgressBar(std::string label, std::int64_t total, bool enabled);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void advance(std::int64_t steps = 1);
  // True if stderr is a terminal, this is rank 0 and verbosity is not quiet.
  static bool wanted(int rank);

 private:
  void draw();
  std::string label_;
  std::int64_t total_;
  std::int64_t done_ = 0;
  bool enabled_;
  std::chrono::steady_clock::time_point last_draw_{};
};

}  // namespace fabricast
