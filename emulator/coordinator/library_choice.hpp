// What NCCL itself would run on a machine: its choice (emulator/nccl) in the terms of our rows.
//
// One communicator of all the machine's ranks, as `fabricast explain` has it: milliseconds to make,
// 0.8 s for a rack of 72. Const after construction, thread safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "emulator/calibrate/calibrate.hpp"
#include "emulator/cost/protocol.hpp"
#include "emulator/nccl/choice.hpp"
#include "emulator/nccl/time_mechanism.hpp"
#include "emulator/nccl/time_shape.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

struct LibraryPoint {
  std::string name;       // as the library says it: "NVLSTree", "SendRecv"
  std::string algorithm;  // of the catalogue; find_algorithm may know none for the collective
  // Nothing for sends and receives: LL or Simple goes by message and connection, the faster is
  // taken.
  std::optional<Protocol> protocol;
  std::int32_t channels = 0;  // that work; 0: as many as the machine has for sends and receives
  std::int32_t threads = 0;   // per channel
  double tuner_us = 0;        // the library's own estimate, with which it chose; 0: it makes none
  double closed_us = 0;       // the closed time model at its priors (emulator/nccl/time_model.hpp)
};

class NcclChooser {
 public:
  // `set`: NCCL's variables, NAME=VALUE. UsageError for bad ones, and for machines whose GPUs NCCL
  // does not run on.
  NcclChooser(const Topology& machine, const nccl::Version& version,
              const std::vector<std::string>& set);

  // float32, sum. UsageError where `set` leaves nothing.
  LibraryPoint choose(Collective collective, std::int64_t bytes) const;
  std::string title() const;  // "NCCL 2.28.9", with the variables that are set
  std::string to_yaml() const;

 private:
  nccl::Communicator communicator_;
  TimeShape shape_;
  MechanismValues values_{};
};

// What NCCL takes on a communicator, without the closed model's time.
LibraryPoint library_point(const nccl::Communicator& communicator, Collective collective,
                           std::int64_t bytes);

// For calibrate: the choice of NCCL's default version with default variables, as `emulate -a auto`
// without more has it. Sends and receives, whose protocol no version tells, and machines whose GPUs
// run another library are left to the model. Keeps a communicator per machine; not thread safe.
LibraryRule library_rule();

// NAME=VALUE of NCCL's variables among other settings.
bool is_library_variable(const std::string& item);
nccl::Overrides library_overrides(const std::vector<std::string>& set);

// A version whose constants are known or lie between two that are (docs/nccl-choice.md). UsageError
// with the known ones for older and newer versions.
nccl::Version library_version(const std::string& text);

// The name of the collective library that runs on the machine's GPUs: "nccl", "rccl", "xla" ...
std::string library_of(const Topology& machine);

}  // namespace fabricast
