// Which profile predicts a machine: the priors, or one carried over from a calibrated trace.
#pragma once

#include <string>
#include <vector>

#include "emulator/calibrate/calibrate.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

struct ProfileChoice {
  CalibrationProfile profile;
  std::string origin;  // Scenario::profile: "prior" or "content_digest HEX"
};

// `trace` empty: the machine's priors. Otherwise the profile in that trace for this machine and
// executor, or the priors updated by what may be transferred from the trace's other profiles.
// Parameters of `protocols` that a profile of an older version lacks are at their priors. Throws
// UsageError when the trace has no profile, when nothing of it applies to this machine, or
// when the trace's machine of this name has other figures (machine_identity.hpp).
ProfileChoice choose_profile(const Topology& topology, ExecutorKind executor,
                             const std::vector<Protocol>& protocols, const std::string& trace);

}  // namespace fabricast
