#include "emulator/coordinator/run_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"
#include "emulator/base/stop.hpp"
#include "emulator/trace/input_file.hpp"
#include "emulator/trace/manifest.hpp"
#include "emulator/trace/sha256.hpp"

namespace fabricast {
namespace {

constexpr const char* identity_attribute = "run_digest";
constexpr std::array<const char*, 2> point_tables{"/results", "/sample_conditions"};

// Stages one after another, points of a stage in order.
std::int64_t position_of(std::int32_t stage, std::int64_t point) {
  return (static_cast<std::int64_t>(stage) << 40) + point;
}

// The first line in which two configurations differ.
std::string difference(const std::string& then, const std::string& now) {
  std::istringstream a(then), b(now);
  std::string before, after;
  while (true) {
    const bool more_a = static_cast<bool>(std::getline(a, before));
    const bool more_b = static_cast<bool>(std::getline(b, after));
    if (!more_a) before = "nothing";
    if (!more_b) after = "nothing";
    if (before != after) return fmt::format("then \"{}\", now \"{}\"", before, after);
    if (!more_a && !more_b) return "nothing differs";
  }
}

double asked_seconds_per_segment() {
  const char* asked = std::getenv("FABRICAST_SEGMENT_SECONDS");
  if (asked == nullptr) return seconds_per_segment;
  char* end = nullptr;
  const double seconds = std::strtod(asked, &end);
  if (end == asked || *end != '\0' || !std::isfinite(seconds) || seconds < 0) {
    throw UsageError(fmt::format(
        "FABRICAST_SEGMENT_SECONDS is \"{}\" in the environment (it is a number of seconds, 0 or "
        "more) unset it, or set it to one",
        asked));
  }
  return seconds;
}

bool is_file(const std::filesystem::path& path) {
  return std::filesystem::is_regular_file(std::filesystem::symlink_status(path));
}

std::string digest_of_file(const std::filesystem::path& path) {
  return sha256_hex(read_whole_file(path));
}

// Is the trace what the interrupted run beside it was to replace?
bool was_to_be_replaced(const std::filesystem::path& trace) {
  const auto folder = segment_folder_of(trace);
  if (!is_segment_folder(folder)) return false;
  const std::string replaced = read_manifest(folder).replaces;
  return !replaced.empty() && replaced == digest_of_file(trace);
}

Manifest manifest_of(const RunIdentity& identity, RunStart start) {
  Manifest manifest;
  if (start == RunStart::discard && is_file(identity.trace)) {
    try {
      manifest.replaces = digest_of_file(identity.trace);
    } catch (const IoError&) {  // it can be replaced without being readable, but not named
    }
  }
  manifest.trace = identity.trace.filename().string();
  manifest.config = identity.config;
  manifest.attributes = identity.attributes;
  return manifest;
}

}  // namespace

bool already_complete(const RunIdentity& identity, RunStart start) {
  if (start != RunStart::resume) {
    check_writable(identity.trace, start == RunStart::discard);
    return false;
  }
  if (!is_file(identity.trace)) {
    check_writable(identity.trace, false);
    return false;
  }
  const auto attributes = read_trace(identity.trace).attributes;
  const auto digest = attributes.find(identity_attribute);
  if (digest != attributes.end() && digest->second == sha256_hex(identity.config)) return true;
  if (was_to_be_replaced(identity.trace)) return false;
  throw IoError(
      fmt::format("cannot resume {} (it exists, and is the trace of another run) choose another "
                  "name with -o, or "
                  "say --force instead of --resume to replace it",
                  identity.trace.string()));
}

RunRecord::RunRecord(RunIdentity identity, RunStart start)
    : identity_(std::move(identity)), seconds_per_segment_(asked_seconds_per_segment()) {
  identity_.attributes[identity_attribute] = sha256_hex(identity_.config);
  if (start == RunStart::resume) {
    StoredRun stored;
    writer_ = SegmentWriter::resume(identity_.trace, stored);
    if (writer_ && stored.manifest.config != identity_.config) {
      throw UsageError(
          fmt::format("cannot resume {} (it was started with another configuration: {}) repeat its "
                      "command line, "
                      "or start over with --force",
                      segment_folder_of(identity_.trace).string(),
                      difference(stored.manifest.config, identity_.config)));
    }
    for (RowPiece& piece : stored.pieces) {
      remember(piece);
      pieces_.push_back(std::move(piece));
    }
    found_ = positions_.size();
    stored_ = pieces_.size();
    if (writer_) set_stop_note(left_behind());
    spent_before_ = stored.manifest.spent_seconds;
    replaces_ = !stored.manifest.replaces.empty();
  }
  if (!writer_) {
    writer_ = SegmentWriter::fresh(identity_.trace, manifest_of(identity_, start),
                                   start != RunStart::fresh);
    replaces_ = start == RunStart::discard;
    // Ranks of the run that was killed may still live for a second, and begin to write.
    if (start == RunStart::resume) writer_->claim();
  }
}

void RunRecord::remember(const RowPiece& piece) {
  frames_.insert(piece.frames.begin(), piece.frames.end());
  for (const char* table : point_tables) {
    const auto found = piece.positions.find(table);
    if (found != piece.positions.end())
      positions_.insert(found->second.begin(), found->second.end());
  }
}

void RunRecord::keep(RowPiece piece) {
  if (stored_ == pieces_.size()) oldest_ = Clock::now();
  remember(piece);
  pieces_.push_back(std::move(piece));
}

void RunRecord::frame(std::int32_t stage, TraceContent content) {
  if (frames_.contains(stage)) return;
  RowPiece piece;
  piece.content = std::move(content);
  piece.frames = {stage};
  keep(std::move(piece));
}

void RunRecord::add(std::int32_t stage, std::span<const std::int64_t> points, TraceContent rows) {
  RowPiece piece;
  piece.content = std::move(rows);
  for (const char* path : point_tables) {
    const Table* table = piece.content.find(path);
    if (table == nullptr) continue;
    FABRICAST_EXPECT(table->rows() == points.size(), "a row for each point");
    auto& positions = piece.positions[path];
    for (const std::int64_t point : points) positions.push_back(position_of(stage, point));
  }
  keep(std::move(piece));
  const std::chrono::duration<double> age = Clock::now() - oldest_;
  if (age.count() >= seconds_per_segment_) flush();
}

bool RunRecord::has(std::int32_t stage, std::int64_t point) const {
  return positions_.contains(position_of(stage, point));
}

double RunRecord::spent_seconds() const {
  return spent_before_ + std::chrono::duration<double>(Clock::now() - start_).count();
}

void RunRecord::flush() {
  // A frame alone is nothing that was worked for, and no results to show.
  if (stored_ == pieces_.size() || positions_.empty()) return;
  writer_->append(merge(std::span(pieces_).subspan(stored_)), spent_seconds());
  stored_ = pieces_.size();
  set_stop_note(left_behind());
}

TraceContent RunRecord::content() const {
  TraceContent content = merge(pieces_).content;
  content.attributes = identity_.attributes;
  return content;
}

void RunRecord::finish() { writer_->remove(); }

std::string RunRecord::left_behind() const {
  if (stored_ == 0) return "nothing was finished yet";
  std::set<std::int64_t> points;
  for (const RowPiece& piece : std::span(pieces_).first(stored_)) {
    for (const auto& [table, positions] : piece.positions) {
      points.insert(positions.begin(), positions.end());
    }
  }
  const auto folder = segment_folder_of(identity_.trace).string();
  return fmt::format(
      "{} points are kept in {}: the same command with --resume goes on, fabricast report {} shows "
      "them",
      points.size(), folder, folder);
}

}  // namespace fabricast
