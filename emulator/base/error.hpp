// Bad input and bad environments are exceptions derived from fabricast::Error.
//
// Message grammar: "problem (why it is one) what to do". They are thrown at set-up and I/O
// boundaries only and caught once, in cli/main.cpp. Exit codes are an API.
#pragma once

#include <stdexcept>
#include <string>

namespace fabricast {

enum class ExitCode : int {
  ok = 0,
  check_failed = 1,   // a failed check, a regression, wrong data
  usage = 2,          // command line, machine file, scenario
  runtime = 3,        // MPI, CUDA, NCCL
  io = 4,             // reading or writing files
  interrupted = 5,    // stopped by a signal with a usable partial result
};

class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
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

}  // namespace fabricast
