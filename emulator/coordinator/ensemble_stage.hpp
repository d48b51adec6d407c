// The ensembles of some points, their members spread over MPI processes.
//
// A unit of work is members_per_pass members of one point; process r takes every size-th unit. A
// member's time is a pure function of its number, so the outcome is the same for any process count.
// Keeps plans and traffic between calls. Not thread safe; the topology must outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "emulator/base/communicator.hpp"
#include "emulator/coordinator/scenario.hpp"
#include "emulator/cost/case_builder.hpp"

namespace fabricast {

class FactorTable;

using MemberTimes = std::vector<std::int64_t>;  // ps, by member

class EnsembleStage {
 public:
  EnsembleStage(const Topology& topology, const ParameterValues& values, const Scenario& scenario);

  // Collective call; every process has the same points. On rank 0 one entry per point: its members,
  // or fewer after a signal to stop (base/stop.hpp); elsewhere empty.
  std::vector<MemberTimes> run(const Communicator& communicator,
                               const std::vector<PointSpec>& points);

 private:
  CaseBuilder builder_;
  ParameterValues values_;
  const EnsembleChoice& choice_;
  std::shared_ptr<const FactorTable> table_;
};

}  // namespace fabricast
