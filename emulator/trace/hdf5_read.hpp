// Reading a trace file, possibly a damaged or hostile one.
//
// Nothing is trusted: only hard links, chunked datasets, our three filters, fixed-length strings
// and sizes that the stored bytes could decode to are followed; everything else throws before
// memory is allocated for it. Throws IoError (cannot be opened, not HDF5, not a trace) and
// CheckError (a trace, but damaged).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "emulator/trace/table.hpp"
#include "emulator/trace/trace_file.hpp"

namespace fabricast::hdf5 {

struct RawTrace {
  TraceContent content;                // root attributes as stored, the writer's own included
  std::vector<TraceProblem> problems;  // readable, but not as the format wants it
  bool has_summary = false;
  std::vector<char> summary;  // raw rows of /summary
  std::size_t summary_row_bytes = 0;
};

RawTrace read_raw(const std::filesystem::path& path, Author author = Author::anyone);

}  // namespace fabricast::hdf5
