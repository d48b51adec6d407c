#include "emulator/cost/loop_overlap.hpp"

#include <algorithm>
#include <numeric>

namespace fabricast {
namespace {

// The first stage that has a role in common with each stage, by way of others also.
std::vector<std::size_t> first_related(const std::vector<std::vector<std::uint8_t>>& senders) {
  std::vector<std::size_t> first(senders.size());
  std::iota(first.begin(), first.end(), std::size_t{0});
  for (std::size_t s = 0; s < senders.size(); ++s) {
    for (std::size_t before = 0; before < s; ++before) {
      const bool related =
          std::find_first_of(senders[s].begin(), senders[s].end(), senders[before].begin(),
                             senders[before].end()) != senders[s].end();
      if (!related || first[s] == first[before]) continue;
      const std::size_t kept = std::min(first[s], first[before]);
      const std::size_t other = std::max(first[s], first[before]);
      std::replace(first.begin(), first.end(), other, kept);
    }
  }
  return first;
}

}  // namespace

LoopOverlap::LoopOverlap(const std::vector<ChannelGroup>& groups, std::int32_t loops)
    : loops_(std::min(loops, many_loops)) {
  std::vector<std::vector<std::uint8_t>> senders(groups.front().schedule->stages.size());
  for (const Stage& stage : groups.front().schedule->stages) repeat_.push_back(stage.repeat);
  for (const ChannelGroup& group : groups) {
    for (std::size_t s = 0; s < senders.size(); ++s) {
      for (const PhaseGroup& phases : group.schedule->stages[s].groups) {
        for (const Phase& phase : phases.phases) {
          if (phase.peer_out.exists()) senders[s].push_back(phase.role);
        }
      }
    }
  }
  const std::vector<std::size_t> first = first_related(senders);
  std::int32_t sections = 0;
  for (std::size_t s = 0; s < senders.size(); ++s) {
    if (senders[s].empty()) {
      section_.push_back(-1);
    } else {
      section_.push_back(first[s] == s ? sections++ : section_[first[s]]);
    }
  }
  totals_.resize(static_cast<std::size_t>(sections));
}

void LoopOverlap::add(std::size_t stage, const LinkCounts& counts) {
  if (section_[stage] < 0) return;
  auto& total = totals_[static_cast<std::size_t>(section_[stage])];
  total.resize(counts.flows.size(), 0);
  for (std::size_t i = 0; i < total.size(); ++i) total[i] += counts.flows[i] * repeat_[stage];
}

std::vector<std::int64_t> LoopOverlap::flows(std::size_t stage, const LinkCounts& counts) const {
  __extension__ using Wide = __int128;
  if (section_[stage] < 0 || loops() == 1) return counts.flows;
  const auto& own = totals_[static_cast<std::size_t>(section_[stage])];
  std::vector<std::int64_t> flows = counts.flows;
  for (std::size_t i = 0; i < flows.size(); ++i) {
    if (flows[i] == 0) continue;
    std::int64_t sections = 0, all = 0;
    for (const auto& total : totals_) {
      sections += total[i] > 0 ? 1 : 0;
      all += total[i];
    }
    const std::int64_t met = loops_ < many_loops ? loops_ - 1 : 1;
    const std::int64_t turns = loops_ < many_loops ? loops_ + sections - 1 : 1;
    const Wide added = Wide{flows[i]} * (all - own[i]) * met;
    const Wide parts = Wide{own[i]} * turns;
    flows[i] += static_cast<std::int64_t>((added + parts - 1) / parts);
  }
  return flows;
}

}  // namespace fabricast
