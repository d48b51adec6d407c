#include "emulator/coordinator/profile_choice.hpp"

#include <algorithm>

#include "emulator/base/error.hpp"
#include "emulator/coordinator/trace_assembly.hpp"

namespace fabricast {

CalibrationProfile choose_profile(const Topology& topology, ExecutorKind executor,
                                  const std::string& trace) {
  auto prior = prior_profile(topology, executor);
  if (trace.empty()) return prior;
  const auto content = read_trace(trace);
  if (content.find("/profile") == nullptr) {
    throw UsageError(trace + " holds no profile (it is not from `fabricast calibrate` or `run`); "
                             "calibrate its samples first");
  }
  const auto stored = profiles_of(content);
  for (const auto& profile : stored) {
    if (profile.machine == topology.name() && profile.executor == executor) return profile;
  }
  std::string offered;
  for (const auto& profile : stored) {
    transfer(profile, prior);
    offered += " " + profile.machine + "/" + std::string(to_string(profile.executor));
  }
  const bool carried = std::any_of(prior.parameters.begin(), prior.parameters.end(),
                                   [](const auto& p) { return !p.transfer_rule.empty(); });
  if (!carried) {
    throw UsageError(trace + " holds profiles for" + offered + ", and no transfer rule carries any of "
                     "their measured parameters to " + topology.name() + "/" +
                     std::string(to_string(executor)) + "; leave --profile out to use the priors");
  }
  return prior;
}

}  // namespace fabricast
