// Trace files on disk: HDF5, format 1 (docs/trace-format.md).
//
// write_trace is atomic: NAME.partial -> every return checked -> close -> reopen and verify ->
// fsync -> rename (or link, never over an existing file unless `force`) -> fsync directory. On any
// failure the partial file is unlinked and IoError names path and cause. Only regular files are
// targets; a directory, FIFO, device or symlink is refused. Serial, one writer.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "emulator/trace/table.hpp"

namespace fabricast {

struct WriteOptions {
  bool force = false;  // replace an existing regular file, atomically
  int gzip_level = 1;  // 0..9; shuffle and fletcher32 are always on
};

void write_trace(const std::filesystem::path& path, const TraceContent& content,
                 const WriteOptions& options = {});

// Who wrote a file. Anyone's is read in a child process first (guarded_read.hpp).
enum class Author { anyone, this_process };

// Throws IoError (cannot open, not HDF5, not ours) or CheckError (schema or checksum wrong).
TraceContent read_trace(const std::filesystem::path& path, Author author = Author::anyone);

// Refuses before any work is done what write_trace would refuse at the end (exists without force,
// directory missing, not writable, not a regular file). Throws IoError.
void check_writable(const std::filesystem::path& path, bool force);

struct TraceProblem {
  std::string where;  // "/results/time_us"
  std::string what;
};

// Full validation: attributes, schema, types, filters, units, row counts, no NaN or fill in
// published columns, stored digest equals recomputed digest. Empty means valid.
std::vector<TraceProblem> check_trace(const std::filesystem::path& path);

}  // namespace fabricast
