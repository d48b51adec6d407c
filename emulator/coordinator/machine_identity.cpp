#include "emulator/coordinator/machine_identity.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>
#include <utility>
#include <vector>

#include "topologies/builders/built_topology.hpp"

namespace fabricast {
namespace {

using Figure = std::pair<std::string, std::string>;  // what, how much

std::string text_of(const Sourced& figure) {
  return fmt::format("{:.10g} {}", figure.value, figure.unit);
}

std::string domains_per_node(const Topology& machine) {
  const auto* built = dynamic_cast<const BuiltTopology*>(&machine);
  return std::to_string(built == nullptr ? 1 : built->spec().domain.domains_per_node);
}

// How many there are of each kind, in their order, and what tells the kinds apart.
std::string other_nodes(const Topology& machine) {
  const auto* built = dynamic_cast<const BuiltTopology*>(&machine);
  if (built == nullptr || built->spec().others.empty()) return "none";
  std::vector<std::string> kinds;
  for (const DomainPart& part : built->spec().others) {
    kinds.push_back(fmt::format("{:.10g} of {} ({}) in {}, memory {}, links {}, nic {}",
                                part.domains.value, part.gpu.name, part.gpu.generation,
                                part.domain.domains_per_node, text_of(part.gpu.hbm_tb_per_s),
                                part.domain.bandwidth ? text_of(*part.domain.bandwidth) : "none",
                                text_of(part.nic_bandwidth)));
  }
  return fmt::format("{}", fmt::join(kinds, "; "));
}

std::vector<Figure> figures_of(const Topology& machine) {
  std::vector<Figure> figures{
      {"name", machine.name()},
      {"ranks", std::to_string(machine.ranks())},
      {"ranks per domain", std::to_string(machine.space().domain_size())},
      {"processor", machine.gpu().name},
      {"generation", machine.gpu().generation},
      {"memory bandwidth", text_of(machine.gpu().hbm_tb_per_s)},
      {"fabric", machine.fabric()},
      {"channels", text_of(machine.channels())},
      {"domains per node", domains_per_node(machine)},
      {"other nodes", other_nodes(machine)},
      {"link classes", std::to_string(machine.link_classes().size())},
  };
  for (const LinkClass& link : machine.link_classes()) {
    figures.emplace_back(link.name + " kind", to_string(link.kind));
    figures.emplace_back(link.name + " generation", link.generation);
    figures.emplace_back(link.name + " bandwidth", text_of(link.bandwidth));
    figures.emplace_back(link.name + " latency", text_of(link.latency));
  }
  return figures;
}

}  // namespace

std::string machine_difference(const Topology& a, const Topology& b) {
  const auto left = figures_of(a);
  const auto right = figures_of(b);
  // As long as the number of link classes is the same, and that is compared before them.
  for (std::size_t i = 0; i < left.size() && i < right.size(); ++i) {
    if (left[i] == right[i]) continue;
    return fmt::format("{} {} and {}", left[i].first, left[i].second, right[i].second);
  }
  return {};
}

}  // namespace fabricast
