#include "emulator/flow/flow_traffic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "emulator/base/contracts.hpp"
#include "emulator/base/counter_rng.hpp"
#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"

namespace fabricast {
namespace {

constexpr std::string_view placement_names[] = {"packed", "spread", "random", "rail_aligned"};

// All ranks in the order in which jobs take them.
std::vector<RankId> order_of(const RankSpace& space, JobPlacement placement, std::uint64_t seed) {
  const auto members = static_cast<std::size_t>(space.domain_size());
  const auto domains = static_cast<std::size_t>(space.size()) / members;
  std::vector<RankId> order;
  for (std::size_t i = 0; i < members * domains; ++i) {
    switch (placement) {
      case JobPlacement::packed:
      case JobPlacement::random:
        order.push_back(RankId::from(static_cast<std::int64_t>(i)));
        break;
      case JobPlacement::spread:
      case JobPlacement::rail_aligned:
        order.push_back(
            RankId::from(static_cast<std::int64_t>(i % domains * members + i / domains)));
        break;
    }
  }
  if (placement == JobPlacement::random) {
    for (std::size_t i = order.size(); i > 1; --i) {
      const auto other = random_int(seed, 0x706C6163, i, 0, static_cast<std::int64_t>(i) - 1);
      std::swap(order[i - 1], order[static_cast<std::size_t>(other)]);
    }
  }
  return order;
}

}  // namespace

std::string_view to_string(JobPlacement placement) {
  return placement_names[static_cast<std::size_t>(placement)];
}

JobPlacement placement_from_name(std::string_view name) {
  std::vector<std::string> known(std::begin(placement_names), std::end(placement_names));
  const auto found = std::find(known.begin(), known.end(), name);
  if (found == known.end()) throw UsageError(unknown_name_message("placement", name, known));
  return static_cast<JobPlacement>(found - known.begin());
}

std::vector<std::vector<RankId>> place_jobs(const RankSpace& space,
                                            const std::vector<std::int32_t>& sizes,
                                            JobPlacement placement, std::uint64_t seed) {
  const std::int64_t wanted = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  if (wanted > space.size()) {
    throw UsageError(
        fmt::format("the jobs have {} ranks together, the machine {}; make them smaller", wanted,
                    space.size()));
  }
  const auto order = order_of(space, placement, seed);
  const std::int64_t domains = space.size() / space.domain_size();
  std::vector<std::vector<RankId>> jobs;
  std::size_t next = 0;
  for (const std::int32_t size : sizes) {
    if (placement == JobPlacement::rail_aligned && size % domains != 0) {
      throw UsageError(
          fmt::format("a rail-aligned job of {} ranks has no equal part in each of {} "
                      "domains; take a multiple of {}",
                      size, domains, domains));
    }
    auto& job = jobs.emplace_back(order.begin() + static_cast<std::ptrdiff_t>(next),
                                  order.begin() + static_cast<std::ptrdiff_t>(next) + size);
    // A job numbers its ranks as the machine does, but for the two that are about its order.
    if (placement == JobPlacement::rail_aligned) std::sort(job.begin(), job.end());
    next += static_cast<std::size_t>(size);
  }
  return jobs;
}

AllPairs::AllPairs(const FlowNetwork& network, std::vector<RankId> ranks, std::int64_t bytes,
                   std::int64_t start_step_ps)
    : network_(network), ranks_(std::move(ranks)), bytes_(bytes), start_step_(start_step_ps) {
  FABRICAST_EXPECT(ranks_.size() >= 2, "a group of two or more");
}

std::int64_t AllPairs::size() const {
  const auto p = static_cast<std::int64_t>(ranks_.size());
  return p * (p - 1);
}

// Round by round: neighbouring numbers have different sources.
FlowStart AllPairs::flow(std::int64_t number) const {
  const auto p = static_cast<std::uint32_t>(ranks_.size());
  const auto at = static_cast<std::uint32_t>(number);
  const std::uint32_t from = at % p;
  const std::uint32_t to = (from + 1 + at / p) % p;
  return {number, start_step_ * number, bytes_, 1, network_.path(ranks_[from], ranks_[to], 0)};
}

FlowStart Incast::flow(std::int64_t number) const {
  const auto from = static_cast<std::size_t>(number) + 1;
  return {number, 0, bytes_, 1, network_.path(ranks_[from], ranks_[0], 0)};
}

PairwiseRounds::PairwiseRounds(const FlowNetwork& network, std::vector<std::vector<RankId>> jobs,
                               std::int64_t bytes, std::int32_t window, std::int64_t start_step_ps)
    : network_(network),
      jobs_(std::move(jobs)),
      bytes_(bytes),
      window_(window),
      start_step_(start_step_ps),
      job_ends_(jobs_.size(), 0) {
  std::int64_t tag = 0;
  for (const auto& job : jobs_) {
    FABRICAST_EXPECT(job.size() >= 2, "a group of two or more");
    first_tag_.push_back(tag);
    tag += static_cast<std::int64_t>(job.size() * (job.size() - 1));
  }
}

PairwiseRounds::Pair PairwiseRounds::pair_of(std::int64_t tag) const {
  const auto after = std::upper_bound(first_tag_.begin(), first_tag_.end(), tag);
  const auto job = static_cast<std::size_t>(after - first_tag_.begin() - 1);
  const auto p = static_cast<std::int64_t>(jobs_[job].size());
  const std::int64_t at = tag - first_tag_[job];
  return {job, at % p, at / p};
}

void PairwiseRounds::start(const Pair& pair, std::int64_t at_ps, FlowSimulator& simulator) {
  const auto& ranks = jobs_[pair.job];
  const auto p = static_cast<std::int64_t>(ranks.size());
  if (pair.round >= p - 1) return;
  const RankId from = ranks[static_cast<std::size_t>(pair.position)];
  const RankId to = ranks[static_cast<std::size_t>((pair.position + 1 + pair.round) % p)];
  const auto living = network_.living_path(from, to, 0, simulator.solver());
  simulator.start({first_tag_[pair.job] + pair.round * p + pair.position, at_ps, bytes_, 1,
                   living ? *living : network_.path(from, to, 0)});
}

void PairwiseRounds::begin(FlowSimulator& simulator) {
  std::int64_t position = 0;
  for (std::size_t job = 0; job < jobs_.size(); ++job) {
    for (std::int64_t x = 0; x < static_cast<std::int64_t>(jobs_[job].size()); ++x, ++position) {
      for (std::int64_t k = 0; k < window_; ++k)
        start({job, x, k}, start_step_ * position, simulator);
    }
  }
}

void PairwiseRounds::ended(std::int64_t tag, std::int64_t now_ps, FlowSimulator& simulator) {
  Pair pair = pair_of(tag);
  job_ends_[pair.job] = now_ps;
  pair.round += window_;
  start(pair, now_ps, simulator);
}

std::optional<FlowPath> PairwiseRounds::detour(std::int64_t tag, std::uint32_t,
                                               const FlowSimulator& simulator) {
  const Pair pair = pair_of(tag);
  const auto& ranks = jobs_[pair.job];
  const auto p = static_cast<std::int64_t>(ranks.size());
  return network_.living_path(ranks[static_cast<std::size_t>(pair.position)],
                              ranks[static_cast<std::size_t>((pair.position + 1 + pair.round) % p)],
                              0, simulator.solver());
}

}  // namespace fabricast
