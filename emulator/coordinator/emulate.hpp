// emulate: the ensemble of a scenario's points over MPI processes, gathered in a fixed order.
//
// Point i is evaluated by process i mod size; every result travels to rank 0 as text that round-trips
// exactly, also its own, so that the outcome is the same for any process count. Collective call.
#pragma once

#include <functional>
#include <vector>

#include "emulator/base/communicator.hpp"
#include "emulator/calibrate/calibrate.hpp"
#include "emulator/coordinator/scenario.hpp"

namespace fabricast {

struct EmulationStats {
  std::int64_t updates = 0;       // max-plus steps evaluated for the reported rows, all processes
  double engine_seconds = 0;      // summed over processes
  std::int64_t state_bytes = 0;   // largest of any evaluation
  std::string instruction_set;
};

struct Emulation {
  std::vector<Prediction> predictions;  // on rank 0, in the order of points_of(); empty elsewhere
  EmulationStats stats;
};

// `progress(done)` counts this process's points; may be empty. A failing point on one process is a
// one-sided error and throws there.
Emulation emulate(const Communicator& communicator, const Topology& topology,
                  const CalibrationProfile& profile, const Scenario& scenario,
                  const std::function<void()>& progress = {});

}  // namespace fabricast
