#include "emulator/coordinator/work_shares.hpp"

#include <algorithm>
#include <numeric>

namespace fabricast {

void WorkShares::learn(const ScenarioPoint& point, double seconds) {
  seconds_[kind_of(point)] = seconds;
}

std::vector<std::size_t> WorkShares::of(const std::vector<ScenarioPoint>& points,
                                        const std::vector<std::size_t>& todo) const {
  double longest = 0;
  for (const auto& [kind, seconds] : seconds_) longest = std::max(longest, seconds);
  if (longest <= 0) longest = 1;
  std::vector<double> expected;
  for (const std::size_t point : todo) {
    const auto known = seconds_.find(kind_of(points[point]));
    expected.push_back(known != seconds_.end() ? known->second : longest);
  }
  std::vector<std::size_t> order(todo.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return expected[a] > expected[b]; });
  std::vector<std::size_t> owners(todo.size());
  std::vector<double> load(processes_, 0);
  for (const std::size_t i : order) {
    const auto least = std::min_element(load.begin(), load.end());
    owners[i] = static_cast<std::size_t>(least - load.begin());
    *least += expected[i];
  }
  return owners;
}

}  // namespace fabricast
