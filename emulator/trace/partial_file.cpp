#include "emulator/trace/partial_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/interrupted_call.hpp"

namespace fabricast {
namespace {

namespace fs = std::filesystem;

constexpr int attempts = 100;

// Does the path still lead to the open file?
bool leads_to(const fs::path& path, int fd) {
  struct stat there {};
  struct stat open {};
  return ::lstat(path.c_str(), &there) == 0 && ::fstat(fd, &open) == 0 &&
         there.st_ino == open.st_ino && there.st_dev == open.st_dev;
}

// False when another process is about to remove the file as left over: it was new and not locked.
bool claim(const fs::path& path, int fd) {
  const int locked = while_interrupted([fd] { return ::flock(fd, LOCK_SH | LOCK_NB); });
  if (locked != 0 && errno == EWOULDBLOCK) return false;
  return leads_to(path, fd);  // without locks on this file system nobody removes it
}

void remove_if_stale(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return;
  struct stat info {};
  const bool stale = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
                     ::flock(fd, LOCK_EX | LOCK_NB) == 0 && leads_to(path, fd);
  if (stale) ::unlink(path.c_str());
  ::close(fd);
}

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

void throw_io_error(const char* action, const fs::path& path, int error) {
  const char* remedy =
      error == ENOSPC || error == EDQUOT ? "free some space or choose another place"
      : error == EFBIG                   ? "raise the file size limit (ulimit -f)"
      : error == ENAMETOOLONG            ? "choose a shorter name"
      : error == EACCES || error == EPERM || error == EROFS ? "choose a place you may write to"
                                                            : "check the path and its file system";
  throw IoError(fmt::format("cannot {} {} ({}) {}", action, path.string(),
                            std::generic_category().message(error), remedy));
}

fs::path directory_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

bool is_partial_of(const std::string& file, const std::string& name) {
  constexpr std::string_view ending = ".partial";
  std::string_view rest = file;
  if (!rest.starts_with(name + ".") || !rest.ends_with(ending)) return false;
  if (rest.size() <= name.size() + 1 + ending.size()) return false;
  rest = rest.substr(name.size() + 1, rest.size() - name.size() - 1 - ending.size());
  const auto dash = rest.find('-');
  return all_digits(rest.substr(0, dash)) &&
         (dash == std::string_view::npos || all_digits(rest.substr(dash + 1)));
}

void remove_stale_partials(const fs::path& target) {
  const std::string name = target.filename().string();
  std::error_code error;
  for (fs::directory_iterator at(directory_of(target), error), end; !error && at != end;
       at.increment(error)) {
    if (is_partial_of(at->path().filename().string(), name)) remove_if_stale(at->path());
  }
}

PartialFile::PartialFile(const fs::path& target) {
  for (int attempt = 0; attempt < attempts; ++attempt) {
    path_ = target;
    path_ += attempt == 0 ? fmt::format(".{}.partial", ::getpid())
                          : fmt::format(".{}-{}.partial", ::getpid(), attempt);
    fd_ = while_interrupted([this] {
      return ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    });
    if (fd_ >= 0 && claim(path_, fd_)) return;
    if (fd_ < 0 && errno != EEXIST) throw_io_error("create", path_, errno);
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  throw_io_error("create", path_, EEXIST);
}

PartialFile::~PartialFile() {
  if (!renamed_) while_interrupted([this] { return ::unlink(path_.c_str()); });
  if (fd_ >= 0) ::close(fd_);
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

void PartialFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    // Linux writes at most 2 GiB - 4 KiB per call.
    const ssize_t count = while_interrupted(
        [&] { return ::write(fd_, bytes.data(), std::min<std::size_t>(bytes.size(), 1 << 30)); });
    if (count <= 0) throw_io_error("write", path_, count < 0 ? errno : ENOSPC);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void PartialFile::sync_and_close() {
  if (while_interrupted([this] { return ::fsync(fd_); }) != 0)
    throw_io_error("flush", path_, errno);
  lock_fd_ = ::fcntl(fd_, F_DUPFD_CLOEXEC, 3);
  if (lock_fd_ < 0) throw_io_error("close", path_, errno);
  // Interrupted or not, it is closed; the bytes are on disk since fsync.
  if (::close(std::exchange(fd_, -1)) != 0 && errno != EINTR) throw_io_error("close", path_, errno);
}

void PartialFile::rename_to(const fs::path& target, bool force) {
  if (force) {
    if (while_interrupted([&] { return std::rename(path_.c_str(), target.c_str()); }) != 0) {
      throw_io_error("replace", target, errno);
    }
    renamed_ = true;
    return;
  }
  const auto refuse = [&](int error) {
    if (error != EEXIST) throw_io_error("create", target, error);
    throw IoError(
        fmt::format("cannot write {} (it has appeared meanwhile: another process wrote it) choose "
                    "another name or say --force to replace it",
                    target.string()));
  };
  if (while_interrupted([&] {
        return ::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE);
      }) == 0) {
    renamed_ = true;
    return;
  }
  if (errno != EINVAL && errno != ENOSYS) refuse(errno);
  // A file system without RENAME_NOREPLACE: a hard link never replaces either. The partial name
  // is unlinked by the destructor.
  if (while_interrupted([&] { return ::link(path_.c_str(), target.c_str()); }) != 0) refuse(errno);
}

}  // namespace fabricast
