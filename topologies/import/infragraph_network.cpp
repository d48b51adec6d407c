#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "topologies/import/infragraph_leaves.hpp"
#include "topologies/import/machine_yaml.hpp"

namespace fabricast {
namespace {

// Switches that cables join, by a representative.
class Joined {
 public:
  explicit Joined(std::size_t switches) : above_(switches) {
    for (std::size_t i = 0; i < switches; ++i) above_[i] = i;
  }
  std::size_t group_of(std::size_t one) {
    while (above_[one] != one) one = above_[one] = above_[above_[one]];
    return one;
  }
  void join(std::size_t a, std::size_t b) { above_[group_of(a)] = group_of(b); }

 private:
  std::vector<std::size_t> above_;
};

// A cable between two switches, from the lower to the upper.
struct Uplink {
  std::size_t lower, upper;
  double gb_per_s;
};

enum class Layer : std::uint8_t { none, leaf, spine, core };

bool unlike(double a, double b) { return std::abs(a - b) > 1e-9 * std::max(a, b); }

// Down : up, at least 1. Rounded up in the ninth digit, so that the ports that it leaves to go
// down, a floor, do not become one fewer.
double ratio(double down, double up) {
  return std::ceil(std::max(1.0, down / up) * 1e9 - 1e-3) / 1e9;
}

class NetworkFinder {
 public:
  explicit NetworkFinder(const InfraNodes& nodes)
      : nodes_(nodes), graph_(nodes.graph), leaves_(find_infra_leaves(nodes, network_)) {}

  InfraNetwork find() {
    if (leaf_.size() == 1 && leaves_.between.empty()) return network_;
    network_.tiers = 2;
    find_layers();
    require_alike();
    find_joins();
    measure();
    return network_;
  }

 private:
  // Spines are joined to leaves, cores to spines, and nothing else to anything.
  void find_layers() {
    layer_.assign(switches_.size(), Layer::none);
    for (const std::size_t leaf : leaf_) layer_[leaf] = Layer::leaf;
    const auto mark_above = [&](Layer lower, Layer upper) {
      for (const InfraEdge* edge : leaves_.between) {
        const std::size_t a = leaves_.number_of(switch_of(edge->a)),
                          b = leaves_.number_of(switch_of(edge->b));
        if (layer_[a] == lower && layer_[b] == Layer::none) layer_[b] = upper;
        if (layer_[b] == lower && layer_[a] == Layer::none) layer_[a] = upper;
      }
    };
    mark_above(Layer::leaf, Layer::spine);
    mark_above(Layer::spine, Layer::core);
    for (const InfraEdge* edge : leaves_.between) {
      std::size_t lower = leaves_.number_of(switch_of(edge->a)),
                  upper = leaves_.number_of(switch_of(edge->b));
      if (layer_[lower] > layer_[upper]) std::swap(lower, upper);
      if (layer_[lower] == Layer::leaf && layer_[upper] == Layer::leaf) {
        nodes_.fail("two switches that have nodes are joined", "only trees can be told");
      }
      if (layer_[lower] == Layer::none ||
          static_cast<int>(layer_[upper]) != static_cast<int>(layer_[lower]) + 1) {
        nodes_.fail("its switches are no tree of two or three layers", "only those can be told");
      }
      const InfraLink& link = link_of(nodes_, *edge);
      uplinks_.push_back({lower, upper, *link.gb_per_s});
      if (link.latency_us) network_.hop_us = link.latency_us;
      if (layer_[upper] == Layer::core) network_.tiers = 3;
    }
    std::sort(uplinks_.begin(), uplinks_.end(), [](const Uplink& a, const Uplink& b) {
      return std::tuple(a.lower, a.upper, a.gb_per_s) < std::tuple(b.lower, b.upper, b.gb_per_s);
    });
  }

  // Leaves of one pod reach the same spines; uplinks of a layer carry the same.
  void require_alike() {
    up_.assign(switches_.size(), 0);
    down_.assign(switches_.size(), 0);
    for (const Uplink& one : uplinks_) {
      up_[one.lower] += one.gb_per_s;
      down_[one.upper] += one.gb_per_s;
    }
    std::size_t spine = switches_.size();
    for (std::size_t i = 0; i < switches_.size(); ++i) {
      if (layer_[i] == Layer::spine && spine == switches_.size()) spine = i;
      const bool odd = (layer_[i] == Layer::leaf && unlike(up_[i], up_[leaf_[0]])) ||
                       (layer_[i] == Layer::spine && unlike(up_[i], up_[spine]));
      if (odd) {
        nodes_.fail(fmt::format("the uplinks of {}[{}] are not those of the others of its layer",
                                graph_.instances[static_cast<std::size_t>(switches_[i].first)].name,
                                switches_[i].second),
                    "only trees of alike switches can be told");
      }
    }
  }

  void find_joins() {
    Joined below(switches_.size()), all(switches_.size());  // without and with the cores
    for (const Uplink& one : uplinks_) {
      if (layer_[one.lower] == Layer::leaf) below.join(one.lower, one.upper);
      all.join(one.lower, one.upper);
    }
    const auto rails = static_cast<std::size_t>(network_.rails);
    std::set<std::size_t> apart;
    for (std::size_t rail = 0; rail < rails; ++rail) apart.insert(all.group_of(leaf_[rail]));
    network_.rail_only = rails > 1 && apart.size() == rails;
    const std::size_t trees = network_.rail_only ? rails : 1, groups = leaf_.size() / rails;
    while (in_pod_ < groups && below.group_of(leaf_[in_pod_ * rails]) == below.group_of(leaf_[0])) {
      ++in_pod_;
    }
    pods_ = (groups + in_pod_ - 1) / in_pod_;
    std::vector<std::size_t> of_pod(pods_ * trees, switches_.size());
    std::vector<std::size_t> place(switches_.size(), of_pod.size());
    for (std::size_t i = 0; i < leaf_.size(); ++i) {
      const std::size_t tree = i % rails % trees, at = i / rails / in_pod_ * trees + tree;
      if (all.group_of(leaf_[i]) != all.group_of(leaf_[tree])) {
        nodes_.fail("its switches are not joined", "join them");
      }
      const std::size_t pod = below.group_of(leaf_[i]);
      if (of_pod[at] == switches_.size()) of_pod[at] = pod, first_in_pod_.push_back(leaf_[i]);
      if (place[pod] == of_pod.size()) place[pod] = at;
      if (of_pod[at] != pod || place[pod] != at || !same_spines(leaf_[i], first_in_pod_.at(at))) {
        nodes_.fail("its spines join leaves in an irregular pattern",
                    "only pods of consecutive groups, whose spines reach all leaves, can be told");
      }
    }
  }

  std::pair<std::size_t, std::size_t> uplinks_of(std::size_t lower) const {
    const auto [first, last] =
        std::equal_range(uplinks_.begin(), uplinks_.end(), Uplink{lower, 0, 0},
                         [](const Uplink& a, const Uplink& b) { return a.lower < b.lower; });
    return {static_cast<std::size_t>(first - uplinks_.begin()),
            static_cast<std::size_t>(last - uplinks_.begin())};
  }

  bool same_spines(std::size_t a, std::size_t b) const {
    const auto [i, i_end] = uplinks_of(a);
    const auto [j, j_end] = uplinks_of(b);
    return std::equal(uplinks_.begin() + static_cast<std::ptrdiff_t>(i),
                      uplinks_.begin() + static_cast<std::ptrdiff_t>(i_end),
                      uplinks_.begin() + static_cast<std::ptrdiff_t>(j),
                      uplinks_.begin() + static_cast<std::ptrdiff_t>(j_end),
                      [](const Uplink& one, const Uplink& other) {
                        return one.upper == other.upper && !unlike(one.gb_per_s, other.gb_per_s);
                      });
  }

  void measure() {
    const double out = up_[leaf_[0]];
    if (out <= 0) {
      if (!network_.rail_only) nodes_.fail("its leaf switches lead nowhere", "join them");
      return;
    }
    const double per_domain = network_.nic_gb_per_s * network_.nics / network_.rails;
    // A single group may not fill its leaves: its uplinks tell how many nodes they are made for.
    if (network_.domains_per_leaf == nodes_.count) {
      network_.domains_per_leaf = std::max(
          nodes_.count, static_cast<std::int64_t>(std::min(1e6, out / per_domain * 1.000001)));
    }
    network_.oversubscription =
        ratio(static_cast<double>(network_.domains_per_leaf) * per_domain, out);
    if (network_.tiers == 3) measure_core();
  }

  // Down : up of a spine of the first pod, and whether its ports make pods of that size.
  void measure_core() {
    const std::size_t spine = uplinks_[uplinks_of(leaf_[0]).first].upper;
    const auto [first, last] = uplinks_of(spine);
    double down = down_[spine];
    if (down <= 0 || up_[spine] <= 0) nodes_.fail("its spines lead nowhere", "join them");
    // A single pod may not fill its spines: their free ports are for further leaves.
    if (pods_ == 1) {
      const double rate = uplinks_[uplinks_of(leaf_[0]).first].gb_per_s;
      const auto ports = static_cast<double>(ports_of(graph_, switches_[spine]));
      down = std::max(down, (ports - static_cast<double>(last - first)) * rate);
    }
    const double core = ratio(down, up_[spine]);
    const std::int64_t made =
        ports_facing_down(network_.radix, core) / (network_.rail_only ? 1 : network_.rails);
    const auto given = static_cast<std::int64_t>(in_pod_);
    if (pods_ == 1 ? made < given : made != given) {
      nodes_.fail(
          fmt::format(
              "its pods have {} groups of leaves; switches of {} ports, {:.6g} down for one "
              "up, make pods of {}",
              given, network_.radix, core, made),
          "only pods that fill their spines can be told");
    }
    network_.core_oversubscription = core;
  }

  const InfraNodes& nodes_;
  const InfraGraph& graph_;
  InfraNetwork network_;
  const InfraLeaves leaves_;
  const std::vector<InfraSwitch>& switches_ = leaves_.switches;
  const std::vector<std::size_t>& leaf_ = leaves_.leaf;
  std::vector<Layer> layer_;  // of each switch
  std::vector<std::size_t> first_in_pod_;
  std::vector<Uplink> uplinks_;    // by lower, then upper switch
  std::vector<double> up_, down_;  // GB/s of each switch
  std::size_t in_pod_ = 1, pods_ = 1;
};

}  // namespace

InfraNetwork find_infra_network(const InfraNodes& nodes) { return NetworkFinder(nodes).find(); }

}  // namespace fabricast
