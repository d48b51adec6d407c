#include "emulator/cost/generation_ratios.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "emulator/profile/inventory.hpp"
#include "emulator/profile/judgement.hpp"

namespace fabricast {
namespace {

double prior(const std::string& id, const std::string& generation) {
  return prior_of(parameter_spec(id), generation).value;
}

// A published hop less its links, one up to a switch and one down, as in a profile's priors
// (prior_profile.cpp).
double hand_off_us(const std::string& generation, const LinkClass& link, Protocol protocol) {
  double hop = prior("nvlink.step.ll", generation);
  if (protocol != Protocol::ll)
    hop *= prior(fmt::format("nvlink.step_ratio.{}", to_string(protocol)), generation);
  return std::max(hop - 2 * link.latency.value, judgement::least_part_of_hop * hop);
}

// In the order of the inventory; of NVLink only where there is some.
const std::vector<std::string>& ratio_parameters(bool nvlink) {
  static const std::vector<std::string> all{"launch.ll",
                                            "launch.ll128",
                                            "launch.simple",
                                            "cta.copy_bw",
                                            "nvlink.step.ll",
                                            "nvlink.step_ratio.ll128",
                                            "nvlink.step_ratio.simple",
                                            "nvlink.efficiency",
                                            "nvlink.efficiency_ratio.ll",
                                            "nvlink.efficiency_ratio.nvls"};
  static const std::vector<std::string> without(all.begin(), all.begin() + 4);
  return nvlink ? all : without;
}

std::string ratio_lines(const std::string& first, const std::string& other, bool nvlink) {
  std::string text;
  for (const std::string& id : ratio_parameters(nvlink)) {
    const ParameterSpec& spec = parameter_spec(id);
    const std::string unit = spec.unit == "1" ? "" : " " + spec.unit;
    const Prior of_first = prior_of(spec, first), of_other = prior_of(spec, other);
    if (of_first.value == of_other.value) continue;
    text += fmt::format("\n  {} x {:.4g}: {} {:.4g}{} ({}), {} {:.4g}{} ({})", id,
                        of_other.value / of_first.value, first, of_first.value, unit,
                        of_first.source, other, of_other.value, unit, of_other.source);
  }
  return text;
}

}  // namespace

GenerationRatios generation_ratios(const std::string& first_generation, const LinkClass& first,
                                   const LinkClass& other, Protocol protocol) {
  const auto ratio = [&](const std::string& id) {
    return prior(id, other.generation) / prior(id, first_generation);
  };
  GenerationRatios ratios;
  ratios.launch = ratio(fmt::format("launch.{}", to_string(protocol)));
  ratios.copy_bandwidth = ratio("cta.copy_bw");
  if (other.kind != LinkKind::nvlink) return ratios;
  ratios.step = hand_off_us(other.generation, other, protocol) /
                hand_off_us(first_generation, first, protocol);
  ratios.efficiency = ratio("nvlink.efficiency");
  if (protocol == Protocol::ll) ratios.efficiency *= ratio("nvlink.efficiency_ratio.ll");
  ratios.in_switch = ratio("nvlink.efficiency_ratio.nvls");
  return ratios;
}

// That of the first link of a route of theirs.
std::set<std::string> generations_of_ranks(const Topology& topology) {
  std::set<std::string> generations;
  std::vector<bool> seen(static_cast<std::size_t>(topology.kinds()), false);
  int unseen = topology.kinds();
  for (std::int32_t r = 0; r < topology.ranks() && topology.ranks() > 1 && unseen > 0; ++r) {
    const auto kind = static_cast<std::size_t>(topology.kind_of(RankId::from(r)));
    if (seen[kind]) continue;
    seen[kind] = true;
    --unseen;
    const Route route = topology.route(RankId::from(r), RankId::from(r == 0 ? 1 : 0));
    const LinkClassId first = topology.link_class(route.links[0]);
    generations.insert(topology.link_classes()[first.value()].generation);
  }
  if (generations.empty()) generations.insert("");  // one rank: no link is used
  return generations;
}

std::string generation_note(const Topology& topology) {
  std::map<std::string, bool> others;  // whether any of the generation's links is an NVLink
  for (const LinkClass& link : topology.link_classes()) {
    if (link.generation.empty()) continue;
    others[link.generation] = others[link.generation] || link.kind == LinkKind::nvlink;
  }
  const std::string& first = topology.gpu().generation;
  std::string text;
  for (const auto& [other, nvlink] : others) {
    text += fmt::format(
        "{}GPUs of {}: the figures of {} times the ratios of both generations' priors, where these "
        "differ{}",
        text.empty() ? "" : "\n", other, first,
        nvlink ? " (hand-offs over NVLink: less the links)" : "");
    text += ratio_lines(first, other, nvlink);
  }
  return text;
}

}  // namespace fabricast
