#include "topologies/draw/machine_rows.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "topologies/builders/rail_fat_tree.hpp"

namespace fabricast {
namespace {

using Style = PictureStyle;
using Rows = std::vector<PictureRow>;

std::string rate(const Sourced& bandwidth) {
  if (bandwidth.value >= 1000) return fmt::format("{:.4g} TB/s", bandwidth.value / 1000);
  return fmt::format("{:.4g} GB/s", bandwidth.value);
}

const LinkClass* link(const BuiltTopology& machine, std::string_view name) {
  for (const auto& c : machine.link_classes()) {
    if (c.name == name) return &c;
  }
  return nullptr;
}

std::string trunk(const BuiltTopology& machine, std::string_view name, std::string_view of) {
  const auto* c = link(machine, name);
  if (c == nullptr) return "";
  return fmt::format("{} per {}, {:.4g} us", rate(c->bandwidth), of, c->latency.value);
}

std::string planes(const FabricSpec& fabric) {
  return fabric.planes > 1 ? fmt::format(", in {} planes", fabric.planes) : "";
}

// Every group has links to every other, every router of a group to every other.
Rows dragonfly_network(const BuiltTopology& machine, const RailFatTree& tree) {
  const std::int64_t routers =
      std::int64_t{machine.spec().fabric->groups_per_pod} * machine.spec().fabric->rails;
  if (tree.pods() < 2) return {};
  PictureRow groups{"group", "groups", "", Style::tier_fill, tree.pods(), "", "group"};
  groups.note = fmt::format("{} routers each", routers);
  groups.joined = trunk(machine, "spine_uplink", "group");
  return {groups};
}

Rows dragonfly_group(const BuiltTopology& machine) {
  const FabricSpec& fabric = *machine.spec().fabric;
  const std::int64_t routers = std::int64_t{fabric.groups_per_pod} * fabric.rails;
  const std::string& noun = machine.spec().domain.noun;
  PictureRow router{"router", "routers", "", Style::tier_fill, routers, "", "router"};
  router.note = fmt::format("{:.5g} ports each", fabric.radix->value);
  router.joined = trunk(machine, "leaf_uplink", "router");
  router.below = trunk(machine, "nic", "NIC");
  router.per_box = fabric.domains_per_leaf;
  const std::int64_t here = std::min<std::int64_t>(
      std::int64_t{fabric.domains_per_leaf} * fabric.groups_per_pod, machine.space().domains());
  PictureRow nodes{noun, noun + "s", "", Style::gpu_fill, here, "", noun, 1};
  nodes.note = fmt::format("{} on a router", fabric.domains_per_leaf);
  if (fabric.rails > 1) router.per_box = 0;  // each node hangs on a router per rail
  return {router, nodes};
}

// "100 GB/s per NIC, 1.4 us", of unlike NICs "50 to 100 GB/s per NIC".
std::string per_nic(const BuiltTopology& machine) {
  double least = machine.spec().fabric->nic_bandwidth.value, most = least;
  for (const DomainPart& part : machine.spec().others) {
    least = std::min(least, part.nic_bandwidth.value);
    most = std::max(most, part.nic_bandwidth.value);
  }
  if (machine.kinds() == 1) return trunk(machine, "nic", "NIC");
  if (least == most) return fmt::format("{:.4g} GB/s per NIC", most);
  return fmt::format("{:.4g} to {:.4g} GB/s per NIC", least, most);
}

// Each rail has a tree of its own.
Rows rail_only_network(const BuiltTopology& machine, const RailFatTree& tree) {
  const FabricSpec& fabric = *machine.spec().fabric;
  const std::int64_t groups = tree.leaves() / fabric.rails;
  if (groups < 2) return {};
  const std::string group_note = fmt::format("{} leaves (one per rail), {} {}s each", fabric.rails,
                                             fabric.domains_per_leaf, machine.spec().domain.noun);
  PictureRow below{
      "group of leaves", "groups of leaves", group_note, Style::tier_fill, groups, "", "group", 1};
  PictureRow top{"spine layer",
                 "spine layers",
                 "one per rail, not joined",
                 Style::tier_fill,
                 fabric.rails,
                 trunk(machine, "leaf_uplink", "leaf"),
                 "rail",
                 0,
                 true};
  if (fabric.tiers < 3 || tree.pods() < 2) return {top, below};
  top.one = "core";
  top.many = "cores";
  top.below = trunk(machine, "spine_uplink", "pod, all rails");
  PictureRow pods{"pod of spines",
                  "pods of spines",
                  "a spine layer per rail",
                  Style::tier_fill,
                  tree.pods(),
                  trunk(machine, "leaf_uplink", "leaf"),
                  "pod",
                  fabric.groups_per_pod};
  return {top, pods, below};
}

Rows tree_network(const BuiltTopology& machine, const RailFatTree& tree) {
  Rows rows;
  const FabricSpec& fabric = *machine.spec().fabric;
  if (tree.sites() > 1) {
    rows.push_back({"wide-area network", "wide-area networks",
                    fmt::format("{:.4g} us one way", fabric.site_latency->value), Style::tier_fill,
                    1, trunk(machine, "site_uplink", "site"), "between sites"});
  }
  if (fabric.tiers == 3) {
    rows.push_back({"core", "cores",
                    tree.sites() > 1 ? fmt::format("one for each of {} sites", tree.sites())
                                     : "joins all pods",
                    Style::tier_fill, tree.sites(), trunk(machine, "spine_uplink", "pod"), "core"});
  }
  if (fabric.tiers < 2) return rows;
  const std::int64_t groups = tree.leaves() / fabric.rails;
  const bool pods = fabric.tiers == 3;
  const std::int64_t spines = pods ? tree.pods() : tree.sites();
  if (!rows.empty()) rows.back().per_box = spines / std::max<std::int64_t>(1, tree.sites());
  rows.push_back({"spine layer", "spine layers",
                  (pods ? "one per pod" : "joins all leaves") + planes(fabric), Style::tier_fill,
                  spines, trunk(machine, "leaf_uplink", "leaf"), pods ? "pod" : "spine",
                  pods ? fabric.groups_per_pod : groups / spines});
  rows.push_back(
      {"group of leaves", "groups of leaves",
       fmt::format("{} {}, {} {}s each", fabric.rails, fabric.rails == 1 ? "leaf" : "leaves",
                   fabric.domains_per_leaf, machine.spec().domain.noun),
       Style::tier_fill, groups, "", "group", 1});
  return rows;
}

// The links of the members: behind a switch, of each to each, or a pipe where nobody says which.
PictureRow scale_up(const DomainSpec& domain, const std::string& noun) {
  const bool behind_switch = domain.shape == "switch";
  PictureRow row{behind_switch ? "scale-up switch" : "pipe for all links",
                 "",
                 "",
                 Style::switch_fill,
                 1,
                 "",
                 behind_switch
                     ? std::string(to_string(domain.kind))
                     : fmt::format("{}: which links lead where is not in the file", domain.shape)};
  if (domain.switches) row.note = fmt::format("{} chips", domain.switches->value);
  row.below =
      fmt::format("{}{} per {}", domain.links ? fmt::format("{} links, ", domain.links->value) : "",
                  rate(*domain.bandwidth), noun);
  return row;
}

}  // namespace

std::string member_noun(const MachineSpec& spec) {
  if (spec.domain.member != "gpu") return spec.domain.member;
  return spec.gpu.vendor == "nvidia" || spec.gpu.vendor == "amd" ? "GPU" : "chip";
}

Rows network_rows(const BuiltTopology& machine) {
  const auto* tree = dynamic_cast<const RailFatTree*>(&machine);
  if (tree == nullptr) return {};
  const std::string& kind = machine.spec().fabric->kind;
  if (kind == "dragonfly") return dragonfly_network(machine, *tree);
  if (kind == "rail_only") return rail_only_network(machine, *tree);
  return tree_network(machine, *tree);
}

Rows group_rows(const BuiltTopology& machine) {
  if (!machine.spec().fabric) return {};
  const FabricSpec& fabric = *machine.spec().fabric;
  if (fabric.kind == "dragonfly") return dragonfly_group(machine);
  const bool leaves = fabric.tiers >= 2;
  const std::string& noun = machine.spec().domain.noun;
  PictureRow top{leaves ? "leaf switch" : "switch",
                 "leaf switches",
                 "joins all NICs",
                 Style::tier_fill,
                 leaves ? fabric.rails : 1,
                 per_nic(machine),
                 !leaves             ? "switch"
                 : fabric.rails == 1 ? "leaf"
                                     : "rail"};
  if (leaves) {
    top.note = fmt::format("{:.5g} ports, {}{}", fabric.radix->value,
                           fabric.rails == 1 ? "all rails" : "one per rail", planes(fabric));
  }
  top.coloured = top.count > 1;
  const std::int64_t here =
      std::min<std::int64_t>(fabric.domains_per_leaf, machine.space().domains());
  PictureRow nodes{noun, noun + "s", "", Style::gpu_fill, here, "", noun, 1};
  nodes.note =
      fmt::format("{} NIC{} of each on {} leaf", fabric.nics / fabric.rails,
                  fabric.nics == fabric.rails ? "" : "s", fabric.rails == 1 ? "the" : "each");
  if (!leaves) nodes.note = fmt::format("{} NICs each", fabric.nics);
  return {top, nodes};
}

Rows node_rows(const BuiltTopology& machine, const DomainPart* part) {
  Rows rows;
  const DomainSpec& domain = part != nullptr ? part->domain : machine.spec().domain;
  const std::string noun = member_noun(machine.spec());
  const std::int64_t parts = domain.domains_per_node;
  const std::int64_t members = machine.space().domain_size() * parts;
  const bool mesh = domain.shape == "full_mesh" && members > 1;
  if (domain.bandwidth && !mesh && domain.axes.empty()) rows.push_back(scale_up(domain, noun));
  PictureRow gpus{noun, noun + "s", "", Style::gpu_fill, members, "", noun};
  if (domain.members_per_tray > 0) {
    gpus.note =
        fmt::format("{} trays of {}", members / domain.members_per_tray, domain.members_per_tray);
  }
  if (mesh) {
    gpus.joined = rate(machine.link_classes().front().bandwidth) + " each";
  }
  // A torus shows its members.
  if (domain.axes.empty() || machine.spec().fabric) rows.push_back(gpus);
  if (!machine.spec().fabric) return rows;
  const FabricSpec& fabric = *machine.spec().fabric;
  const std::int64_t nic_count = fabric.nics * parts;
  rows.back().below =
      fmt::format("{} {}{} per NIC", members / nic_count, noun, members == nic_count ? "" : "s");
  rows.back().per_box = -(members / nic_count);
  PictureRow nics{"NIC", "NICs", "", Style::nic_fill, nic_count, "", "NIC"};
  const Sourced& nic = part != nullptr ? part->nic_bandwidth : fabric.nic_bandwidth;
  nics.note = fmt::format("{:.4g} Gbit/s each", nic.value * 8);
  if (fabric.nic_ports > 1) nics.note += fmt::format(", {} ports", fabric.nic_ports);
  rows.push_back(nics);
  return rows;
}

}  // namespace fabricast
