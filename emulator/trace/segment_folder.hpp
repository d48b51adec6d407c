// The closed segments of an unfinished run: the folder NAME.d beside the trace NAME.
//
//   NAME.d/manifest.json    what the run is and which segments are acknowledged, sealed (seal.hpp)
//   NAME.d/000000.h5 ...    segments: sealed HDF5 files of format 1, with a table /segment_rows
//   NAME.d/lock             held (flock) by the process that writes
//
// A segment is acknowledged when the manifest names it; both are published atomically, the segment
// first, so at every moment the folder holds a prefix of the run that reads back exactly. What the
// manifest does not name is left over from an interruption and is removed by the next writer.
// docs/trace-format.md is the normative text. One writer; not thread safe. Throws IoError (cannot
// read or write, or another process writes) and CheckError (damaged).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "emulator/trace/row_pieces.hpp"
#include "emulator/trace/trace_file.hpp"

namespace fabricast {

struct SegmentEntry {
  std::string file;  // in the folder
  std::uint64_t bytes = 0;
  std::string sha256;  // of the whole file
  std::map<std::string, std::int64_t> rows;
};

struct Manifest {
  std::string trace;   // name of the trace it will become
  std::string config;  // everything that decides the outcome; a resumed run must have the same
  std::map<std::string, std::string> attributes;  // of the trace's root
  double spent_seconds = 0;                       // of wall time, all processes before this one
  // SHA-256 of the file that --force allowed the run to replace; empty if there was none.
  std::string replaces{};
  std::vector<SegmentEntry> segments;
};

// "trace.h5" -> "trace.h5.d".
std::filesystem::path segment_folder_of(const std::filesystem::path& trace);

// Is `path` such a folder?
bool is_segment_folder(const std::filesystem::path& path);

// What is acknowledged, verified against the manifest. No lock: also of a run that is being
// written.
struct StoredRun {
  Manifest manifest;
  std::vector<RowPiece> pieces;  // one per segment
};
StoredRun read_segments(const std::filesystem::path& folder, Author author = Author::anyone);

// The rows so far as a trace's content; the attribute `complete` is "no".
TraceContent content_of(const StoredRun& run);

// As check_trace, for a folder.
std::vector<TraceProblem> check_segments(const std::filesystem::path& folder);

// A finished trace or the folder of an unfinished run: what every reader of results takes.
TraceContent read_trace_or_segments(const std::filesystem::path& path);
std::vector<TraceProblem> check_trace_or_segments(const std::filesystem::path& path);

// The writing side. The folder appears with the first append, or when it is claimed.
class SegmentWriter {
 public:
  // Starts afresh. An unfinished run in the way is an IoError that says how to go on, unless
  // `discard` (then it is removed, unless another process is writing it).
  static SegmentWriter fresh(const std::filesystem::path& trace, Manifest manifest, bool discard);
  // Takes over an unfinished run; nothing if there is none. `stored` receives what it holds.
  static std::optional<SegmentWriter> resume(const std::filesystem::path& trace, StoredRun& stored);

  SegmentWriter(SegmentWriter&&) noexcept;
  SegmentWriter& operator=(SegmentWriter&&) noexcept;
  ~SegmentWriter();

  // Makes the folder now and holds it, so that no other process can begin to write it meanwhile.
  void claim();
  // Publishes one segment and acknowledges it.
  void append(const RowPiece& piece, double spent_seconds);
  // Removes the folder: the trace is published, or there is nothing to keep.
  void remove();

 private:
  struct Lock;
  SegmentWriter(std::filesystem::path folder, Manifest manifest);
  void create();
  void publish_segment(const RowPiece& piece, double spent_seconds);
  void remove_quietly() noexcept;

  std::filesystem::path folder_;
  Manifest manifest_;
  bool made_ = false;  // the folder, by this process
  std::unique_ptr<Lock> lock_;
};

}  // namespace fabricast
