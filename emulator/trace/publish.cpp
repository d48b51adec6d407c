#include "emulator/trace/publish.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/interrupted_call.hpp"
#include "emulator/trace/partial_file.hpp"

namespace fabricast {
namespace {

namespace fs = std::filesystem;

// Exceeding RLIMIT_FSIZE must be an error of write(), not a death. Process-wide while it lives.
class IgnoreFileSizeSignal {
 public:
  IgnoreFileSizeSignal() {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGXFSZ, &ignore, &before_);
  }
  ~IgnoreFileSizeSignal() { sigaction(SIGXFSZ, &before_, nullptr); }
  IgnoreFileSizeSignal(const IgnoreFileSizeSignal&) = delete;
  IgnoreFileSizeSignal& operator=(const IgnoreFileSizeSignal&) = delete;

 private:
  struct sigaction before_ {};
};

void require_room_for_ending(const fs::path& path) {
  const long most = ::pathconf(directory_of(path).c_str(), _PC_NAME_MAX);
  const std::size_t length = path.filename().string().size();
  if (most <= 0 || length + longest_partial_ending <= static_cast<std::size_t>(most)) return;
  throw IoError(
      fmt::format("cannot write {} (its name has {} bytes; {} are possible here, of which {} are "
                  "needed for the file being written) choose a shorter name",
                  path.string(), length, most, longest_partial_ending));
}

}  // namespace

// Some file systems cannot sync a directory (EINVAL).
void sync_directory_of(const fs::path& path) {
  const fs::path directory = directory_of(path);
  const int fd = while_interrupted(
      [&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (fd < 0) return;  // write-only directories exist; the file itself is complete
  const int error = while_interrupted([fd] { return ::fsync(fd); }) == 0 ? 0 : errno;
  ::close(fd);
  if (error == 0 || error == EINVAL || error == EROFS) return;
  throw IoError(
      fmt::format("cannot flush the directory {} ({}) {} is written and whole, but a power loss "
                  "may still undo it: check the file system",
                  directory.string(), std::generic_category().message(error), path.string()));
}

void require_target(const fs::path& path, bool force) {
  if (path.empty() || !path.has_filename()) {
    throw IoError(
        fmt::format("cannot write \"{}\" (it names no file) give a file name such as "
                    "trace.h5",
                    path.string()));
  }
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) {
    const char* what = S_ISDIR(info.st_mode)    ? "a directory"
                       : S_ISLNK(info.st_mode)  ? "a symbolic link"
                       : !S_ISREG(info.st_mode) ? "a device, FIFO or socket"
                                                : nullptr;
    if (what != nullptr) {
      throw IoError(
          fmt::format("cannot write {} (it is {}; only regular files are targets) choose "
                      "another name",
                      path.string(), what));
    }
    if (!force) {
      throw IoError(
          fmt::format("cannot write {} (it exists) choose another name or say --force to "
                      "replace it",
                      path.string()));
    }
  } else if (errno != ENOENT) {
    throw_io_error("write", path, errno);
  }
  const fs::path directory = directory_of(path);
  if (::stat(directory.c_str(), &info) != 0)
    throw_io_error("write into the directory", directory, errno);
  if (!S_ISDIR(info.st_mode)) throw_io_error("write into", directory, ENOTDIR);
  if (::access(directory.c_str(), W_OK | X_OK) != 0) {
    throw_io_error("write into the directory", directory, errno);
  }
  require_room_for_ending(path);
}

void publish_file(const fs::path& path, std::span<const std::byte> bytes, bool force,
                  const std::function<void(const fs::path&)>& verify) {
  require_target(path, force);
  remove_stale_partials(path);
  const IgnoreFileSizeSignal ignore;
  PartialFile partial(path);
  partial.write(bytes);
  partial.sync_and_close();
  verify(partial.path());
  if (force) require_target(path, force);  // it may have become a directory or a link meanwhile
  partial.rename_to(path, force);
  sync_directory_of(path);
}

}  // namespace fabricast
