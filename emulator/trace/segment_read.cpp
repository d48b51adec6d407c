// The reading side of a segment folder: segment_folder.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "emulator/base/communicator.hpp"
#include "emulator/base/error.hpp"
#include "emulator/trace/guarded_read.hpp"
#include "emulator/trace/laws.hpp"
#include "emulator/trace/manifest.hpp"
#include "emulator/trace/schema.hpp"
#include "emulator/trace/segment_folder.hpp"
#include "emulator/trace/segment_rows.hpp"

namespace fabricast {
namespace {

namespace fs = std::filesystem;

RowPiece read_segment(const fs::path& folder, const SegmentEntry& named) {
  const fs::path path = folder / named.file;
  SegmentEntry found = named;
  describe_segment_file(folder, found);
  if (found.bytes != named.bytes || found.sha256 != named.sha256) {
    throw CheckError(fmt::format(
        "{}: its bytes are not those that the manifest names (damaged or replaced) start the run "
        "over with --force",
        path.string()));
  }
  return piece_from(read_trace(path, Author::this_process), path.string());
}

}  // namespace

StoredRun read_segments(const fs::path& folder, Author author) {
  StoredRun run;
  run.manifest = read_manifest(folder);
  const auto read = [&] {
    for (const SegmentEntry& entry : run.manifest.segments) {
      run.pieces.push_back(read_segment(folder, entry));
    }
  };
  // One child for the whole folder: it may have thousands of segments.
  if (author == Author::anyone && !Communicator::launched_by_mpi()) {
    std::uintmax_t bytes = 0;
    for (const SegmentEntry& entry : run.manifest.segments) bytes += entry.bytes;
    require_survivable(folder, bytes, read);
  }
  read();
  return run;
}

TraceContent content_of(const StoredRun& run) {
  TraceContent content = merge(run.pieces).content;
  content.attributes = run.manifest.attributes;
  content.attributes["complete"] = "no";
  return content;
}

std::vector<TraceProblem> check_segments(const fs::path& folder) {
  try {
    const TraceContent content = content_of(read_segments(folder));
    std::vector<TraceProblem> found = schema_problems(content);
    for (TraceProblem& problem : law_problems(content)) found.push_back(std::move(problem));
    return found;
  } catch (const CheckError& error) {
    return {{folder.string(), error.what()}};
  }
}

TraceContent read_trace_or_segments(const fs::path& path) {
  if (is_segment_folder(path)) return content_of(read_segments(path));
  const fs::path folder = segment_folder_of(path);
  std::error_code ignored;
  if (!fs::exists(path, ignored) && is_segment_folder(folder)) {
    throw IoError(fmt::format(
        "cannot read {} (its run was interrupted) say {} for what it has produced, or finish it with "
        "--resume",
        path.string(), folder.string()));
  }
  return read_trace(path);
}

std::vector<TraceProblem> check_trace_or_segments(const fs::path& path) {
  return is_segment_folder(path) ? check_segments(path) : check_trace(path);
}

}  // namespace fabricast
