// What the processes of a run say to each other where any of them may fail: texts, or one error,
// the same for all. Collective; what is thrown is thrown by every process.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "emulator/base/communicator.hpp"
#include "emulator/base/error.hpp"

namespace fabricast {

// A process that waited in vain: mostly for one that has a better reason.
class Stall : public RuntimeError {
 public:
  using RuntimeError::RuntimeError;
};

// What one process answers: its text, or its error with its exit code.
class Answer {
 public:
  static Answer text(const std::string& text) { return Answer('0', text); }
  static Answer stall(const Stall& stall) { return Answer('9', stall.what()); }
  static Answer error(const Error& error) {
    return Answer(static_cast<char>('0' + static_cast<int>(error.code())), error.what());
  }
  const std::string& encoded() const { return encoded_; }

 private:
  Answer(char kind, const std::string& text) : encoded_(kind + text) {}
  std::string encoded_;
};

struct Said {
  std::vector<std::string> texts;  // by process
  std::string problem;             // of the first process that has one; empty: nobody
  ExitCode code = ExitCode::ok;
};

// Errors of stalled processes count only if nobody has another.
Said exchange(const Communicator& processes, const Answer& mine);

// `make` here; what it throws becomes the answer.
template <class Make>
Answer answer_of(const Make& make) {
  try {
    return Answer::text(make());
  } catch (const Stall& stall) {
    return Answer::stall(stall);
  } catch (const Error& error) {
    return Answer::error(error);
  }
}

// `make` on every process; its errors become everybody's: throws AgreedError.
template <class Make>
std::vector<std::string> agreed_texts(const Communicator& processes, const Make& make) {
  Said said = exchange(processes, answer_of(make));
  if (!said.problem.empty()) throw AgreedError(said.code, said.problem);
  return std::move(said.texts);
}

// `run(meet)` on every process, which gives seconds: those of the slowest. meet() is a barrier, for
// when everything is queued; also who cannot start comes to it. Throws AgreedError.
template <class Run>
double run_together(const Communicator& processes, const Run& run) {
  double seconds = 0;
  bool met = false;
  const auto meet = [&] {
    if (!std::exchange(met, true)) processes.barrier();
  };
  agreed_texts(processes, [&] {
    try {
      seconds = run(meet);
    } catch (const Error&) {
      meet();
      throw;
    }
    return std::string();
  });
  return processes.max(seconds);
}

}  // namespace fabricast
