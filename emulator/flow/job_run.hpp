// Jobs side by side on one network, and each of them alone: what the others cost it.
//
// Every job is simulated twice: beside the others, and on the machine without them (with the same
// faults at the same times). Times count from the job's own start and include its launch. Pure;
// memory and time of schedule_flows.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/flow/flow_case.hpp"
#include "emulator/flow/flow_network.hpp"

namespace fabricast {

struct PreparedJob {
  PointSpec point;
  const CollectiveCase* made = nullptr;  // of the job's own ranks (RankSelection)
  std::vector<RankId> ranks;             // of the machine
  std::int64_t start_ps = 0;
};

struct BusyLink {
  std::uint32_t link = 0;
  std::int64_t wire_bytes = 0;  // of all jobs
  double utilization = 0;       // of the nominal capacity, until the last job ends
  std::int32_t jobs = 0;        // that send over it when alone
};

struct JobTime {
  SimDuration beside, alone;
  std::vector<StageSpan> stages;  // beside the others: channel that ends last, after the launch
  std::int32_t slowest_channel = 0;
  std::vector<LinkLoad> loads;                          // its own
  std::vector<BusyLink> busiest;                        // of the links it uses, busiest first
  std::int64_t flows = 0, events = 0, state_bytes = 0;  // of it alone
  double engine_seconds = 0;
};

struct JobRun {
  std::vector<JobTime> jobs;
  FlowStats stats;  // of all together
  double engine_seconds = 0;
};

inline constexpr std::size_t busy_links_listed = 4;  // per job

// `nominal`: by link class. Throws UsageError for schedules that are no flows, and when flows wait
// for ever.
JobRun run_jobs(const FlowNetwork& network, const std::vector<Bandwidth>& nominal,
                const std::vector<PreparedJob>& jobs, const std::vector<CapacityChange>& changes);

}  // namespace fabricast
