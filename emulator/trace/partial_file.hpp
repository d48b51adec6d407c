// A file on its way to NAME: NAME.PID.partial beside it, which removes itself unless it was
// renamed.
//
// Its writer holds a shared lock (flock) on it for as long as it lives, and the kernel lets go of
// it however the writer ends: a partial file that can be locked exclusively is left over from a
// kill, and the next writer of NAME removes it. The lock is shared because HDF5 takes a shared one
// to read the file back. Where a file system has no locks nothing is ever taken for left over. One
// thread. Throws IoError naming the path.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace fabricast {

class PartialFile {
 public:
  explicit PartialFile(const std::filesystem::path& target);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void write(std::span<const std::byte> bytes);
  void sync_and_close();
  // Without `force` nothing is ever replaced, also not what appeared a moment ago.
  void rename_to(const std::filesystem::path& target, bool force);

 private:
  std::filesystem::path path_;
  int fd_ = -1;       // to write
  int lock_fd_ = -1;  // the same open file, so the lock outlives the checked close
  bool renamed_ = false;
};

// Room that a name needs for the ending ".PID-ATTEMPT.partial".
inline constexpr std::size_t longest_partial_ending = sizeof(".2147483647-99.partial") - 1;

// Is `file` the name of a partial file of `name`? Both without folder.
bool is_partial_of(const std::string& file, const std::string& name);

// Removes the partial files of `target` whose writers are dead. Never fails: they are only in the
// way.
void remove_stale_partials(const std::filesystem::path& target);

// "." for a bare name.
std::filesystem::path directory_of(const std::filesystem::path& path);

// Throws IoError: "cannot ACTION PATH (cause) what to do about it".
[[noreturn]] void throw_io_error(const char* action, const std::filesystem::path& path, int error);

}  // namespace fabricast
