// A preloaded library (LD_PRELOAD) that lets one system call of a process fail: what a bad disk
// does.
//
// Counted are calls of the kinds in FAULT_CALLS (names separated by commas) on paths that begin
// with FAULT_PATH; a file descriptor's path is what /proc/self/fd says. The FAULT_AT-th (from 1; 0:
// none), with FAULT_STICKY=1 every later one as well, does not happen, but for a close(), which
// does. It fails with FAULT_ERROR (EIO, ENOSPC or EINTR), or with "short" transfers only half of
// its bytes. FAULT_LOG names a file that receives a line for each counted call: its number, name
// and path. For tests alone; never installed. Works with programs that reach libc through its
// symbols, which the streams of libstdc++ and libhdf5 do.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

std::atomic<long> counted{0};
// The counting itself reads links and writes a log.
thread_local bool inside = false;

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

template <class Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

std::string path_of(int fd) {
  char path[4096];
  const ssize_t length =
      ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
  return length < 0 ? "" : std::string(path, static_cast<std::size_t>(length));
}

std::string absolute(const char* path, int folder = AT_FDCWD) {
  if (path == nullptr || path[0] == '/') return path == nullptr ? "" : path;
  char current[4096];
  const std::string base = folder != AT_FDCWD                             ? path_of(folder)
                           : ::getcwd(current, sizeof current) != nullptr ? current
                                                                          : "";
  return base + "/" + path;
}

void write_log(long number, const char* call, const std::string& path) {
  static const std::string file = setting("FAULT_LOG");
  if (file.empty()) return;
  const std::string line = std::to_string(number) + " " + call + " " + path + "\n";
  const auto fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, file.c_str(),
                                             O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (fd < 0) return;
  if (::syscall(SYS_write, fd, line.data(), line.size()) < 0) std::abort();
  ::syscall(SYS_close, fd);
}

// The error of this call: 0 if it may happen, -1 for a short transfer.
int fault(const char* call, const std::string& path, bool transfers = false) {
  static const std::string calls = "," + setting("FAULT_CALLS") + ",";
  static const std::string prefix = setting("FAULT_PATH");
  static const std::string error = setting("FAULT_ERROR");
  static const long at = std::atol(setting("FAULT_AT").c_str());
  static const bool sticky = setting("FAULT_STICKY") == "1";
  if (inside || prefix.empty() || path.compare(0, prefix.size(), prefix) != 0) return 0;
  if (calls.find("," + std::string(call) + ",") == std::string::npos) return 0;
  if (error == "short" && !transfers) return 0;
  inside = true;
  const long number = ++counted;
  write_log(number, call, path);
  inside = false;
  if (at == 0 || (sticky ? number < at : number != at)) return 0;
  if (error == "short") return -1;
  return error == "ENOSPC" ? ENOSPC : error == "EINTR" ? EINTR : EIO;
}

std::string path_counted(int fd) {
  if (inside) return "";
  inside = true;
  const int before = errno;
  std::string path = path_of(fd);
  errno = before;
  inside = false;
  return path;
}

// Does the fault, or the call.
template <class Result, class Call>
Result unless_faulty(const char* name, const std::string& path, Result failed, const Call& call) {
  const int error = fault(name, path);
  if (error == 0) return call();
  errno = error;
  return failed;
}

template <class Call>
ssize_t transfer(const char* name, int fd, std::size_t bytes, const Call& call) {
  const int error = fault(name, path_counted(fd), true);
  if (error == 0 || (error < 0 && bytes < 2)) return call(bytes);
  if (error < 0) return call(bytes / 2);
  errno = error;
  return -1;
}

mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? static_cast<mode_t>(va_arg(arguments, int)) : 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  static const auto call = real<int (*)(const char*, int, ...)>("open");
  return unless_faulty("open", absolute(path), -1, [&] { return call(path, flags, mode); });
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  static const auto call = real<int (*)(const char*, int, ...)>("open64");
  return unless_faulty("open", absolute(path), -1, [&] { return call(path, flags, mode); });
}

int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  static const auto call = real<int (*)(int, const char*, int, ...)>("openat");
  return unless_faulty("openat", absolute(path, folder), -1,
                       [&] { return call(folder, path, flags, mode); });
}

int creat(const char* path, mode_t mode) {
  static const auto call = real<int (*)(const char*, mode_t)>("creat");
  return unless_faulty("creat", absolute(path), -1, [&] { return call(path, mode); });
}

FILE* fopen(const char* path, const char* mode) {
  static const auto call = real<FILE* (*)(const char*, const char*)>("fopen");
  return unless_faulty<FILE*>("fopen", absolute(path), nullptr, [&] { return call(path, mode); });
}

FILE* fopen64(const char* path, const char* mode) {
  static const auto call = real<FILE* (*)(const char*, const char*)>("fopen64");
  return unless_faulty<FILE*>("fopen", absolute(path), nullptr, [&] { return call(path, mode); });
}

DIR* opendir(const char* path) {
  static const auto call = real<DIR* (*)(const char*)>("opendir");
  return unless_faulty<DIR*>("opendir", absolute(path), nullptr, [&] { return call(path); });
}

int close(int fd) {
  static const auto call = real<int (*)(int)>("close");
  const int error = fault("close", path_counted(fd));
  const int result = call(fd);  // Linux lets go of the descriptor whatever the error
  if (error == 0) return result;
  errno = error;
  return -1;
}

ssize_t read(int fd, void* bytes, std::size_t count) {
  static const auto call = real<ssize_t (*)(int, void*, std::size_t)>("read");
  return transfer("read", fd, count, [&](std::size_t some) { return call(fd, bytes, some); });
}

ssize_t pread64(int fd, void* bytes, std::size_t count, off64_t offset) {
  static const auto call = real<ssize_t (*)(int, void*, std::size_t, off64_t)>("pread64");
  return transfer("pread", fd, count,
                  [&](std::size_t some) { return call(fd, bytes, some, offset); });
}

ssize_t pread(int fd, void* bytes, std::size_t count, off_t offset) {
  return pread64(fd, bytes, count, offset);
}

ssize_t write(int fd, const void* bytes, std::size_t count) {
  static const auto call = real<ssize_t (*)(int, const void*, std::size_t)>("write");
  return transfer("write", fd, count, [&](std::size_t some) { return call(fd, bytes, some); });
}

ssize_t pwrite64(int fd, const void* bytes, std::size_t count, off64_t offset) {
  static const auto call = real<ssize_t (*)(int, const void*, std::size_t, off64_t)>("pwrite64");
  return transfer("pwrite", fd, count,
                  [&](std::size_t some) { return call(fd, bytes, some, offset); });
}

ssize_t pwrite(int fd, const void* bytes, std::size_t count, off_t offset) {
  return pwrite64(fd, bytes, count, offset);
}

// A short transfer of several blocks is one of the first block alone.
ssize_t writev(int fd, const struct iovec* blocks, int count) {
  static const auto call = real<ssize_t (*)(int, const struct iovec*, int)>("writev");
  return transfer("writev", fd, static_cast<std::size_t>(count),
                  [&](std::size_t some) { return call(fd, blocks, static_cast<int>(some)); });
}

int fsync(int fd) {
  static const auto call = real<int (*)(int)>("fsync");
  return unless_faulty("fsync", path_counted(fd), -1, [&] { return call(fd); });
}

int fdatasync(int fd) {
  static const auto call = real<int (*)(int)>("fdatasync");
  return unless_faulty("fdatasync", path_counted(fd), -1, [&] { return call(fd); });
}

int ftruncate64(int fd, off64_t length) {
  static const auto call = real<int (*)(int, off64_t)>("ftruncate64");
  return unless_faulty("ftruncate", path_counted(fd), -1, [&] { return call(fd, length); });
}

int flock(int fd, int operation) {
  static const auto call = real<int (*)(int, int)>("flock");
  return unless_faulty("flock", path_counted(fd), -1, [&] { return call(fd, operation); });
}

int rename(const char* from, const char* to) {
  static const auto call = real<int (*)(const char*, const char*)>("rename");
  return unless_faulty("rename", absolute(to), -1, [&] { return call(from, to); });
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  static const auto call = real<int (*)(int, const char*, int, const char*, unsigned)>("renameat2");
  return unless_faulty("renameat2", absolute(to, to_folder), -1,
                       [&] { return call(from_folder, from, to_folder, to, flags); });
}

int link(const char* from, const char* to) {
  static const auto call = real<int (*)(const char*, const char*)>("link");
  return unless_faulty("link", absolute(to), -1, [&] { return call(from, to); });
}

int unlink(const char* path) {
  static const auto call = real<int (*)(const char*)>("unlink");
  return unless_faulty("unlink", absolute(path), -1, [&] { return call(path); });
}

int mkdir(const char* path, mode_t mode) {
  static const auto call = real<int (*)(const char*, mode_t)>("mkdir");
  return unless_faulty("mkdir", absolute(path), -1, [&] { return call(path, mode); });
}

int rmdir(const char* path) {
  static const auto call = real<int (*)(const char*)>("rmdir");
  return unless_faulty("rmdir", absolute(path), -1, [&] { return call(path); });
}

}  // extern "C"
