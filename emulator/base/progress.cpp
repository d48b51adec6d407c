#include "emulator/base/progress.hpp"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "emulator/base/log.hpp"

namespace fabricast {

ProgressBar::ProgressBar(std::string label, std::int64_t total, bool enabled)
    : label_(std::move(label)), total_(total), enabled_(enabled && total > 0) {
  if (enabled_) draw();
}

ProgressBar::~ProgressBar() {
  if (!enabled_) return;
  draw();
  std::fputc('\n', stderr);
}

void ProgressBar::advance(std::int64_t steps) {
  done_ += steps;
  if (!enabled_) return;
  if (std::chrono::steady_clock::now() - last_draw_ >= std::chrono::milliseconds(100)) draw();
}

void ProgressBar::draw() {
  last_draw_ = std::chrono::steady_clock::now();
  constexpr int width = 40;
  const auto filled = static_cast<int>(done_ * width / total_);
  std::string bar(static_cast<std::size_t>(filled), '#');
  bar.resize(width, '.');
  std::fprintf(stderr, "\r%s [%s] %lld/%lld", label_.c_str(), bar.c_str(),
               static_cast<long long>(done_), static_cast<long long>(total_));
  std::fflush(stderr);
}

bool ProgressBar::wanted(int rank) {
  return rank == 0 && verbosity() != Verbosity::quiet && isatty(STDERR_FILENO) == 1;
}

}  // namespace fabricast
