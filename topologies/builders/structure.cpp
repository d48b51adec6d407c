#include "topologies/builders/structure.hpp"

#include <algorithm>

#include "topologies/builders/rail_fat_tree.hpp"

namespace fabricast {
namespace {

// What crosses the middle of n ends that share `out` of each equally with all others.
double all_joined(double n, double out) { return n / 2 * (n / 2) / (n - 1) * out; }

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

  void add_tree(const RailFatTree& tree) {
    const FabricSpec& fabric = *machine_.spec().fabric;
    const auto half = [](std::int64_t n) { return static_cast<double>(n) / 2; };
    add("nic", half(tree.nics()) * rate("nic"));
    if (fabric.tiers < 2) return;
    const std::int64_t groups = tree.leaves() / fabric.rails;
    if (fabric.kind == "dragonfly") {
      if (tree.pods() > 1) {
        add("spine_uplink", all_joined(static_cast<double>(tree.pods()), rate("spine_uplink")));
      } else if (tree.leaves() > 1) {
        add("leaf_uplink", all_joined(fabric.groups_per_pod * fabric.rails, rate("leaf_uplink")));
      }
      return;
    }
    if (groups > 1) add("leaf_uplink", half(tree.leaves()) * rate("leaf_uplink"));
    if (tree.pods() > 1) add("spine_uplink", half(tree.pods()) * rate("spine_uplink"));
    if (tree.sites() > 1) {
      add("site_uplink", static_cast<double>(tree.sites() / 2) * rate("site_uplink"));
    }
  }

  const BuiltTopology& machine_;
  Structure found_;
};

}  // namespace

Structure structure_of(const BuiltTopology& machine) {
  Structure structure = Levels(machine).narrowest();
  for (std::int32_t peer = 1; peer < machine.ranks(); ++peer) {
    const Route route = machine.route(RankId(0), RankId::from(peer));
    double us = 0;
    for (const LinkId link : route.span()) {
      us += machine.link_classes()[machine.link_class(link).value()].latency.value;
    }
    structure.diameter_links = std::max(structure.diameter_links, route.count);
    structure.diameter_us = std::max(structure.diameter_us, us);
  }
  return structure;
}

}  // namespace fabricast
