#include "emulator/base/progress.hpp"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "emulator/base/log.hpp"

namespace fabricast {

ProgressBar::ProgressBar(std::string label, std::int64_t total, Form form,
                         std::chrono::milliseconds between_lines)
    : label_(std::move(label)),
      total_(total),
      form_(total > 0 ? form : Form::none),
      pause_(form == Form::bar ? std::chrono::milliseconds(100) : between_lines),
      start_(std::chrono::steady_clock::now()),
      last_told_(start_) {
  if (form_ == Form::bar) draw();
}

ProgressBar::~ProgressBar() {
  if (form_ != Form::bar) return;
  draw();
  std::fputc('\n', stderr);
}

void ProgressBar::advance(std::int64_t steps) {
  done_ += steps;
  if (form_ == Form::none) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_told_ < pause_) return;
  last_told_ = now;
  form_ == Form::bar ? draw() : write_line();
}

void ProgressBar::draw() {
  constexpr int width = 40;
  const auto filled = static_cast<int>(done_ * width / total_);
  std::string bar(static_cast<std::size_t>(filled), '#');
  bar.resize(width, '.');
  std::fprintf(stderr, "\r%s [%s] %lld/%lld", label_.c_str(), bar.c_str(),
               static_cast<long long>(done_), static_cast<long long>(total_));
  std::fflush(stderr);
}

void ProgressBar::write_line() const {
  const std::chrono::duration<double> since = last_told_ - start_;
  log_info(fmt::format("{}: {} of {} done after {:.0f} s", label_, done_, total_, since.count()));
}

ProgressBar::Form ProgressBar::wanted(int rank) {
  if (rank != 0 || verbosity() == Verbosity::quiet) return Form::none;
  return isatty(STDERR_FILENO) == 1 ? Form::bar : Form::lines;
}

}  // namespace fabricast
