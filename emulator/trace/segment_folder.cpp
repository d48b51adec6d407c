#include "emulator/trace/segment_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "emulator/base/error.hpp"
#include "emulator/trace/manifest.hpp"
#include "emulator/trace/segment_rows.hpp"

namespace fabricast {
namespace {

namespace fs = std::filesystem;

constexpr const char* lock_name = "lock";
// Ranks outlive a killed mpirun by up to a second (measured with Open MPI 4.1).
constexpr std::chrono::milliseconds patience_with_the_dying{3000};

[[noreturn]] void fail(const char* action, const fs::path& path, int error) {
  throw IoError(fmt::format("cannot {} {} ({}) check the path and its file system", action,
                            path.string(), std::generic_category().message(error)));
}

bool is_folder(const fs::path& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool is_there(const fs::path& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

// What an interruption may leave: segments, a manifest, partial files of both. Nothing else is ours.
bool is_ours(const fs::path& file) {
  const std::string name = file.filename().string();
  return name == lock_name || name == manifest_name || name.ends_with(".partial") ||
         (name.size() == 9 && name.ends_with(".h5"));
}

void remove_file(const fs::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail("remove", path, errno);
}

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    files.push_back(at->path());
  }
  if (error) fail("list", folder, error.value());
  return files;
}

// Removes what the manifest does not name.
void remove_leftovers(const fs::path& folder, const Manifest& manifest) {
  for (const auto& file : files_of(folder)) {
    const std::string name = file.filename().string();
    const bool named = name == lock_name || name == manifest_name ||
                       std::any_of(manifest.segments.begin(), manifest.segments.end(),
                                   [&](const SegmentEntry& s) { return s.file == name; });
    if (!named && is_ours(file)) remove_file(file);
  }
}

}  // namespace

// flock: the kernel lets it go when the process dies, however it dies.
struct SegmentWriter::Lock {
  explicit Lock(const fs::path& folder, std::chrono::milliseconds patience = {})
      : path(folder / lock_name) {
    fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0) fail("create", path, errno);
    bool locked = ::flock(fd, LOCK_EX | LOCK_NB) == 0;
    for (constexpr std::chrono::milliseconds step{50}; !locked && patience.count() > 0; patience -= step) {
      std::this_thread::sleep_for(step);
      locked = ::flock(fd, LOCK_EX | LOCK_NB) == 0;
    }
    if (!locked) {
      const int error = errno;
      ::close(fd);
      if (error != EWOULDBLOCK) fail("lock", path, error);
      throw IoError(fmt::format(
          "{} is being written by another process: wait for it, or choose another name with -o",
          folder.string()));
    }
    struct stat info {};
    if (::fstat(fd, &info) != 0 || info.st_nlink == 0) {  // its run has just ended
      ::close(fd);
      throw IoError(fmt::format("{} has just been finished by another process: look at its trace",
                                folder.string()));
    }
  }
  ~Lock() { ::close(fd); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  fs::path path;
  int fd = -1;
};

fs::path segment_folder_of(const fs::path& trace) { return fs::path(trace).concat(".d"); }

bool is_segment_folder(const fs::path& path) {
  return is_folder(path) && is_there(path / manifest_name);
}

SegmentWriter::SegmentWriter(fs::path folder, Manifest manifest)
    : folder_(std::move(folder)), manifest_(std::move(manifest)) {}
SegmentWriter::SegmentWriter(SegmentWriter&&) noexcept = default;
SegmentWriter& SegmentWriter::operator=(SegmentWriter&&) noexcept = default;
SegmentWriter::~SegmentWriter() = default;

SegmentWriter SegmentWriter::fresh(const fs::path& trace, Manifest manifest, bool discard) {
  SegmentWriter writer(segment_folder_of(trace), std::move(manifest));
  if (!is_there(writer.folder_)) return writer;
  if (!is_folder(writer.folder_)) {
    throw IoError(fmt::format("cannot keep segments in {} (it is there and no folder) remove it, or "
                              "choose another name with -o",
                              writer.folder_.string()));
  }
  writer.lock_ = std::make_unique<Lock>(writer.folder_);
  const bool unfinished = is_segment_folder(writer.folder_);
  if (unfinished && !discard) {
    throw IoError(fmt::format(
        "{} holds an unfinished run: --resume goes on with it, --force starts over, fabricast report "
        "{} shows it",
        writer.folder_.string(), writer.folder_.string()));
  }
  writer.remove();  // without a manifest nothing was ever acknowledged
  return writer;
}

std::optional<SegmentWriter> SegmentWriter::resume(const fs::path& trace, StoredRun& stored) {
  const fs::path folder = segment_folder_of(trace);
  if (!is_segment_folder(folder)) return std::nullopt;
  auto lock = std::make_unique<Lock>(folder, patience_with_the_dying);
  stored = read_segments(folder, Author::this_process);
  remove_leftovers(folder, stored.manifest);
  SegmentWriter writer(folder, stored.manifest);
  writer.lock_ = std::move(lock);
  return writer;
}

void SegmentWriter::create() {
  if (::mkdir(folder_.c_str(), 0777) != 0) {
    if (errno == EEXIST) {
      throw IoError(fmt::format(
          "{} has appeared meanwhile (another process writes the same trace?) choose another name "
          "with -o",
          folder_.string()));
    }
    fail("create", folder_, errno);
  }
  lock_ = std::make_unique<Lock>(folder_);
}

void SegmentWriter::append(const RowPiece& piece, double spent_seconds) {
  if (!lock_) create();
  SegmentEntry entry;
  entry.file = fmt::format("{:06}.h5", manifest_.segments.size());
  write_trace(folder_ / entry.file, segment_content(piece, manifest_), WriteOptions{true});
  describe_segment_file(folder_, entry);
  for (const Table& table : piece.content.tables) {
    entry.rows[table.path] = static_cast<std::int64_t>(table.rows());
  }
  Manifest next = manifest_;
  next.segments.push_back(std::move(entry));
  next.spent_seconds = spent_seconds;
  write_manifest(folder_, next);
  manifest_ = std::move(next);
}

void SegmentWriter::remove() {
  if (!lock_) return;
  // The manifest first: what is left of a folder without one is nobody's run.
  remove_file(folder_ / manifest_name);
  manifest_.segments.clear();
  remove_leftovers(folder_, manifest_);
  remove_file(folder_ / lock_name);
  lock_.reset();
  if (::rmdir(folder_.c_str()) != 0 && errno != ENOTEMPTY && errno != EEXIST) {
    fail("remove", folder_, errno);  // somebody else's files stay, and so does the folder
  }
}

}  // namespace fabricast
