// What nccl-tests wrote, as read from its text or its JSON: runs of one collective, row by row.
//
// Plain data: nothing is judged here. nccl_tests_log.hpp and nccl_tests_json.hpp fill it,
// nccl_tests_samples.hpp says which rows are evidence. Lines are counted from 1. Times are us,
// rates GB/s = 1e9 B/s, sizes bytes, as nccl-tests defines them (doc/PERFORMANCE.md). Value types.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fabricast {

// A number with the precision it was printed with: what the program held lies within half_unit.
struct PrintedNumber {
  double value = 0;
  double half_unit = 0;

  bool operator==(const PrintedNumber&) const = default;
};

struct NcclTestsTiming {
  bool in_place = false;
  PrintedNumber time_us, algbw, busbw;
  std::optional<double> wrong;  // elements; empty: not checked, or a version that printed an error

  bool operator==(const NcclTestsTiming&) const = default;
};

struct NcclTestsRow {
  std::int64_t line = 0;
  std::int64_t bytes = 0;
  std::string dtype;  // "float", "half", "bfloat16", ...
  std::string redop;  // "sum", ...; empty or "none": there is none
  std::int32_t root = -1;
  std::vector<NcclTestsTiming> timings;  // out of place, then in place; one of them may be missing

  bool operator==(const NcclTestsRow&) const = default;
};

struct NcclTestsDevice {
  std::int32_t rank = 0;
  std::int32_t group = 0;
  std::string host;
  std::string name;  // "NVIDIA H100 80GB HBM3"

  bool operator==(const NcclTestsDevice&) const = default;
};

// What NCCL says it chose (NCCL_DEBUG_SUBSYS=TUNING): "AllReduce: 8 Bytes -> Algo RING proto LL".
struct NcclChoice {
  std::string algorithm, protocol;  // "ring", "ll"
  std::int32_t channels = 0;        // 0: not said

  bool operator==(const NcclChoice&) const = default;
};

struct NcclTestsRun {
  std::int64_t line = 0;      // where it begins
  std::string stream;         // label of the process that wrote it (mpirun, srun), or empty
  std::string program;        // "all_reduce_perf" where the text says so
  std::string tests_version;  // of nccl-tests
  std::string nccl_version;   // "2.21.5"
  bool rccl = false;          // both are AMD's: rccl-tests and RCCL
  std::vector<NcclTestsDevice> devices;
  bool devices_cut = false;  // nccl-tests cut its own list of devices
  // Of the options; -1: not said.
  std::int32_t iterations = -1, warmup = -1, aggregated = -1, graph = -1, validation = -1;
  bool blocking = false;
  bool cpu_time = false;  // the time column is the CPU's (-C)
  bool failed = false;    // the run's own check failed ("Out of bounds values : n FAILED")
  bool complete = false;  // its last lines are there
  std::map<std::string, std::string> environment;  // NCCL_* that were set for it
  // By NCCL's name of the collective and bytes.
  std::map<std::pair<std::string, std::int64_t>, NcclChoice> choices;
  std::vector<NcclTestsRow> rows;

  bool operator==(const NcclTestsRun&) const = default;
};

struct RefusedLine {
  std::int64_t line = 0;
  std::string reason;

  bool operator==(const RefusedLine&) const = default;
};

struct NcclTestsOutput {
  std::string file;                // its name, as given
  std::vector<NcclTestsRun> runs;  // in order of their first line; without those that have nothing
  std::vector<RefusedLine> refused;
  std::int64_t lines = 0;          // in the file
  std::int64_t library_lines = 0;  // of NCCL's own log
  std::int64_t unknown_lines = 0;  // neither nccl-tests' nor NCCL's, and not blank
  bool cut = false;                // the file ends in the middle of a line

  bool operator==(const NcclTestsOutput&) const = default;
};

}  // namespace fabricast
