// Costs of an exchange, of everybody with everybody, by what kind of pair two positions are.
//
// Positions fall into groups, intervals of them; all pairs of two groups are of one kind, the far
// one. Engines ask for it where they know a closed form (pairwise_exchange.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace fabricast {

struct ExchangeGroups {
  std::vector<std::int32_t> begin;     // of each group, in order; then the number of positions
  std::vector<std::int32_t> alike_to;  // by group: the first one whose pairs are of the same kinds
  bool operator==(const ExchangeGroups&) const = default;
};

struct ExchangeCosts {
  ExchangeGroups groups;
  std::function<std::size_t(std::int32_t, std::int32_t)>
      kind_of_pair;  // symmetric; not the far kind
  std::size_t far = 0;
  std::vector<std::int64_t> send_lane, send_port, send_latency, receive_lane;  // ps, by kind
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
