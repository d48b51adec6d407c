// Flows that are symmetric to each other, folded into one: exact, and checked.
//
// A partition of flows and links is equitable when links of a class have equal capacity and as many
// flows of each flow class, and flows of a class have equal start and bytes and cross as many links
// of each link class. Then rates and ends are equal within classes, by symmetry of the allocation
// (max_min.hpp), and the quotient, one link and one member per class with the counts of the
// partition, has the same ends as the whole. Found by colour refinement over 64-bit hashes, then
// checked by comparison: a hash collision can only prevent folding, never bend a result.
// Time O(rounds * flows * hops), memory O(links * classes + classes); the flows are never stored.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "emulator/flow/flow_sim.hpp"

namespace fabricast {

// Flows known in advance, as a function of their number. Pure: asked several times.
class FlowList {
 public:
  virtual ~FlowList() = default;
  virtual std::int64_t size() const = 0;
  virtual FlowStart flow(std::int64_t number) const = 0;
};

struct FlowQuotient {
  static constexpr std::uint32_t unused = 0xFFFFFFFFu;

  std::vector<FlowRate> capacities;       // of link classes
  std::vector<CapacityChange> changes;    // of link classes
  std::vector<FlowStart> flows;           // classes, in order of start; tag: index here
  std::vector<std::uint32_t> link_class;  // by link; `unused` where no flow passes
  std::int32_t rounds = 0;                // of refinement
};

// Nothing where folding does not pay (more than one class per two flows, or too many to check).
std::optional<FlowQuotient> fold_flows(const FlowList& list, std::span<const FlowRate> capacities,
                                       std::span<const CapacityChange> changes = {});

// Streams the flows of a list that is in order of start.
class ListDriver : public FlowDriver {
 public:
  explicit ListDriver(const FlowList& list) : list_(list) {}
  bool next(FlowStart& flow) override;

 private:
  const FlowList& list_;
  std::int64_t next_ = 0;
};

}  // namespace fabricast
