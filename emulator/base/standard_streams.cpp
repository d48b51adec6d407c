#include "emulator/base/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <new>
#include <string>
#include <system_error>

namespace fabricast {
namespace {

IoError output_error(const std::string& cause) {
  return IoError("cannot write to standard output (" + cause +
                 ") check where it goes: a full disk, or a pipe that was closed");
}

}  // namespace

void occupy_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    if (::open("/dev/null", O_RDONLY) < 0) return;  // takes the lowest number, which is fd
  }
}

void flush_standard_output() {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  throw output_error(errno != 0 ? std::generic_category().message(errno)
                                : "some of it could not be written");
}

Error as_error(const std::exception& exception) {
  if (const auto* ours = dynamic_cast<const Error*>(&exception)) return *ours;
  if (dynamic_cast<const std::bad_alloc*>(&exception) != nullptr) {
    return RuntimeError("out of memory; try fewer ranks, fewer sizes, or drop --no-fold");
  }
  if (dynamic_cast<const std::filesystem::filesystem_error*>(&exception) != nullptr) {
    return IoError(std::string(exception.what()) + "; check the path and its file system");
  }
  // What fmt::print throws; nothing else leaves the mark on the stream.
  const auto* system = dynamic_cast<const std::system_error*>(&exception);
  if (system != nullptr && std::ferror(stdout) != 0) return output_error(system->code().message());
  return RuntimeError(std::string("unexpected: ") + exception.what() + " (please report this)");
}

}  // namespace fabricast
