#include "topologies/export/infragraph_yaml.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "topologies/builders/rail_fat_tree.hpp"

namespace fabricast {
namespace {

std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return result + '"';
}

std::string part(std::string_view name, std::string_view choice, std::int64_t count,
                 std::string_view description) {
  std::string text =
      fmt::format("      - name: {}\n        choice: {}\n        count: {}\n", name, choice, count);
  if (choice == "custom") text += "        custom:\n          type: asic\n";
  return text + fmt::format("        description: {}\n", in_quotes(description));
}

std::string link(std::string_view indent, std::string_view name, double gb_per_s, double us) {
  return fmt::format(
      "{0}- name: {1}\n{0}  physical:\n{0}    bandwidth: {{choice: gigabytes_per_second, "
      "gigabytes_per_second: {2:.12g}}}\n{0}    latency: {{choice: us, us: {3:.12g}}}\n",
      indent, name, gb_per_s, us);
}

// An edge between parts of one device.
std::string inner_edge(std::string_view a, std::string_view b, std::string_view scheme,
                       std::string_view link) {
  return fmt::format(
      "      - ep1: {{component: \"{}\"}}\n        ep2: {{component: \"{}\"}}\n        scheme: {}\n"
      "        link: {}\n",
      a, b, scheme, link);
}

struct End {
  std::string instance, component;
};

std::string edge(const End& a, const End& b, std::string_view link) {
  return fmt::format(
      "  - ep1: {{instance: \"{}\", component: \"{}\"}}\n    ep2: {{instance: \"{}\", component: "
      "\"{}\"}}\n    scheme: one2one\n    link: {}\n",
      a.instance, a.component, b.instance, b.component, link);
}

std::string one(std::string_view name, std::int64_t index) {
  return fmt::format("{}[{}]", name, index);
}
std::string range(std::string_view name, std::int64_t first, std::int64_t end) {
  return fmt::format("{}[{}:{}]", name, first, end);
}

class Writer {
 public:
  explicit Writer(const BuiltTopology& machine) : machine_(machine), spec_(machine.spec()) {}

  std::string write() {
    const std::string& shape = spec_.domain.shape;
    if (spec_.domain.size.value > 1 && (shape == "cube_mesh" || shape == "all_to_all")) {
      throw UsageError(fmt::format(
          "{}: links of the shape {} cannot be written as InfraGraph (the machine file does not "
          "list "
          "them, and a switch would be one that is not there); export a machine of another shape",
          spec_.name, shape));
    }
    if (!spec_.others.empty()) {
      throw UsageError(
          fmt::format("{}: nodes of several kinds are not written as InfraGraph (what reads it "
                      "back wants alike "
                      "ones); export the machine of each kind",
                      spec_.name));
    }
    std::string text = fmt::format("name: {}\ndescription: {}\ndevices:\n", in_quotes(spec_.name),
                                   in_quotes(spec_.title));
    text += node();
    const auto* tree = dynamic_cast<const RailFatTree*>(&machine_);
    if (tree == nullptr) {
      return text + "instances:\n  - {name: node, device: node, count: 1}\nlinks: []\nedges: []\n";
    }
    if (spec_.fabric->kind == "dragonfly" || tree->sites() > 1) {
      throw UsageError(
          fmt::format("{}: dragonflies and several sites cannot be written as InfraGraph (their "
                      "trunks stand for "
                      "many cables of unlike length); export one node or a tree",
                      spec_.name));
    }
    measure(*tree);
    return text + network();
  }

 private:
  std::string node() const {
    const auto& domain = spec_.domain;
    const auto members = static_cast<std::int64_t>(domain.size.value);
    std::string parts = part("xpu", "xpu", members, spec_.gpu.name);
    std::string links, edges;
    const auto* direct = machine_.direct_links();
    if (direct != nullptr) {
      for (const auto& one : direct->classes()) {
        links += link("      ", one.name, one.bandwidth.value, one.latency.value);
      }
      add_direct(*direct, members, edges);
    } else if (members > 1) {
      const auto chips = domain.switches ? static_cast<std::int64_t>(domain.switches->value) : 1;
      parts += part("scaleup", "switch", chips, "all chips between the accelerators");
      links += link("      ", to_string(domain.kind),
                    domain.bandwidth->value / static_cast<double>(chips), domain.latency->value);
      edges += inner_edge(range("xpu", 0, members), range("scaleup", 0, chips), "many2many",
                          to_string(domain.kind));
    }
    if (spec_.fabric) {
      const std::int64_t nics = spec_.fabric->nics, each = members / nics;
      parts += part("nic", "nic", nics, "network ports of the node");
      links += "      - name: attach\n";
      for (std::int64_t n = 0; n < nics; ++n) {
        edges += inner_edge(range("xpu", n * each, (n + 1) * each), one("nic", n), "many2many",
                            "attach");
      }
    }
    const auto list = [](std::string_view key, const std::string& items) {
      return items.empty() ? fmt::format("    {}: []\n", key)
                           : fmt::format("    {}:\n{}", key, items);
    };
    return fmt::format("  - name: node\n    description: {}\n", in_quotes(spec_.title)) +
           list("components", parts) + list("links", links) + list("edges", edges);
  }

  // A full mesh in one line; a torus cable by cable, one for both directions.
  void add_direct(const DirectLinks& direct, std::int64_t members, std::string& edges) const {
    if (spec_.domain.shape == "full_mesh") {
      edges += inner_edge(range("xpu", 0, members), range("xpu", 0, members), "many2many",
                          direct.classes().front().name);
      return;
    }
    for (std::int64_t a = 0; a < members; ++a) {
      for (std::int64_t b = a + 1; b < members; ++b) {
        Route route;
        direct.add_route(route, 0, static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b));
        if (route.count != 1) continue;
        edges += inner_edge(one("xpu", a), one("xpu", b), "one2one",
                            direct.classes()[direct.class_of(route.links[0].value())].name);
      }
    }
  }

  void measure(const RailFatTree& tree) {
    const FabricSpec& fabric = *spec_.fabric;
    domains_ = machine_.space().domains();
    per_leaf_ = fabric.domains_per_leaf;
    nics_on_leaf_ = fabric.nics / fabric.rails;
    const auto uplinks = [&](double down, const std::optional<Sourced>& over) {
      return std::max<std::int64_t>(1, std::llround(down / (over ? over->value : 1)));
    };
    leaves_ = fabric.tiers == 1 ? 1 : tree.leaves();
    leaf_up_ = fabric.tiers == 1 ? 0
                                 : uplinks(static_cast<double>(per_leaf_ * nics_on_leaf_),
                                           fabric.oversubscription);
    rail_only_ = fabric.kind == "rail_only";
    // A spine layer joins the leaves of a pod, in rail_only of one rail of it.
    const std::int64_t groups = leaves_ / fabric.rails;
    pods_ = fabric.tiers == 3 ? tree.pods() : 1;
    groups_in_pod_ = fabric.tiers == 3 ? fabric.groups_per_pod : groups;
    layers_ = rail_only_ ? fabric.rails : 1;
    // One group whose rails nothing joins needs no spines.
    if (rail_only_ && groups == 1) leaf_up_ = 0;
    leaves_below_ = groups_in_pod_ * (rail_only_ ? 1 : fabric.rails);
    spine_up_ = fabric.tiers == 3
                    ? uplinks(static_cast<double>(leaves_below_), fabric.core_oversubscription)
                    : 0;
  }

  std::string device(std::string_view name, std::int64_t ports) const {
    return fmt::format("  - name: {}\n    components:\n", name) +
           part("asic", "custom", 1, "switch chip") + part("port", "port", ports, "ports") +
           "    links:\n      - name: inside\n    edges:\n" +
           inner_edge("asic[0]", range("port", 0, ports), "many2many", "inside");
  }

  std::string network() const {
    const FabricSpec& fabric = *spec_.fabric;
    const std::int64_t down =
        fabric.tiers == 1 ? domains_ * fabric.nics : per_leaf_ * nics_on_leaf_;
    // What the machine file calls its radix; a single switch has as many ports as it needs.
    const std::int64_t radix = std::max(
        down + leaf_up_, fabric.radix ? static_cast<std::int64_t>(fabric.radix->value) : 0);
    std::string devices = device("leaf", radix);
    std::string instances = fmt::format(
        "  - {{name: node, device: node, count: {}}}\n  - {{name: leaf, device: leaf, "
        "count: {}}}\n",
        domains_, leaves_);
    const std::int64_t spines = pods_ * layers_ * leaf_up_;
    if (leaf_up_ > 0) {
      devices += device("spine", leaves_below_ + spine_up_);
      instances += fmt::format("  - {{name: spine, device: spine, count: {}}}\n", spines);
    }
    if (spine_up_ > 0) {
      devices += device("core", spines / layers_);
      instances +=
          fmt::format("  - {{name: core, device: core, count: {}}}\n", layers_ * spine_up_);
    }
    const double nic = fabric.nic_bandwidth.value;
    std::string links = link("  ", "nic", nic, fabric.nic_latency.value);
    if (leaf_up_ > 0) links += link("  ", "uplink", nic, fabric.hop_latency->value);
    return devices + "instances:\n" + instances + "links:\n" + links + "edges:\n" + edges(fabric);
  }

  std::string edges(const FabricSpec& fabric) const {
    std::string text;
    const std::int64_t groups = leaves_ / (fabric.tiers == 1 ? 1 : fabric.rails);
    for (std::int64_t g = 0; g < groups; ++g) {
      const std::int64_t first = g * per_leaf_, end = std::min(first + per_leaf_, domains_);
      for (std::int64_t n = 0; n < fabric.nics; ++n) {
        const std::int64_t leaf = fabric.tiers == 1 ? 0 : g * fabric.rails + n % fabric.rails;
        const std::int64_t port = (fabric.tiers == 1 ? n : n / fabric.rails) * per_leaf_;
        text += edge({range("node", first, end), one("nic", n)},
                     {one("leaf", leaf), range("port", port, port + end - first)}, "nic");
      }
    }
    const std::int64_t down = per_leaf_ * nics_on_leaf_;
    for (std::int64_t leaf = 0; leaf_up_ > 0 && leaf < leaves_; ++leaf) {
      const std::int64_t group = leaf / fabric.rails, rail = leaf % fabric.rails;
      const std::int64_t pod = group / groups_in_pod_, in_pod = group % groups_in_pod_;
      const std::int64_t layer = pod * layers_ + (rail_only_ ? rail : 0);
      const std::int64_t port = rail_only_ ? in_pod : in_pod * fabric.rails + rail;
      text += edge({one("leaf", leaf), range("port", down, down + leaf_up_)},
                   {range("spine", layer * leaf_up_, (layer + 1) * leaf_up_), one("port", port)},
                   "uplink");
    }
    // A core layer joins the spines of all pods, in rail_only of one rail of them.
    for (std::int64_t spine = 0; spine_up_ > 0 && spine < pods_ * layers_ * leaf_up_; ++spine) {
      const std::int64_t layer = spine / leaf_up_ % layers_, pod = spine / leaf_up_ / layers_;
      text += edge({one("spine", spine), range("port", leaves_below_, leaves_below_ + spine_up_)},
                   {range("core", layer * spine_up_, (layer + 1) * spine_up_),
                    one("port", pod * leaf_up_ + spine % leaf_up_)},
                   "uplink");
    }
    return text;
  }

  const BuiltTopology& machine_;
  const MachineSpec& spec_;
  std::int64_t domains_ = 1, per_leaf_ = 1, nics_on_leaf_ = 1, leaves_ = 1, leaf_up_ = 0;
  std::int64_t pods_ = 1, groups_in_pod_ = 1, layers_ = 1, leaves_below_ = 1, spine_up_ = 0;
  bool rail_only_ = false;
};

}  // namespace

std::string to_infragraph(const BuiltTopology& machine) { return Writer(machine).write(); }

}  // namespace fabricast
