// Costs of an exchange, of everybody with everybody, by what kind of pair two positions are.
//
// Positions fall into groups, intervals of them, and these into parts: all pairs from two parts of
// one group are of one kind (two pods of a machine, two groups of leaves of a pod ...), or of two
// where positions have labels that come round, as the rails of nodes do: same label or another.
// Engines ask for it where they know a closed form (pairwise_exchange.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace fabricast {

// Labels of positions that repeat: that of x is labels[x % labels.size()], below count.
struct ExchangePattern {
  std::vector<std::uint8_t> labels{0};
  std::size_t count = 1;
  bool operator==(const ExchangePattern&) const = default;
};

struct ExchangeGroup {
  std::int32_t begin = 0, end = 0;  // positions
  // How it is parted: into groups of their own, into its positions, or not at all, so that its
  // pairs are of any kind.
  enum class Parts : std::uint8_t { groups, positions, none } parts = Parts::none;
  std::size_t between = 0;           // the kind of pairs from two parts, of equal labels ...
  std::size_t between_unlike = 0;    // ... and of those whose labels differ
  std::size_t pattern = 0;           // ExchangeGroups::patterns; it divides every part
  std::int32_t first = 0, last = 0;  // parts that are groups: ExchangeGroups::groups [first, last)
  // The first part of the whole whose pairs are of the same kinds: its own parts are those of that
  // one, which is where they are listed. Of parts of the whole; itself for others.
  std::int32_t alike_to = 0;
  bool operator==(const ExchangeGroup&) const = default;
};

struct ExchangeGroups {
  std::vector<ExchangeGroup> groups;  // the whole comes first; parts in the order of positions
  std::vector<ExchangePattern> patterns{{}};  // the first one has one label
  // Of every position, below class_count, where costs depend on those of both ends too, as on nodes
  // of several kinds; no parts are alike then. Empty where there is one.
  std::vector<std::uint8_t> classes;
  std::size_t class_count = 1;
  bool operator==(const ExchangeGroups&) const = default;
};

struct ExchangeCosts {
  ExchangeGroups groups;
  // Of x with y, y + 1, ...: fills `kinds`. Of pairs in groups without parts. Symmetric, as what
  // ExchangeGroup::between says: without classes.
  std::function<void(std::int32_t x, std::int32_t y, std::span<std::uint16_t> kinds)>
      kinds_of_pairs;
  // ps, of x, which sends to y or receives from it, by [class of x][class of y][kind].
  std::vector<std::int64_t> send_lane, send_port, send_latency, receive_lane;
};

class CostsOfExchange {
 public:
  virtual ~CostsOfExchange() = default;
  // Of a phase that sends and one that receives in a stage whose peers vary; nothing where costs
  // depend on more than the pair, or groups are no intervals. It must not outlive this.
  virtual std::optional<ExchangeCosts> exchange_costs(int stage, int group, int send_phase,
                                                      int receive_phase) const = 0;
};

}  // namespace fabricast
