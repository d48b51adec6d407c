#include "emulator/coordinator/machine_identity.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace fabricast {
namespace {

using Figure = std::pair<std::string, std::string>;  // what, how much

std::string text_of(const Sourced& figure) {
  return fmt::format("{:.10g} {}", figure.value, figure.unit);
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
      {"link classes", std::to_string(machine.link_classes().size())},
  };
  for (const LinkClass& link : machine.link_classes()) {
    figures.emplace_back(link.name + " kind", to_string(link.kind));
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
