#include "emulator/coordinator/scenario.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/cost/offered.hpp"
#include "emulator/schedule/catalogue.hpp"

namespace fabricast {
namespace {

template <class Items>
std::string list_of(const Items& items) {
  std::vector<std::string> names;
  for (const auto& item : items) names.emplace_back(to_string(item));
  return fmt::format("[{}]", fmt::join(names, ", "));
}

std::int64_t smallest_useful_size(Collective collective, std::int32_t ranks, std::int32_t element) {
  return has_rank_blocks(collective) ? static_cast<std::int64_t>(ranks) * element : element;
}

}  // namespace

std::string Scenario::to_yaml() const {
  std::string text;
  text += fmt::format("machine: {}\nranks: {}\nexecutor: {}\n", machine, ranks, to_string(executor));
  text += fmt::format("collectives: {}\n", list_of(collectives));
  text += fmt::format("algorithms: [{}]\n", fmt::join(algorithms, ", "));
  text += fmt::format("protocols: {}\n", list_of(protocols));
  text += fmt::format("sizes_bytes: [{}]\n", fmt::join(sizes, ", "));
  text += fmt::format("element_bytes: {}\nchannels: {}\nmax_slices: {}\nprofile: {}\n", element_bytes,
                      channels, max_slices, profile);
  return text;
}

std::vector<Protocol> protocols_for(const Scenario& scenario, Collective collective,
                                    const std::string& algorithm) {
  auto offered = protocols_of(scenario.executor, collective, algorithm);
  const auto& asked = scenario.protocols;
  if (asked.empty()) return offered;
  std::erase_if(offered, [&asked](Protocol protocol) {
    return std::find(asked.begin(), asked.end(), protocol) == asked.end();
  });
  return offered;
}

std::vector<ScenarioPoint> points_of(const Scenario& scenario, const Topology& topology) {
  const auto known = algorithm_names();
  for (const auto& algorithm : scenario.algorithms) {
    if (std::find(known.begin(), known.end(), algorithm) == known.end()) {
      throw UsageError(unknown_name_message("algorithm", algorithm, known));
    }
  }
  std::vector<ScenarioPoint> points;
  std::string left_out;
  for (const auto collective : scenario.collectives) {
    const auto& wanted =
        scenario.algorithms.empty() ? algorithms_of(collective) : scenario.algorithms;
    for (const auto& algorithm : wanted) {
      if (find_algorithm(algorithm, collective) == nullptr) continue;
      const auto reason = why_not_offered(topology, scenario.executor, collective, algorithm);
      if (!reason.empty()) {
        left_out += fmt::format("; {} {}", algorithm, reason);
        continue;
      }
      if (protocols_for(scenario, collective, algorithm).empty()) {
        left_out += fmt::format("; {} of {} has no protocol {}", algorithm, to_string(collective),
                                list_of(scenario.protocols));
        continue;
      }
      const auto smallest = smallest_useful_size(collective, topology.ranks(), scenario.element_bytes);
      for (const auto bytes : scenario.sizes) {
        if (bytes >= smallest) points.push_back({collective, algorithm, bytes});
      }
    }
  }
  if (points.empty()) {
    throw UsageError(fmt::format(
        "nothing to emulate: on {} ({} GPUs in {} domains) no chosen algorithm and size fits "
        "{} (collectives of one block per rank need at least {} bytes of each{}) choose other sizes or algorithms",
        topology.name(), topology.ranks(), topology.space().domains(), list_of(scenario.collectives),
        scenario.element_bytes, left_out));
  }
  return points;
}

}  // namespace fabricast
