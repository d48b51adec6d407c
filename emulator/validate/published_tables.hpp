// Published collective tables: a directory with index.csv and one CSV per row of it.
//
// index.csv names at least file, system, gpu, gpus_total, nodes, intra_link, inter_link,
// nic_per_gpu_gbps, collective, dtype, nccl_version, env_flags, notes, confidence, system_class;
// a table has size_bytes, time_us, busbw_gbps and the same of inplace_. Times here are
// microseconds, sizes nccl-tests sizes in bytes, GB/s = 1e9 B/s. Throws IoError and UsageError
// naming file and line. Not thread safe.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "emulator/schedule/collective.hpp"

namespace fabricast {

struct PublishedPoint {
  double bytes = 0;
  double time_us = 0;  // the smaller of out of place and in place; the first row may hold set-up
};

struct PublishedTable {
  std::map<std::string, std::string> row;  // of index.csv, by column
  Collective collective = Collective::all_reduce;
  int ranks = 0, nodes = 0;
  std::vector<PublishedPoint> points;  // by size, each size once
  int untimed_rows = 0;                // left out: no size, or no time, that is a number above 0
  std::string problem;                 // why the table cannot be read, or empty

  const std::string& column(const std::string& name) const;
  bool low_confidence() const { return column("confidence") == "low"; }
};

// Rows of a CSV after RFC 4180, the header included.
std::vector<std::vector<std::string>> read_csv(const std::filesystem::path& path);

// Every row of the index, in its order. A row whose table is missing or unreadable has a problem.
std::vector<PublishedTable> read_published_tables(const std::filesystem::path& directory);

}  // namespace fabricast
