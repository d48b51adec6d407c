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
#include "emulator/base/interrupted_call.hpp"
#include "emulator/trace/manifest.hpp"
#include "emulator/trace/partial_file.hpp"
#include "emulator/trace/publish.hpp"
#include "emulator/trace/segment_rows.hpp"

namespace fabricast {
namespace {

namespace fs = std::filesystem;

constexpr const char* lock_name = "lock";
// Ranks outlive a killed mpirun by up to a second (measured with Open MPI 4.1).
constexpr std::chrono::milliseconds patience_with_the_dying{3000};

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
  const auto named = [&](const std::string& whole) {
    return name == whole || is_partial_of(name, whole);
  };
  return name == lock_name || named(manifest_name) ||
         (is_segment_name(name.substr(0, segment_name_length)) &&
          named(name.substr(0, segment_name_length)));
}

void remove_file(const fs::path& path) {
  if (while_interrupted([&] { return ::unlink(path.c_str()); }) != 0 && errno != ENOENT)
    throw_io_error("remove", path, errno);
}

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    files.push_back(at->path());
  }
  if (error) throw_io_error("list", folder, error.value());
  return files;
}

// A folder of that name that somebody else made is left alone, files, links and all.
void refuse_foreign_folder(const fs::path& folder) {
  if (!is_folder(folder)) {
    throw IoError(
        fmt::format("cannot keep segments in {} (it is there and no folder) remove it, or "
                    "choose another name with -o",
                    folder.string()));
  }
  // In a folder of ours somebody else's files are left alone; names of ours must be files of ours.
  const bool ours = is_there(folder / manifest_name) && claims_to_be_manifest(folder);
  for (const auto& file : files_of(folder)) {
    struct stat info {};
    const int found = ::lstat(file.c_str(), &info);
    if (found != 0 && errno == ENOENT) continue;  // of a run that goes on at this moment
    const bool regular = found == 0 && S_ISREG(info.st_mode);
    const bool manifest = file.filename() == manifest_name;
    if (is_ours(file) ? regular && (!manifest || ours) : ours) continue;
    throw IoError(
        fmt::format("cannot keep segments in {} (it is there and holds {}, which no run has "
                    "written) remove it, "
                    "or choose another name with -o",
                    folder.string(), file.filename().string()));
  }
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
    fd = while_interrupted(
        [this] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666); });
    if (fd < 0) throw_io_error("create", path, errno);
    bool locked = take();
    for (constexpr std::chrono::milliseconds step{50}; !locked && patience.count() > 0; patience -= step) {
      std::this_thread::sleep_for(step);
      locked = take();
    }
    if (!locked) {
      const int error = errno;
      ::close(fd);
      if (error != EWOULDBLOCK) throw_io_error("lock", path, error);
      throw IoError(fmt::format(
          "{} is being written by another process: wait for it, or choose another name with -o",
          folder.string()));
    }
  }
  // Is it still the folder's? Not when the run that held it has just ended.
  bool is_current() const {
    struct stat info {};
    return ::fstat(fd, &info) == 0 && info.st_nlink > 0;
  }
  ~Lock() { ::close(fd); }
  bool take() const {
    return while_interrupted([this] { return ::flock(fd, LOCK_EX | LOCK_NB); }) == 0;
  }
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
SegmentWriter::~SegmentWriter() {
  // Claimed, and nothing came of it. Without a manifest nothing was ever acknowledged.
  if (made_ && lock_ && !is_there(folder_ / manifest_name)) remove_quietly();
}

SegmentWriter SegmentWriter::fresh(const fs::path& trace, Manifest manifest, bool discard) {
  SegmentWriter writer(segment_folder_of(trace), std::move(manifest));
  if (!is_there(writer.folder_)) return writer;
  // Not even a lock is put into somebody else's folder.
  if (!is_there(writer.folder_ / lock_name)) refuse_foreign_folder(writer.folder_);
  writer.lock_ = std::make_unique<Lock>(
      writer.folder_, discard ? patience_with_the_dying : std::chrono::milliseconds{});
  if (!writer.lock_->is_current()) return fresh(trace, std::move(writer.manifest_), discard);
  refuse_foreign_folder(writer.folder_);
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
  if (!is_there(folder / lock_name)) refuse_foreign_folder(folder);
  auto lock = std::make_unique<Lock>(folder, patience_with_the_dying);
  if (!lock->is_current()) return resume(trace, stored);
  refuse_foreign_folder(folder);
  stored = read_segments(folder, Author::this_process);
  remove_leftovers(folder, stored.manifest);
  SegmentWriter writer(folder, stored.manifest);
  writer.lock_ = std::move(lock);
  return writer;
}

void SegmentWriter::create() {
  if (while_interrupted([this] { return ::mkdir(folder_.c_str(), 0777); }) != 0) {
    if (errno == EEXIST) {
      throw IoError(fmt::format(
          "{} has appeared meanwhile (another process writes the same trace?) choose another name "
          "with -o",
          folder_.string()));
    }
    throw_io_error("create", folder_, errno);
  }
  lock_ = std::make_unique<Lock>(folder_);
  made_ = true;
  sync_directory_of(folder_);
}

void SegmentWriter::claim() {
  if (!lock_) create();
}

void SegmentWriter::append(const RowPiece& piece, double spent_seconds) {
  claim();
  try {
    publish_segment(piece, spent_seconds);
  } catch (const IoError&) {
    if (!is_there(folder_ / manifest_name)) remove_quietly();
    throw;
  }
}

void SegmentWriter::publish_segment(const RowPiece& piece, double spent_seconds) {
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

// After a failure, so that a folder without anything in it is not left behind.
void SegmentWriter::remove_quietly() noexcept {
  try {
    remove();
  } catch (const IoError&) {  // the first failure is the one to tell
  }
}

void SegmentWriter::remove() {
  if (!lock_) return;
  // The manifest first: what is left of a folder without one is nobody's run.
  remove_file(folder_ / manifest_name);
  manifest_.segments.clear();
  remove_leftovers(folder_, manifest_);
  remove_file(folder_ / lock_name);
  lock_.reset();
  if (while_interrupted([this] { return ::rmdir(folder_.c_str()); }) != 0 && errno != ENOTEMPTY &&
      errno != EEXIST) {
    throw_io_error("remove", folder_, errno);  // somebody else's files stay, and so does the folder
  }
}

}  // namespace fabricast
