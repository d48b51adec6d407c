// A scenario: everything that decides the numbers of an emulation, echoed into the trace.
//
// Value type. to_yaml() is the effective scenario as /config stores it; equal scenarios give equal
// text, and config_digest is its SHA-256.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/cost/forward_model.hpp"
#include "emulator/schedule/collective.hpp"

namespace fabricast {

struct Scenario {
  std::string machine;                   // name, as in the machine file
  std::int32_t ranks = 0;
  ExecutorKind executor = ExecutorKind::nccl;
  std::vector<Collective> collectives;
  std::vector<std::string> algorithms;   // empty: every algorithm that applies
  std::vector<Protocol> protocols;       // empty: the one with the smallest predicted time per row
  std::vector<std::int64_t> sizes;       // nccl-tests bytes
  std::int32_t element_bytes = 4;
  std::int32_t channels = 0;             // 0: the machine's
  std::int32_t max_slices = 0;           // 0: the protocol's rule
  bool fold = true;
  std::string profile;                   // "prior", or the digest of the trace it came from

  std::string to_yaml() const;
};

// The protocols that a row may have: those the executor has for the algorithm, as far as the scenario
// allows them.
std::vector<Protocol> protocols_for(const Scenario& scenario, Collective collective,
                                    const std::string& algorithm);

// Every (collective, algorithm, size) that the scenario asks for and the machine allows; protocols
// are a choice inside a point. Throws UsageError if an explicitly named algorithm fits nothing.
struct ScenarioPoint {
  Collective collective{};
  std::string algorithm;
  std::int64_t bytes = 0;
};
std::vector<ScenarioPoint> points_of(const Scenario& scenario, const Topology& topology);

}  // namespace fabricast
