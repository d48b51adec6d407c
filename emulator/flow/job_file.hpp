// Jobs that share a machine, as a file: docs/flow.md, "A jobs file".
//
// Read strictly (strict_yaml.hpp): every mistake is one UsageError "file:line:col: key: problem".
// Ranks and links are resolved while it is read, so that a wrong name is told where it stands.
// Pure functions of text, machine and nothing else. Links and placements do not depend on what the
// links can carry, so no profile is needed.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/cost/forward_model.hpp"
#include "emulator/flow/flow_case.hpp"
#include "emulator/flow/flow_network.hpp"

namespace fabricast {

struct FlowJob {
  std::string name;
  Collective collective{};
  std::string algorithm;
  std::vector<Protocol> protocols;  // to choose from; empty: the executor's usual ones
  std::int64_t bytes = 0;           // nccl-tests size, as asked for
  std::int32_t channels = 0;        // 0: the executor's own rule
  std::int64_t start_ps = 0;
  std::string placement;      // packed, spread, random, rail_aligned, or "ranks" when listed
  std::vector<RankId> ranks;  // of the machine, by position
};

// From a time on a link has this part of its capacity.
struct LinkFault {
  std::int64_t at_ps = 0;
  double capacity = 1;               // 0: down, 1: whole
  std::string what;                  // "link leaf 0 rail 1 up", "nic 17"
  std::vector<std::uint32_t> links;  // of the network
};

struct JobFile {
  FlowChoice choice;
  std::vector<FlowJob> jobs;
  std::vector<LinkFault> faults;

  // The same as text, for /config: equal files mean equal text.
  std::string to_yaml() const;
};

JobFile parse_job_file(std::string_view text, const std::string& file,
                       std::shared_ptr<const Topology> topology);

// The changes of capacity that the faults are, given what the links have without them.
std::vector<CapacityChange> capacity_changes(const std::vector<LinkFault>& faults,
                                             const std::vector<FlowRate>& capacities);

}  // namespace fabricast
