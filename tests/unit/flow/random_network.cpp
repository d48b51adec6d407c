#include "tests/unit/flow/random_network.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include "emulator/base/counter_rng.hpp"

namespace fabricast {

TestNetwork random_network(std::uint64_t seed, std::int64_t most_links, std::int64_t most_flows,
                           bool counts) {
  std::uint64_t index = 0;
  const auto draw = [&](std::int64_t low, std::int64_t high) {
    return random_int(seed, 77, index++, low, high);
  };
  TestNetwork network;
  const std::int64_t links = draw(1, most_links);
  const std::int64_t flows = draw(1, most_flows);
  const bool few_sizes = draw(0, 1) == 0;
  for (std::int64_t i = 0; i < links; ++i) {
    const std::int64_t gb = few_sizes ? 25 * draw(1, 4) : draw(1, 1000);
    const bool dead = draw(0, 39) == 0;
    network.capacities.push_back(
        dead ? 0 : flow_rate(Bandwidth(gb * 1'000'000'000 + (few_sizes ? 0 : draw(0, 999)))));
  }
  for (std::int64_t f = 0; f < flows; ++f) {
    std::map<std::uint32_t, std::int32_t> crossed;
    const std::int64_t hops = draw(1, 6);
    for (std::int64_t h = 0; h < hops; ++h) {
      crossed[static_cast<std::uint32_t>(draw(0, links - 1))] =
          counts && draw(0, 3) == 0 ? static_cast<std::int32_t>(draw(2, 50)) : 1;
    }
    auto& flow = network.flows.emplace_back();
    for (const auto& [link, count] : crossed) flow.push_back({link, count});
  }
  return network;
}

namespace {

// What one round of filling sees of a link.
template <class Number>
struct Share {
  Number left = 0;
  std::int64_t flows = 0;
};

template <class Number>
std::vector<Share<Number>> shares_of(const TestNetwork& network, const std::vector<Number>& rates) {
  std::vector<Share<Number>> shares(network.capacities.size());
  for (std::size_t l = 0; l < shares.size(); ++l) {
    shares[l].left = static_cast<Number>(network.capacities[l]);
  }
  for (std::size_t f = 0; f < rates.size(); ++f) {
    for (const Crossing& at : network.flows[f]) {
      if (rates[f] < 0) {
        shares[at.link].flows += at.count;
      } else {
        shares[at.link].left -= rates[f] * static_cast<Number>(at.count);
      }
    }
  }
  return shares;
}

template <class Number>
std::vector<Number> fill(const TestNetwork& network, Number tolerance) {
  std::vector<Number> rates(network.flows.size(), Number(-1));
  while (std::find(rates.begin(), rates.end(), Number(-1)) != rates.end()) {
    const auto shares = shares_of(network, rates);
    Number lowest = std::numeric_limits<Number>::max();
    for (const auto& share : shares) {
      if (share.flows > 0) lowest = std::min(lowest, share.left / static_cast<Number>(share.flows));
    }
    for (std::size_t f = 0; f < rates.size(); ++f) {
      if (rates[f] >= 0) continue;
      for (const Crossing& at : network.flows[f]) {
        const auto& share = shares[at.link];
        if (share.left / static_cast<Number>(share.flows) <= lowest + lowest * tolerance) {
          rates[f] = std::max(Number(0), lowest);
          break;
        }
      }
    }
  }
  return rates;
}

}  // namespace

std::vector<FlowRate> filled_slowly(const TestNetwork& network) {
  return fill<FlowRate>(network, 0);
}

std::vector<long double> filled_in_reals(const TestNetwork& network) {
  return fill<long double>(network, 1e-15L);
}

}  // namespace fabricast
