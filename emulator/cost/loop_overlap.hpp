// Stages that share links because their lanes are at different loops.
//
// Lanes go through the loops on their own: while one puts loop n + 1 into a domain's ring, another
// takes loop n out of it. Stages with a sending role in common follow each other in every loop;
// they are a section. Different sections work at the same time on all loops but the first and the
// last: of L loops through k sections a link is free of the others for (k - 1) turns of L + k - 1.
// So a section with t messages on a link, where all have T, has flows t + (T - t)(L - 1) / (L + k -
// 1) for its t (docs/semantics.md 5), and k equal ones together are on the link for L T. From
// `many_loops` on the ends are left out. Not thread safe; O(links * stages).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "emulator/cost/stage_flows.hpp"

namespace fabricast {

class LoopOverlap {
 public:
  static constexpr std::int32_t many_loops = 64;

  LoopOverlap(const std::vector<ChannelGroup>& groups, std::int32_t loops);

  // Are there several sections?
  bool any_sections() const { return totals_.size() > 1; }
  // What decides the flows: equal for plans of equal shape and flows. 1: no loop meets another.
  std::int32_t loops() const { return any_sections() ? loops_ : 1; }
  // Before flows(), once for every stage.
  void add(std::size_t stage, const LinkCounts& counts);
  // By link, those of a stage as its lanes meet them.
  std::vector<std::int64_t> flows(std::size_t stage, const LinkCounts& counts) const;

 private:
  std::int32_t loops_;
  std::vector<std::int64_t> repeat_;
  std::vector<std::int32_t> section_;              // by stage; -1: it sends nothing
  std::vector<std::vector<std::int64_t>> totals_;  // by section and link: flows of all repetitions
};

}  // namespace fabricast
