// What a run has produced so far: rows in memory, and closed segments on disk (segment_folder.hpp).
//
// The finished trace is what content() merges, for an undisturbed run as for a resumed one, so that
// both reach the same content. A run consists of stages (measuring, each emulated machine); a stage
// has a frame (machine, profile, scenario) and points, numbered from 0. Rows are kept in memory and
// written as a segment at most `seconds_per_segment` after they were added; short runs write none.
//
// Lives on rank 0 alone. Not thread safe. Throws IoError, CheckError, UsageError.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "emulator/trace/segment_folder.hpp"

namespace fabricast {

// Rows stay in memory for this long. FABRICAST_SEGMENT_SECONDS in the environment says otherwise: 0
// writes a segment for every point, which is how the tests reach all of this in short runs.
inline constexpr double seconds_per_segment = 1.0;

// What to do about an unfinished run, or a finished trace, of that name.
enum class RunStart { fresh, discard, resume };

struct RunIdentity {
  std::filesystem::path trace;
  std::string config;                             // all that decides the outcome, as text
  std::map<std::string, std::string> attributes;  // root attributes of the trace
};

// With `resume`: the trace is there, complete and of this very config. Throws IoError when it is
// there but of another one, unless it is the very file that the interrupted run was allowed to
// replace, or is in the way of a fresh start (trace_file.hpp, check_writable).
bool already_complete(const RunIdentity& identity, RunStart start);

class RunRecord {
 public:
  RunRecord(RunIdentity identity, RunStart start);

  // Machine, profile and scenario of a stage: a function of the configuration and of the samples,
  // so what a resumed run has already is kept.
  void frame(std::int32_t stage, TraceContent content);
  // Rows of /results or of /sample_conditions (or of both), one for each point, and what refers to
  // them.
  void add(std::int32_t stage, std::span<const std::int64_t> points, TraceContent rows);

  bool has(std::int32_t stage, std::int64_t point) const;
  bool has_frame(std::int32_t stage) const { return frames_.contains(stage); }
  // --force was said, now or when the run began: what has the trace's name may be replaced.
  bool replaces() const { return replaces_; }
  // Points found in the unfinished run.
  std::size_t found() const { return found_; }
  // Wall time spent by earlier processes and this one.
  double spent_seconds() const;

  // Writes what is not yet in a segment. add() does so by itself when it is time.
  void flush();
  // The rows in the order of stages and points, frames, and the attributes.
  TraceContent content() const;
  // The trace is published: nothing needs to be kept.
  void finish();
  // "12 points are kept in trace.h5.d: --resume goes on": for people who interrupted it.
  std::string left_behind() const;

 private:
  using Clock = std::chrono::steady_clock;
  void remember(const RowPiece& piece);
  void keep(RowPiece piece);

  RunIdentity identity_;
  std::optional<SegmentWriter> writer_;
  std::vector<RowPiece> pieces_;  // all, in order of arrival
  std::size_t stored_ = 0;        // of them in segments
  std::set<std::int64_t> positions_;
  std::set<std::int64_t> frames_;
  std::size_t found_ = 0;
  bool replaces_ = false;
  double spent_before_ = 0;
  double seconds_per_segment_ = seconds_per_segment;
  Clock::time_point start_ = Clock::now();
  Clock::time_point oldest_ = Clock::now();  // when the oldest row not in a segment was added
};

}  // namespace fabricast
