// Some ranks of a machine as a machine of their own: what a job sees that was placed somewhere.
//
// Rank i is the i-th one given; links, link classes and routes are the whole machine's, so what two
// selections load can be added up link by link. The space has the domains of the machine where the
// ranks come domain by domain, equally many of each; otherwise every rank counts as a domain of its
// own (algorithms that need equal domains are then not offered).
// Immutable; thread safe; keeps the whole machine alive. route() as there, plus O(1).
#pragma once

#include <memory>
#include <vector>

#include "topologies/model/topology.hpp"

namespace fabricast {

class RankSelection final : public Topology {
 public:
  // At least one rank, each once.
  RankSelection(std::shared_ptr<const Topology> whole, std::vector<RankId> ranks);

  std::int64_t links() const override { return whole_->links(); }
  LinkClassId link_class(LinkId link) const override { return whole_->link_class(link); }
  std::string link_name(LinkId link) const override { return whole_->link_name(link); }
  Route route(RankId a, RankId b) const override {
    return whole_->route(selected_[a.value()], selected_[b.value()]);
  }
  std::int32_t node_of(RankId rank) const override {
    return whole_->node_of(selected_[rank.value()]);
  }
  bool has_parts_of_nodes() const override { return whole_->has_parts_of_nodes(); }
  int kind_of(RankId rank) const override { return whole_->kind_of(selected_[rank.value()]); }
  int kinds() const override { return whole_->kinds(); }

  // Which of the machine's ranks they are.
  const std::vector<RankId>& selected() const { return selected_; }
  // How many of its domains they are in.
  std::int32_t domains_touched() const { return domains_touched_; }

 private:
  std::shared_ptr<const Topology> whole_;
  std::vector<RankId> selected_;
  std::int32_t domains_touched_ = 0;
};

}  // namespace fabricast
