// nccl-tests logs as samples of a machine: read, matched with the machine, judged row by row.
//
// A log is of the machine file it is given with: as many GPUs per host as a node (or tray) of it,
// whole nodes, the GPU's model. What does not fit is refused with the reason, because a fit would
// charge the difference to parameters that have nothing to do with it. Pure functions; the files'
// text is given. O(rows x conditions).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "emulator/profile/nccl_tests_run.hpp"
#include "emulator/profile/nccl_tests_samples.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

struct LogText {
  std::string file, text;
};

struct ImportedRun {
  NcclTestsShape shape;
  std::string file, description;
  std::int64_t line = 0;
  int rows = 0;
  ImportCount count;
  std::int64_t min_bytes = 0, max_bytes = 0;  // of all rows that move something
};

struct ImportedFile {
  std::string file, sha256;
  std::int64_t lines = 0, library_lines = 0, unknown_lines = 0;
  bool cut = false;
  std::vector<RefusedLine> refused;  // by line; a refused run is one entry
};

struct ImportedLogs {
  SampleSet samples;
  std::vector<ImportedFile> files;
  std::vector<ImportedRun> runs;
};

// Empty, or why a run is not of this machine.
std::string machine_problem(const NcclTestsShape& shape,
                            const std::shared_ptr<const Topology>& machine);

// `machine` may be null: then nothing is matched, and the samples are of machine "". Throws
// UsageError for a file that is JSON, but not nccl-tests', and for a text that is given twice.
ImportedLogs import_logs(const std::vector<LogText>& texts,
                         const std::shared_ptr<const Topology>& machine, const ImportRules& rules);

}  // namespace fabricast
