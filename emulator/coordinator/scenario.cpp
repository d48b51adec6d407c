#include "emulator/coordinator/scenario.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/base/scaled_number.hpp"
#include "emulator/coordinator/effective_bytes.hpp"
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

// The sizes that run: rounded as nccl-tests does, each once, those of no bytes left out.
std::vector<std::int64_t> sizes_for(const Scenario& scenario, Collective collective,
                                    std::int32_t ranks, std::vector<std::string>* notes) {
  std::vector<std::int64_t> sizes;
  std::vector<std::string> empty;
  for (const auto asked : scenario.sizes) {
    const auto runs = effective_bytes(collective, asked, ranks, scenario.element_bytes);
    if (runs == 0) {
      empty.push_back(format_size(asked));
    } else if (std::find(sizes.begin(), sizes.end(), runs) == sizes.end()) {
      sizes.push_back(runs);
    }
  }
  if (notes != nullptr && !empty.empty()) {
    notes->push_back(fmt::format("{}: sizes {} round to 0 bytes on {} ranks and are left out",
                                 to_string(collective), fmt::join(empty, ", "), ranks));
  }
  return sizes;
}

}  // namespace

std::string Scenario::to_yaml() const {
  std::string text;
  text += fmt::format("machine: {}\nranks: {}\nexecutor: {}\n", machine, ranks, to_string(executor));
  text += fmt::format("collectives: {}\n", list_of(collectives));
  text += fmt::format("algorithms: [{}]\n", fmt::join(algorithms, ", "));
  if (!left_out.empty()) text += fmt::format("left_out: [{}]\n", fmt::join(left_out, ", "));
  text += fmt::format("protocols: {}\n", list_of(protocols));
  text += fmt::format("sizes_bytes: [{}]\n", fmt::join(sizes, ", "));
  text += fmt::format("element_bytes: {}\nchannels: {}\nmax_slices: {}\nprofile: {}\n", element_bytes,
                      channels, max_slices, profile);
  return text + trace.to_yaml();
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

std::vector<ScenarioPoint> points_of(const Scenario& scenario, const Topology& topology,
                                     std::vector<std::string>* notes) {
  if (topology.ranks() < 2) {
    throw UsageError(fmt::format(
        "{} has one rank (a collective of one moves nothing to another): choose another machine",
        topology.name()));
  }
  const auto known = algorithm_names();
  for (const auto& algorithm : scenario.algorithms) {
    if (std::find(known.begin(), known.end(), algorithm) == known.end()) {
      throw UsageError(unknown_name_message("algorithm", algorithm, known));
    }
  }
  std::vector<ScenarioPoint> points;
  std::string left_out;
  for (const auto collective : scenario.collectives) {
    const auto sizes = sizes_for(scenario, collective, topology.ranks(), notes);
    const auto& wanted =
        scenario.algorithms.empty() ? algorithms_of(collective) : scenario.algorithms;
    for (const auto& algorithm : wanted) {
      if (find_algorithm(algorithm, collective) == nullptr) continue;
      const auto& unwanted = scenario.left_out;
      if (std::find(unwanted.begin(), unwanted.end(), algorithm) != unwanted.end()) continue;
      auto reason = why_not_offered(topology, scenario.executor, collective, algorithm);
      if (reason.empty() && protocols_for(scenario, collective, algorithm).empty()) {
        reason = fmt::format("has no protocol {} with executor {}", list_of(scenario.protocols),
                             to_string(scenario.executor));
      }
      if (!reason.empty()) {
        const auto why = fmt::format("{} {} {}", algorithm, to_string(collective), reason);
        left_out += "; " + why;
        // Of every algorithm there is, those that cannot be here are no news.
        const bool asked_for = !scenario.algorithms.empty() || !scenario.protocols.empty();
        if (notes != nullptr && asked_for) notes->push_back(why + ": it is left out");
        continue;
      }
      for (const auto bytes : sizes) points.push_back({collective, algorithm, bytes});
    }
  }
  if (points.empty()) {
    throw UsageError(fmt::format(
        "nothing to emulate: on {} ({} GPUs in {} domains) no chosen algorithm and size fits "
        "{} (collectives of one block per rank need at least 16 bytes of each{}) choose other "
        "sizes, algorithms or protocols",
        topology.name(), topology.ranks(), topology.space().domains(),
        list_of(scenario.collectives), left_out));
  }
  return points;
}

}  // namespace fabricast
