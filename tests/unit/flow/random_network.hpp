// Networks for tests of the max-min solver, and what is right for them, found in the obvious way.
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/flow/max_min.hpp"

namespace fabricast {

struct TestNetwork {
  std::vector<FlowRate> capacities;
  std::vector<std::vector<Crossing>> flows;
};

// Seeded: up to `most_links` links and `most_flows` flows of one to six crossings, some capacities
// equal, a few zero, some counts above one when `counts` is set.
TestNetwork random_network(std::uint64_t seed, std::int64_t most_links, std::int64_t most_flows,
                           bool counts);

// The definition in max_min.hpp by trying every link in every round: O(rounds * links * flows).
std::vector<FlowRate> filled_slowly(const TestNetwork& network);

// Progressive filling in long double, without any rounding to integers.
std::vector<long double> filled_in_reals(const TestNetwork& network);

}  // namespace fabricast
