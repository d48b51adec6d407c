#include "emulator/trace/guarded_read.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <system_error>

#include <fmt/format.h>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

// Processor time of a child: 3 s, and a second for every 4 MB. Reading takes a second per 30 MB of
// a compressed trace at most (docs/trace-format.md, "Downsides").
constexpr rlim_t base_seconds = 3;
constexpr std::uintmax_t bytes_per_second = 4'000'000;

[[noreturn]] void read_in_child(std::uintmax_t bytes, const std::function<void()>& read) {
  const rlim_t seconds = base_seconds + static_cast<rlim_t>(bytes / bytes_per_second);
  const rlimit time{seconds, seconds + 1};  // SIGXCPU, and SIGKILL if that does not help
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CPU, &time);
  ::setrlimit(RLIMIT_CORE, &no_core);
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU}) {
    ::signal(signal, SIG_DFL);
  }
  // libhdf5 and the allocator may say their last words on stderr: the message is ours to give.
  std::fclose(stderr);
  ::close(STDERR_FILENO);
  try {
    read();
  } catch (...) {  // the parent will meet it, too
  }
  ::_exit(0);  // no exit handlers: libhdf5 stumbles over what a damaged file left behind
}

}  // namespace

void require_survivable(const std::filesystem::path& path, std::uintmax_t bytes,
                        const std::function<void()>& read) {
  const pid_t child = ::fork();
  if (child < 0) {
    throw RuntimeError(fmt::format("cannot start a process to read {} ({}) close others",
                                   path.string(), std::generic_category().message(errno)));
  }
  if (child == 0) read_in_child(bytes, read);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) {
      throw RuntimeError(fmt::format("lost the process that reads {} ({}) try again", path.string(),
                                     std::generic_category().message(errno)));
    }
  }
  if (!WIFSIGNALED(status)) return;
  const int signal = WTERMSIG(status);
  const std::string what = signal == SIGXCPU ? "reading it does not end"
                           : signal == SIGKILL
                               ? "the process that read it was killed: no end, or out of memory"
                               : fmt::format("libhdf5 crashes on it: {}", ::strsignal(signal));
  throw IoError(fmt::format(
      "cannot read {} ({}) its structure is damaged although its seal is right: do not use it",
      path.string(), what));
}

}  // namespace fabricast
