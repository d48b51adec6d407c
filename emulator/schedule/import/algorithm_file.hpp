// An algorithm file among the algorithms of a sweep: what it holds, and how its rows are called.
//
// The file decides collective, ranks, channels and protocol. Value type; pure functions.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/schedule/import/file_program.hpp"

namespace fabricast {

struct AlgorithmFile {
  std::string path;    // as given: messages name it
  std::string digest;  // SHA-256 of its content, as whoever read the file computed it
  std::string label;   // what rows call the algorithm; see label_files()
  ImportedSchedule imported;

  const Schedule& schedule() const { return *imported.schedule; }
  std::int32_t ranks() const { return schedule().positions(); }
  Collective collective() const { return schedule().collective; }
};

using AlgorithmFiles = std::vector<std::shared_ptr<const AlgorithmFile>>;

// By the end of the name: .json is MSCCL++, everything else MSCCL XML. UsageError "file:line: why".
ImportedSchedule read_algorithm_file(std::string_view text, const std::string& path);

// The algorithm's name as the file has it. A name of our own ("ring", "nccl") becomes "file:ring",
// and a name that an earlier file has "NAME#2": rows with one label have one schedule.
void label_files(std::vector<AlgorithmFile>& files);

}  // namespace fabricast
