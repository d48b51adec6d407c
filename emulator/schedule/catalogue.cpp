#include "emulator/schedule/catalogue.hpp"

#include <algorithm>

#include "emulator/schedule/algorithms/algorithms.hpp"

namespace fabricast {
namespace {

using S = ScheduleShape;

// Adapts a builder that only needs the space.
template <Schedule (*build)(const RankSpace&)>
Schedule on(const S& shape) {
  return build(shape.space);
}

template <Schedule (*build)(const RankSpace&, std::int32_t)>
Schedule cut(const S& shape) {
  return build(shape.space, shape.chunks);
}

Schedule tree(const S& shape) {
  return tree_all_reduce(shape.space, shape.chunks, shape.mirrored);
}

// clang-format off
constexpr AlgorithmEntry catalogue[] = {
    {"ring", Collective::all_reduce, on<ring_all_reduce>, Cut::loops, Seat::ring},
    {"ring", Collective::all_gather, on<ring_all_gather>, Cut::loops, Seat::ring},
    {"ring", Collective::reduce_scatter, on<ring_reduce_scatter>, Cut::loops, Seat::ring},
    {"ring", Collective::broadcast, cut<chain_broadcast>, Cut::chunks, Seat::root},
    {"ring", Collective::reduce, cut<chain_reduce>, Cut::chunks, Seat::root},
    {"tree", Collective::all_reduce, tree, Cut::chunks, Seat::tree},
    {"hierarchical", Collective::all_reduce, on<hierarchical_all_reduce>, Cut::loops, Seat::identity, Needs::two_levels},
    {"hierarchical", Collective::all_gather, on<hierarchical_all_gather>, Cut::loops, Seat::identity, Needs::two_levels},
    {"hierarchical", Collective::reduce_scatter, on<hierarchical_reduce_scatter>, Cut::loops, Seat::identity, Needs::two_levels},
    {"halving_doubling", Collective::all_reduce, on<halving_doubling_all_reduce>},
    {"doubling", Collective::all_reduce, on<doubling_all_reduce>},
    {"pat", Collective::all_gather, on<pat_all_gather>},
    {"pat", Collective::reduce_scatter, on<pat_reduce_scatter>},
    {"nvls", Collective::all_reduce, on<in_switch_all_reduce>, Cut::loops, Seat::identity, Needs::a_switch},
    {"nvls", Collective::all_gather, on<in_switch_all_gather>, Cut::loops, Seat::identity, Needs::a_switch},
    {"nvls", Collective::reduce_scatter, on<in_switch_reduce_scatter>, Cut::loops, Seat::identity, Needs::a_switch},
    {"pairwise", Collective::all_to_all, on<pairwise_all_to_all>, Cut::slices},
    {"grouped", Collective::all_to_all, on<grouped_all_to_all>, Cut::slices},
    {"direct", Collective::send_recv, on<direct_send_recv>, Cut::slices},
    {"direct", Collective::gather, on<direct_gather>, Cut::slices, Seat::root},
    {"direct", Collective::scatter, on<direct_scatter>, Cut::slices, Seat::root},
};
// clang-format on

}  // namespace

std::span<const AlgorithmEntry> algorithm_catalogue() { return catalogue; }

const AlgorithmEntry* find_algorithm(const std::string& name, Collective collective) {
  const auto found = std::find_if(
      std::begin(catalogue), std::end(catalogue), [&](const AlgorithmEntry& entry) {
        return entry.name == name && entry.collective == collective;
      });
  return found == std::end(catalogue) ? nullptr : found;
}

std::string why_not(const AlgorithmEntry& entry, const RankSpace& space) {
  const std::string shape = " (this one has " + std::to_string(space.domains()) + " of " +
                            std::to_string(space.domain_size()) + ")";
  switch (entry.needs) {
    case Needs::nothing: return "";
    case Needs::two_levels:
      if (space.domain_size() >= 2 && space.domains() >= 2) return "";
      return "needs at least two domains of at least two ranks" + shape;
    case Needs::a_switch:
      if (space.domain_size() >= 2) return "";
      return "needs at least two ranks behind one switch" + shape;
  }
  return "";
}

}  // namespace fabricast
