#include "emulator/trace/publish.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const char* action, const fs::path& path, int error) {
  const char* remedy =
      error == ENOSPC || error == EDQUOT ? "free some space or choose another place"
      : error == EFBIG                   ? "raise the file size limit (ulimit -f)"
      : error == EACCES || error == EPERM || error == EROFS ? "choose a place you may write to"
                                                            : "check the path and its file system";
  throw IoError(fmt::format("cannot {} {} ({}) {}", action, path.string(),
                            std::generic_category().message(error), remedy));
}

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

// A new file next to the target that removes itself unless it was renamed away.
class PartialFile {
 public:
  explicit PartialFile(const fs::path& target) {
    for (int attempt = 0; attempt < 100 && fd_ < 0; ++attempt) {
      path_ = target;
      path_ += attempt == 0 ? fmt::format(".{}.partial", ::getpid())
                            : fmt::format(".{}-{}.partial", ::getpid(), attempt);
      fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
      if (fd_ < 0 && errno != EEXIST) fail("create", path_, errno);
    }
    if (fd_ < 0) fail("create", path_, EEXIST);
  }
  ~PartialFile() {
    if (fd_ >= 0) ::close(fd_);
    if (!renamed_) ::unlink(path_.c_str());
  }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  const fs::path& path() const { return path_; }

  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      // Linux writes at most 2 GiB - 4 KiB per call.
      const ssize_t count =
          ::write(fd_, bytes.data(), std::min<std::size_t>(bytes.size(), 1 << 30));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) fail("write", path_, count < 0 ? errno : ENOSPC);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }

  void sync_and_close() {
    if (::fsync(fd_) != 0) fail("flush", path_, errno);
    if (::close(std::exchange(fd_, -1)) != 0) fail("close", path_, errno);
  }

  void rename_to(const fs::path& target, bool force) {
    if (force) {
      if (::rename(path_.c_str(), target.c_str()) != 0) fail("replace", target, errno);
      renamed_ = true;
      return;
    }
    if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) == 0) {
      renamed_ = true;
      return;
    }
    if (errno != EINVAL && errno != ENOSYS) fail("create", target, errno);
    // A file system without RENAME_NOREPLACE: a hard link never replaces either. The partial name
    // is unlinked by the destructor.
    if (::link(path_.c_str(), target.c_str()) != 0) fail("create", target, errno);
  }

 private:
  fs::path path_;
  int fd_ = -1;
  bool renamed_ = false;
};

fs::path directory_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// The rename itself must survive a power loss. Some file systems cannot sync a directory (EINVAL).
void sync_directory(const fs::path& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;  // write-only directories exist; the file itself is complete
  const int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  if (error != 0 && error != EINVAL && error != EROFS)
    fail("flush the directory", directory, error);
}

}  // namespace

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
    fail("write", path, errno);
  }
  const fs::path directory = directory_of(path);
  if (::stat(directory.c_str(), &info) != 0) fail("write into the directory", directory, errno);
  if (!S_ISDIR(info.st_mode)) fail("write into", directory, ENOTDIR);
  if (::access(directory.c_str(), W_OK | X_OK) != 0) {
    fail("write into the directory", directory, errno);
  }
}

void publish_file(const fs::path& path, std::span<const std::byte> bytes, bool force,
                  const std::function<void(const fs::path&)>& verify) {
  require_target(path, force);
  const IgnoreFileSizeSignal ignore;
  PartialFile partial(path);
  partial.write(bytes);
  partial.sync_and_close();
  verify(partial.path());
  if (force) require_target(path, force);  // it may have become a directory or a link meanwhile
  partial.rename_to(path, force);
  sync_directory(directory_of(path));
}

}  // namespace fabricast
