#include "emulator/coordinator/profile_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "emulator/base/error.hpp"
#include "emulator/coordinator/machine_identity.hpp"
#include "emulator/coordinator/trace_assembly.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

// A profile belongs to the machine that its trace holds, not to whatever has that name today.
void expect_same_machine(const TraceContent& content, const Topology& topology,
                         const std::string& trace) {
  const auto document = content.documents.find("/machine/" + topology.name());
  if (document == content.documents.end()) {
    throw UsageError(
        fmt::format("{} holds a profile of {} but not that machine (so nobody can "
                    "tell whether it is this one); calibrate its samples again",
                    trace, topology.name()));
  }
  // Whole machines are compared: both documents say nothing about --ranks.
  const auto measured = parse_machine(document->second, trace + ":/machine/" + topology.name());
  const auto present = parse_machine(topology.yaml(), topology.name());
  const std::string difference = machine_difference(*measured, *present);
  if (difference.empty()) return;
  throw UsageError(fmt::format(
      "the profile in {} is of another machine named {} ({}, there and here): give this machine a "
      "name of its own, so that only what a transfer rule names is carried to it",
      trace, topology.name(), difference));
}

// A version before this one had no such parameter: nothing was measured of it.
CalibrationProfile with_missing(CalibrationProfile profile, const CalibrationProfile& prior) {
  for (const ParameterValue& parameter : prior.parameters) {
    if (profile.find(parameter.spec.id) == nullptr) profile.parameters.push_back(parameter);
  }
  return profile;
}

}  // namespace

ProfileChoice choose_profile(const Topology& topology, ExecutorKind executor,
                             const std::vector<Protocol>& protocols, const std::string& trace) {
  auto prior = prior_profile(topology, executor, protocols);
  if (trace.empty()) return {std::move(prior), "prior"};
  const auto content = read_trace(trace);
  if (content.find("/profile") == nullptr) {
    throw UsageError(trace +
                     " holds no profile (it is not from `fabricast calibrate` or `run`); "
                     "calibrate its samples first");
  }
  const auto stored = profiles_of(content);
  const std::string origin = "content_digest " + content_digest(content);
  const bool named = std::any_of(stored.begin(), stored.end(), [&](const auto& profile) {
    return profile.machine == topology.name();
  });
  if (named) expect_same_machine(content, topology, trace);
  for (const auto& profile : stored) {
    if (profile.machine == topology.name() && profile.executor == executor) {
      return {with_missing(profile, prior), origin};
    }
  }
  std::string offered;
  for (const auto& profile : stored) {
    transfer(profile, prior);
    offered += " " + profile.machine + "/" + std::string(to_string(profile.executor));
  }
  const bool carried = std::any_of(prior.parameters.begin(), prior.parameters.end(),
                                   [](const auto& p) { return !p.transfer_rule.empty(); });
  if (!carried) {
    throw UsageError(trace + " holds profiles for" + offered +
                     ", and no transfer rule carries any of "
                     "their measured parameters to " +
                     topology.name() + "/" + std::string(to_string(executor)) +
                     "; leave --profile out to use the priors");
  }
  return {std::move(prior), origin};
}

}  // namespace fabricast
