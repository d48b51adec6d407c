#include "topologies/model/rank_selection.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "emulator/base/contracts.hpp"

namespace fabricast {
namespace {

std::uint32_t domain_of(const Topology& whole, RankId rank) {
  return rank.value() / static_cast<std::uint32_t>(whole.space().domain_size());
}

// Ranks of each domain, where they come domain by domain and equally many; otherwise 1.
std::size_t equal_part(const Topology& whole, const std::vector<RankId>& ranks) {
  const auto same = [&](std::size_t a, std::size_t b) {
    return domain_of(whole, ranks[a]) == domain_of(whole, ranks[b]);
  };
  std::size_t part = 1;
  while (part < ranks.size() && same(0, part)) ++part;
  if (ranks.size() % part != 0) return 1;
  std::set<std::uint32_t> seen;
  for (std::size_t first = 0; first < ranks.size(); first += part) {
    if (!seen.insert(domain_of(whole, ranks[first])).second) return 1;
    for (std::size_t i = 1; i < part; ++i) {
      if (!same(first, first + i)) return 1;
    }
  }
  return part;
}

}  // namespace

RankSelection::RankSelection(std::shared_ptr<const Topology> whole, std::vector<RankId> ranks)
    : whole_(std::move(whole)), selected_(std::move(ranks)) {
  FABRICAST_EXPECT(!selected_.empty(), "a selection of ranks");
  std::set<std::uint32_t> each, domains;
  for (const RankId rank : selected_) {
    FABRICAST_EXPECT(rank.value() < static_cast<std::uint32_t>(whole_->ranks()) &&
                         each.insert(rank.value()).second,
                     "ranks of the machine, each once");
    domains.insert(domain_of(*whole_, rank));
  }
  domains_touched_ = static_cast<std::int32_t>(domains.size());
  name_ = whole_->name();
  title_ = whole_->title();
  fabric_ = whole_->fabric();
  yaml_ = whole_->yaml();
  gpu_ = whole_->gpu();
  channels_ = whole_->channels();
  classes_ = whole_->link_classes();
  const auto part = static_cast<std::int32_t>(equal_part(*whole_, selected_));
  const auto count = static_cast<std::int32_t>(selected_.size());
  space_ = part == count ? RankSpace{count} : RankSpace{part, count / part};
}

}  // namespace fabricast
