#include "emulator/cost/generation_ratios.hpp"

#include <algorithm>

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

}  // namespace fabricast
