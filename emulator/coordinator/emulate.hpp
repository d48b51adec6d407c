// emulate: the ensemble of a scenario's points over MPI processes, batch by batch.
//
// A batch is a run of points that are not done yet; process r evaluates every size-th of them.
// Every result travels to rank 0 as text that round-trips exactly, also its own, so that the
// outcome is the same for any process count and batch size. Batches grow until one takes about
// `batch_seconds`: that is what an interruption can cost, unless a single point takes longer.
// Within a batch the points that took longest last time go first, each to the process with the
// least to do. A single point that is left is evaluated by all processes together, which divides
// its long rings (sim/ring_team.hpp); so are points of an unfolded emulation that are fewer than
// the processes. With jitter, the members of a batch's ensembles are spread over the processes as
// well (ensemble_stage.hpp). Collective call.
#pragma once

#include <functional>
#include <vector>

#include "emulator/base/communicator.hpp"
#include "emulator/calibrate/calibrate.hpp"
#include "emulator/coordinator/ensemble_stage.hpp"
#include "emulator/coordinator/scenario.hpp"

namespace fabricast {

struct EmulationStats {
  std::int64_t updates = 0;      // max-plus steps evaluated for the reported rows, all processes
  double engine_seconds = 0;     // summed over processes
  std::int64_t state_bytes = 0;  // largest of any evaluation
  std::string instruction_set;
  std::int64_t flows = 0, flow_events = 0;  // of the flow engine
};

inline constexpr double batch_seconds = 0.5;

// What rank 0 does with the points of an emulation. Other processes' are never called.
struct EmulationSink {
  std::function<bool(std::size_t point)> done;  // known from an earlier run; empty: none is
  // After each batch, with points in ascending order; with jitter, also the members of each. What
  // it throws, every process throws (AgreedError). Empty: nothing.
  std::function<void(const std::vector<std::size_t>& points, const std::vector<Prediction>&,
                     const std::vector<MemberTimes>&)>
      take;
};

struct Emulation {
  std::vector<Prediction>
      predictions;                   // on rank 0, of the points that were not done, in the order
                                     // of points_of(); empty elsewhere; steps only without a sink
  std::vector<MemberTimes> members;  // of each, with jitter
  EmulationStats stats;
};

// `progress(done)` counts this process's points; may be empty. A failing point on one process is a
// one-sided error and throws there. After a signal to stop (base/stop.hpp) a batch ends early.
Emulation emulate(const Communicator& communicator, const Topology& topology,
                  const CalibrationProfile& profile, const Scenario& scenario,
                  const EmulationSink& sink = {}, const std::function<void()>& progress = {});

}  // namespace fabricast
