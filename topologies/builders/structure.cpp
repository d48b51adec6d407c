#include "topologies/builders/structure.hpp"

#include <algorithm>

#include "topologies/builders/rail_fat_tree.hpp"

namespace fabricast {
namespace {

// What crosses the middle of n ends that share `out` of each equally with all others.
double all_joined(std::int64_t n, double out) {
  return static_cast<double>(n / 2 * (n - n / 2)) / static_cast<double>(n - 1) * out;
}

class Levels {
 public:
  explicit Levels(const BuiltTopology& machine) : machine_(machine) {}

  Structure narrowest() {
    if (const auto* tree = dynamic_cast<const RailFatTree*>(&machine_)) {
      add_tree(*tree);
    } else if (const auto* direct = machine_.direct_links()) {
      add(machine_.link_classes().front().name, direct->bisection_gb_per_s());
    } else if (machine_.ranks() > 1) {
      add(machine_.link_classes().front().name,
          machine_.ranks() / 2 * machine_.link_classes().front().bandwidth.value);
    }
    return found_;
  }

 private:
  void add(const std::string& level, double gb_per_s) {
    if (found_.bisection_level.empty() || gb_per_s < found_.bisection_gb_per_s) {
      found_.bisection_gb_per_s = gb_per_s;
      found_.bisection_level = level;
    }
  }

  double rate(const std::string& name) const {
    const auto& classes = machine_.link_classes();
    return std::find_if(classes.begin(), classes.end(),
                        [&](const LinkClass& link) { return link.name == name; })
        ->bandwidth.value;
  }

  // Domains below one unit of a level, and the links of all rails out of it.
  struct Level {
    std::string name;
    std::int64_t domains;
    double gb_per_s;
  };

  void add_tree(const RailFatTree& tree) {
    const FabricSpec& fabric = *machine_.spec().fabric;
    const std::int64_t domains = machine_.space().domains();
    find_nics(tree);
    std::vector<Level> levels{{"nic", 1, 0}};
    if (fabric.kind == "dragonfly") {
      add("nic", std::min(nics_of(0, domains / 2), nics_of(domains - domains / 2, domains)));
      if (tree.pods() > 1) {
        add("spine_uplink", all_joined(tree.pods(), rate("spine_uplink")));
      } else if (tree.leaves() > 1) {
        add("leaf_uplink",
            all_joined(std::int64_t{fabric.groups_per_pod} * fabric.rails, rate("leaf_uplink")));
      }
      return;
    }
    if (fabric.tiers >= 2) {
      levels.push_back(
          {"leaf_uplink", fabric.domains_per_leaf, fabric.rails * rate("leaf_uplink")});
    }
    if (tree.pods() > 1) {
      levels.push_back({"spine_uplink",
                        std::int64_t{fabric.groups_per_pod} * fabric.domains_per_leaf,
                        rate("spine_uplink")});
    }
    if (tree.sites() > 1) {
      levels.push_back({"site_uplink", fabric.domains_per_site, rate("site_uplink")});
    }
    const auto first_of_node = [&](std::int64_t domain) {
      return std::int64_t{tree.node_of(RankId::from(domain * tree.space().domain_size()))};
    };
    if (first_of_node(domains - 1) == 0) {  // a single node
      const LinkClass& inside = machine_.link_classes().front();
      return add(inside.name, machine_.ranks() / 2 * inside.bandwidth.value);
    }
    for (const std::int64_t middle : {domains / 2, domains - domains / 2}) {
      std::int64_t half = first_of_node(middle);  // no node is cut in two
      for (std::int64_t d = middle; half == 0; ++d) half = first_of_node(d);
      add("nic", nics_of(half, domains));  // what the other half takes
      for (std::size_t top = 0; top < levels.size(); ++top) {
        if (half >= levels[top].domains) add(levels[top].name, way_out(levels, top, half));
      }
    }
  }

  // Out of the first `domains`: of whole units through their links, of the rest of one as they are
  // cut off from it below.
  double way_out(const std::vector<Level>& levels, std::size_t top, std::int64_t domains) const {
    return way_out(levels, top, 0, domains);
  }
  double way_out(const std::vector<Level>& levels, std::size_t top, std::int64_t first,
                 std::int64_t domains) const {
    if (top == 0) return nics_of(first, first + domains);
    const Level& level = levels[top];
    const double whole = static_cast<double>(domains / level.domains) * level.gb_per_s;
    const std::int64_t rest = domains % level.domains;
    if (rest == 0) return whole;
    first += domains - rest;
    double least = way_out(levels, 0, first, rest);
    for (std::size_t below = 1; below < top; ++below) {
      least = std::min(least, way_out(levels, below, first, rest));
    }
    return whole + least;
  }

  // The NICs of each domain, summed up to it.
  void find_nics(const RailFatTree& tree) {
    const std::int64_t domains = tree.space().domains(), nics = tree.nics() / domains;
    nics_.assign(1, 0);
    for (std::int64_t d = 0; d < domains; ++d) {
      const LinkId nic = tree.first_nic(d);
      const double one = tree.link_classes()[tree.link_class(nic).value()].bandwidth.value;
      nics_.push_back(nics_.back() + static_cast<double>(nics) * one);
    }
  }
  double nics_of(std::int64_t first, std::int64_t end) const {
    return nics_[static_cast<std::size_t>(end)] - nics_[static_cast<std::size_t>(first)];
  }

  const BuiltTopology& machine_;
  Structure found_;
  std::vector<double> nics_;  // GB/s out of all domains before
};

// A rank of every kind of domain.
std::vector<RankId> unlike_ranks(const Topology& machine) {
  std::vector<RankId> ranks;
  for (int kind = 0; kind < machine.kinds(); ++kind) {
    std::uint32_t rank = 0;
    while (machine.kind_of(RankId(rank)) != kind)
      rank += static_cast<std::uint32_t>(machine.space().domain_size());
    ranks.emplace_back(rank);
  }
  return ranks;
}

}  // namespace

Structure structure_of(const BuiltTopology& machine) {
  Structure structure = Levels(machine).narrowest();
  for (const RankId rank : unlike_ranks(machine)) {
    for (std::int32_t peer = 0; peer < machine.ranks(); ++peer) {
      const Route route = machine.route(rank, RankId::from(peer));
      double us = 0;
      for (const LinkId link : route.span()) {
        us += machine.link_classes()[machine.link_class(link).value()].latency.value;
      }
      structure.diameter_links = std::max(structure.diameter_links, route.count);
      structure.diameter_us = std::max(structure.diameter_us, us);
    }
  }
  return structure;
}

}  // namespace fabricast
