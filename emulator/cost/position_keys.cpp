#include "emulator/cost/position_keys.hpp"

namespace fabricast {

PositionKeys::PositionKeys(const Topology& topology, std::span<const std::int32_t> ranks) {
  const std::size_t p = ranks.size();
  const std::int32_t size = topology.ranks();
  std::vector<std::vector<std::int32_t>> all(1, std::vector<std::int32_t>(p));
  for (std::size_t x = 0; x < p; ++x) {
    const std::int32_t rank = ranks[x];
    all[0][x] = rank / topology.space().domain_size();
    const Route far =
        topology.route(RankId::from(rank), RankId::from((rank + size / 2) % size));
    // The first half of a route climbs; its first link belongs to the rank (or its NIC) alone.
    const int climb = (far.count + 1) / 2;
    for (int i = 1; i < climb; ++i) {
      const auto f = static_cast<std::size_t>(i);
      if (all.size() <= f) all.resize(f + 1, std::vector<std::int32_t>(p, -1));
      all[f][x] = static_cast<std::int32_t>(far.links[f].value());
    }
  }
  attachments_ = std::move(all);
  run_end_.assign(p, static_cast<std::int32_t>(p));
  for (std::size_t x = p; x-- > 1;) {
    run_end_[x - 1] = key(x - 1, x) == 0 ? run_end_[x] : static_cast<std::int32_t>(x);
  }
}

}  // namespace fabricast
