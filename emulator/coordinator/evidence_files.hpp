// Samples of several files as one set: traces, and folders of traces such as a campaign's.
//
// A folder means its files NAME.h5 in the order of their names; those without samples are passed over,
// but a folder without any is a UsageError. Machines of one name must be one machine. Conditions stay
// apart, file by file: the same condition measured twice is two observations. Pure but for reading.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "emulator/profile/sample.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

struct Evidence {
  SampleSet samples;
  std::map<std::string, std::string> machines;  // name -> machine file, as the traces have it
  std::vector<std::string> files;               // that held samples
  std::string backend;                          // of the files; several: joined by "+"
};

// Throws UsageError, and what read_trace throws.
Evidence read_evidence(const std::vector<std::string>& paths);

// The machine as the files have it; otherwise a machine that ships with fabricast.
std::shared_ptr<const Topology> machine_of(const Evidence& evidence, const std::string& name);

}  // namespace fabricast
