#include "emulator/schedule/catalogue.hpp"

#include <algorithm>

#include "emulator/schedule/algorithms/algorithms.hpp"

namespace fabricast {
namespace {

using S = ScheduleShape;

// src/include/device.h, NCCL_MAX_DIRECT_ARITY and the rank itself.
constexpr std::int32_t most_collnet_ranks = 8;

// Adapts a builder that only needs the space.
template <Schedule (*build)(const RankSpace&)>
Schedule on(const S& shape) {
  return build(shape.space);
}

template <Schedule (*build)(const RankSpace&, std::int32_t)>
Schedule cut(const S& shape) {
  return build(shape.space, shape.chunks);
}

Schedule tree(const S& shape) { return tree_all_reduce(shape.space, shape.chunks, shape.mirrored); }

Schedule level_tree(const S& shape) {
  return in_switch_tree_all_reduce(shape.space, shape.mirrored);
}

Schedule hierarchical_tree(const S& shape) {
  return hierarchical_tree_all_reduce(shape.space, shape.chunks, shape.mirrored);
}

// clang-format off
constexpr AlgorithmEntry catalogue[] = {
    {"ring", Collective::all_reduce, on<ring_all_reduce>, Cut::loops, Seat::ring},
    {"ring", Collective::all_gather, on<ring_all_gather>, Cut::loops, Seat::ring},
    {"ring", Collective::reduce_scatter, on<ring_reduce_scatter>, Cut::loops, Seat::ring},
    {"ring", Collective::broadcast, cut<chain_broadcast>, Cut::chunks, Seat::rooted_ring},
    {"ring", Collective::reduce, cut<chain_reduce>, Cut::chunks, Seat::rooted_ring},
    {"tree", Collective::all_reduce, tree, Cut::chunks, Seat::tree},
    {"hierarchical", Collective::all_reduce, on<hierarchical_all_reduce>, Cut::loops, Seat::identity, Needs::two_levels},
    {"hierarchical", Collective::all_gather, on<hierarchical_all_gather>, Cut::loops, Seat::identity, Needs::two_levels},
    {"hierarchical", Collective::reduce_scatter, on<hierarchical_reduce_scatter>, Cut::loops, Seat::identity, Needs::two_levels},
    {"hierarchical_tree", Collective::all_reduce, hierarchical_tree, Cut::pieces, Seat::level_tree, Needs::two_levels},
    {"halving_doubling", Collective::all_reduce, on<halving_doubling_all_reduce>},
    {"doubling", Collective::all_reduce, on<doubling_all_reduce>},
    {"pat", Collective::all_gather, on<pat_all_gather>},
    {"pat", Collective::reduce_scatter, on<pat_reduce_scatter>},
    {"nvls", Collective::all_reduce, on<in_switch_all_reduce>, Cut::loops, Seat::identity, Needs::a_switch},
    {"nvls", Collective::all_gather, on<in_switch_all_gather>, Cut::loops, Seat::identity, Needs::a_switch},
    {"nvls", Collective::reduce_scatter, on<in_switch_reduce_scatter>, Cut::loops, Seat::identity, Needs::a_switch},
    {"nvls_tree", Collective::all_reduce, level_tree, Cut::loops, Seat::level_tree, Needs::switches},
    {"nvls_sharp", Collective::all_reduce, on<switch_in_network_all_reduce>, Cut::loops, Seat::identity, Needs::switches_and_network},
    {"collnet_direct", Collective::all_reduce, on<direct_in_network_all_reduce>, Cut::loops, Seat::identity, Needs::a_reducing_network},
    {"collnet_chain", Collective::all_reduce, on<chain_in_network_all_reduce>, Cut::loops, Seat::head, Needs::a_reducing_network},
    {"pairwise", Collective::all_to_all, on<pairwise_all_to_all>, Cut::slices},
    {"grouped", Collective::all_to_all, on<grouped_all_to_all>, Cut::slices},
    {"direct", Collective::send_recv, on<direct_send_recv>, Cut::slices},
    {"direct", Collective::gather, on<direct_gather>, Cut::loops, Seat::root},
    {"direct", Collective::scatter, on<direct_scatter>, Cut::slices, Seat::root},
    {"one_shot", Collective::all_reduce, on<one_shot_all_reduce>, Cut::loops, Seat::identity, Needs::one_domain},
    {"two_shot", Collective::all_reduce, on<two_shot_all_reduce>, Cut::loops, Seat::identity, Needs::one_domain},
    {"direct", Collective::all_gather, on<direct_all_gather>, Cut::loops, Seat::identity, Needs::one_domain},
    {"direct", Collective::reduce_scatter, on<direct_reduce_scatter>, Cut::loops, Seat::identity, Needs::one_domain},
};
// clang-format on

}  // namespace

std::span<const AlgorithmEntry> algorithm_catalogue() { return catalogue; }

const AlgorithmEntry* find_algorithm(const std::string& name, Collective collective) {
  const auto found =
      std::find_if(std::begin(catalogue), std::end(catalogue), [&](const AlgorithmEntry& entry) {
        return entry.name == name && entry.collective == collective;
      });
  return found == std::end(catalogue) ? nullptr : found;
}

std::vector<std::string> usual_algorithms(Collective collective) {
  std::vector<std::string> names;
  for (const AlgorithmEntry& entry : catalogue) {
    if (entry.collective == collective && entry.needs != Needs::one_domain &&
        !reduces_between_domains(entry.needs)) {
      names.emplace_back(entry.name);
    }
  }
  return names;
}

bool reduces_between_domains(Needs needs) {
  return needs == Needs::a_reducing_network || needs == Needs::switches_and_network;
}

bool reduces_inside_domains(Needs needs) {
  return needs == Needs::a_switch || needs == Needs::switches ||
         needs == Needs::switches_and_network;
}

bool sends_to_groups(Needs needs) { return needs != Needs::nothing && needs != Needs::two_levels; }

std::string why_not(const AlgorithmEntry& entry, const RankSpace& space) {
  const std::string shape = " (this one has " + std::to_string(space.domains()) + " of " +
                            std::to_string(space.domain_size()) + ")";
  switch (entry.needs) {
    case Needs::nothing:
      return "";
    case Needs::two_levels:
      if (space.domain_size() >= 2 && space.domains() >= 2) return "";
      return "needs at least two domains of at least two ranks" + shape;
    case Needs::one_domain:
      if (space.domains() == 1 && space.size() >= 2) return "";
      return "needs at least two ranks, all in one domain" + shape;
    case Needs::a_switch:
      if (space.domain_size() >= 2) return "";
      return "needs at least two ranks behind one switch" + shape;
    case Needs::switches:
    case Needs::switches_and_network:
      if (space.domain_size() >= 2 && space.domains() >= 2) return "";
      return "needs at least two domains of at least two ranks behind a switch" + shape;
    case Needs::a_reducing_network:
      if (space.domains() < 2) return "needs a network between at least two domains" + shape;
      if (space.domain_size() > most_collnet_ranks) {
        return "needs domains of at most eight ranks" + shape;
      }
      return "";
  }
  return "";
}

}  // namespace fabricast
