// Bad input and bad environments are exceptions derived from fabricast::Error.
//
// Message grammar: "problem (why it is one) what to do". They are thrown at set-up and I/O
// boundaries only and caught once, in cli/main.cpp. Exit codes are an API.
// Invariant: what() is one printable line of at most max_message_bytes, whatever the input that it
// quotes holds (line ends, escape sequences of terminals, megabytes).
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fabricast {

enum class ExitCode : int {
  ok = 0,
  check_failed = 1,  // a failed check, a regression, wrong data
  usage = 2,         // command line, machine file, scenario
  runtime = 3,       // MPI, CUDA, NCCL
  io = 4,            // reading or writing files
  interrupted = 5,   // stopped by a signal with a usable partial result
};

inline constexpr std::size_t max_message_bytes = 4096;

// `text` as one line: control characters as \n, \t, \x1b or \u009b, the middle of a long text left
// out. A text without any of that is unchanged. Linear.
std::string printable_line(std::string_view text);

class Error : public std::runtime_error {
 public:
  Error(ExitCode code, std::string_view message);
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

// The user's input: arguments, YAML, unknown names.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& message) : Error(ExitCode::usage, message) {}
};

// MPI, CUDA or NCCL said no.
class RuntimeError : public Error {
 public:
  explicit RuntimeError(const std::string& message) : Error(ExitCode::runtime, message) {}
};

// A file cannot be read or written.
class IoError : public Error {
 public:
  explicit IoError(const std::string& message) : Error(ExitCode::io, message) {}
};

// Something was computed and found wrong (data mismatch, corrupt trace).
class CheckError : public Error {
 public:
  explicit CheckError(const std::string& message) : Error(ExitCode::check_failed, message) {}
};

// Any of these, known to every process of the run, which all throw it: the program leaves with one
// message and one exit code, and nobody has to be aborted.
class AgreedError : public Error {
 public:
  using Error::Error;
};

}  // namespace fabricast
