// Who sends to whom: the traffic of collectives and jobs, as flows of a FlowNetwork.
//
// Lists are functions of the flow's number (flow_classes.hpp can fold them); drivers start a flow
// when another one ends. Pure times of the fabric: latency and the cost of steps are the business
// of schedule_flows.hpp. Ranks are those of the machine; `ranks` of a job is its placement:
// position -> rank.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "emulator/flow/flow_classes.hpp"
#include "emulator/flow/flow_network.hpp"

namespace fabricast {

// How several jobs share a machine.
enum class JobPlacement : std::uint8_t {
  packed,        // one after the other, domain by domain
  spread,        // member i of a job is in domain i mod domains: as many domains as possible
  random,        // seeded permutation of all ranks
  rail_aligned,  // each job has the same local members in every domain it uses
};
std::string_view to_string(JobPlacement placement);
JobPlacement placement_from_name(std::string_view name);  // throws UsageError with a did-you-mean

// Ranks of each job, disjoint. Throws UsageError when they do not fit.
std::vector<std::vector<RankId>> place_jobs(const RankSpace& space,
                                            const std::vector<std::int32_t>& sizes,
                                            JobPlacement placement, std::uint64_t seed);

// Every ordered pair of one group, all at once (p (p - 1) flows), or flow number i delayed by
// start_step_ps * i.
class AllPairs final : public FlowList {
 public:
  AllPairs(const FlowNetwork& network, std::vector<RankId> ranks, std::int64_t bytes,
           std::int64_t start_step_ps = 0);
  std::int64_t size() const override;
  FlowStart flow(std::int64_t number) const override;

 private:
  const FlowNetwork& network_;
  std::vector<RankId> ranks_;
  std::int64_t bytes_, start_step_;
};

// All others of a group to its first.
class Incast final : public FlowList {
 public:
  Incast(const FlowNetwork& network, std::vector<RankId> ranks, std::int64_t bytes)
      : network_(network), ranks_(std::move(ranks)), bytes_(bytes) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(ranks_.size()) - 1; }
  FlowStart flow(std::int64_t number) const override;

 private:
  const FlowNetwork& network_;
  std::vector<RankId> ranks_;
  std::int64_t bytes_;
};

// All-to-all in rounds, several jobs at once: position x sends to x + 1, x + 2 ... of its job,
// never more than `window` at a time; the next when one ends. Position x begins at x *
// start_step_ps. A flow that meets a dead link takes the network's next living path, or waits.
class PairwiseRounds final : public FlowDriver {
 public:
  PairwiseRounds(const FlowNetwork& network, std::vector<std::vector<RankId>> jobs,
                 std::int64_t bytes, std::int32_t window, std::int64_t start_step_ps = 0);
  void begin(FlowSimulator& simulator);
  void ended(std::int64_t tag, std::int64_t now_ps, FlowSimulator& simulator) override;
  std::optional<FlowPath> detour(std::int64_t tag, std::uint32_t link,
                                 const FlowSimulator& simulator) override;
  // When the last flow of each job ended.
  const std::vector<std::int64_t>& job_ends() const { return job_ends_; }

 private:
  struct Pair {
    std::size_t job = 0;
    std::int64_t position = 0, round = 0;
  };
  Pair pair_of(std::int64_t tag) const;
  void start(const Pair& pair, std::int64_t at_ps, FlowSimulator& simulator);

  const FlowNetwork& network_;
  std::vector<std::vector<RankId>> jobs_;
  std::int64_t bytes_;
  std::int32_t window_;
  std::int64_t start_step_;
  std::vector<std::int64_t> first_tag_;  // by job
  std::vector<std::int64_t> job_ends_;
};

}  // namespace fabricast
