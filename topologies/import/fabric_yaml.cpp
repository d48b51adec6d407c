// The `fabric:` section of a nested machine, with every shape number resolved and checked.
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "topologies/import/machine_yaml.hpp"
#include "topologies/import/sourced_yaml.hpp"

namespace fabricast {
namespace {

const std::array<std::string, 4> fabric_kinds{"rail_fat_tree", "single_switch", "rail_only",
                                              "dragonfly"};
const std::array<std::string, 7> fabric_names{"infiniband", "roce", "ethernet", "efa",
                                              "slingshot",  "tcpx", "tcpxo"};

constexpr double max_nic_gb_per_s = 1e5;
constexpr double max_latency_us = 1e6;
constexpr double max_oversubscription = 64;
constexpr double fibre_us_per_km = 5;
// Of a torus whose members change rail inside it: pairs on each rail are counted one by one.
constexpr std::int64_t max_rail_only_torus = 1024;

std::int32_t as_int(const Sourced& number) { return static_cast<std::int32_t>(number.value); }

Sourced latency(const YamlCursor& at) {
  return read_sourced(at, Dimension::duration, "us", Range::positive(max_latency_us));
}

Sourced ratio_or_one(const YamlCursor& fabric, std::string_view key) {
  const auto at = fabric.find(key);
  if (!at) return {1, "ratio", Origin::assumed, fmt::format("{} not given: 1", key)};
  return read_sourced_number(*at, "ratio", Range::between(1, max_oversubscription));
}

Sourced read_nic_rate(const YamlCursor& at) {
  return read_sourced(at, Dimension::bandwidth, "GB/s",
                      Range::between(min_link_gb_per_s, max_nic_gb_per_s));
}

void read_nics(const YamlCursor& at, const DomainSpec& domain, FabricSpec& fabric) {
  const auto nic = at.at("nic");
  fabric.nic_bandwidth = read_nic_rate(nic.at("bandwidth"));
  fabric.nic_latency = latency(nic.at("latency"));
  if (const auto ports = nic.find("ports")) {
    const Sourced count = read_sourced_count(*ports, "ports", 1, 64);
    fabric.nic_ports = as_int(count);
    Sourced& all = fabric.nic_bandwidth;
    all = {all.value * count.value, all.unit, std::max(all.origin, count.origin),
           fmt::format("{} ports of {:.10g} GB/s: {}; {}", count.value, all.value, all.source,
                       count.source)};
  }
  const std::int32_t members = as_int(domain.size);
  fabric.nics = members;
  if (const auto per_node = nic.find("per_node")) {
    const std::int32_t of_node = members * domain.domains_per_node;
    const std::int32_t nics = as_int(read_sourced_count(*per_node, "NICs", 1, of_node));
    if (of_node % nics != 0) {
      per_node->fail(fmt::format("{} NICs cannot be shared evenly by {} {}s; give a divisor", nics,
                                 of_node, domain.member));
    }
    if (nics % domain.domains_per_node != 0) {
      per_node->fail(fmt::format(
          "{} NICs cannot be shared evenly by the {} parts of {} {}s that nodes of several sizes "
          "have; give a multiple of {}",
          nics, domain.domains_per_node, members, domain.member, domain.domains_per_node));
    }
    fabric.nics = nics / domain.domains_per_node;
  }
}

// Without `rails`, each NIC of a node, or of a rack's tray, has its own.
void read_rails(const YamlCursor& at, const DomainSpec& domain, FabricSpec& fabric) {
  const auto rails = at.find("rails");
  if (!rails) {
    const std::int32_t trays =
        domain.members_per_tray == 0 ? 1 : as_int(domain.size) / domain.members_per_tray;
    fabric.rails = fabric.nics % trays == 0 ? std::max(1, fabric.nics / trays) : fabric.nics;
    return;
  }
  fabric.rails = as_int(read_sourced_count(*rails, "rails", 1, fabric.nics));
  if (fabric.nics % fabric.rails != 0) {
    rails->fail(fmt::format("{} NICs of a {} cannot be spread evenly over {} rails; give a divisor",
                            fabric.nics, "domain", fabric.rails));
  }
}

// In planes, a NIC has a slower port in each, and a switch as many more ports of that rate.
void read_planes(const YamlCursor& at, FabricSpec& fabric) {
  const auto planes = at.find("planes");
  if (!planes) return;
  const Sourced count = read_sourced_count(*planes, "planes", 1, 64);
  fabric.planes = as_int(count);
  Sourced& radix = *fabric.radix;
  radix = {radix.value * count.value, radix.unit, std::max(radix.origin, count.origin),
           fmt::format("{:.10g} ports at NIC rate x {} planes: {}; {}", radix.value, count.value,
                       radix.source, count.source)};
}

// Several sites: how many, how far apart, how wide the way between them.
void read_sites(const YamlCursor& at, std::int64_t domains, FabricSpec& fabric) {
  const auto sites = at.find("sites");
  if (!sites) return;
  const auto count = sites->at("count");
  fabric.sites = as_int(read_sourced_count(count, "sites", 2, 1024));
  if (fabric.sites > domains) {
    count.fail(
        fmt::format("{} sites are more than the {} domains; give fewer", fabric.sites, domains));
  }
  fabric.domains_per_site = static_cast<std::int32_t>((domains + fabric.sites - 1) / fabric.sites);
  const Sourced km = read_sourced_number(sites->at("distance_km"), "km", Range::positive(40'000));
  fabric.site_latency = Sourced{
      km.value * fibre_us_per_km, "us", km.origin,
      fmt::format("{:.10g} km of fibre at 5 us per km (200 m/us: blog.ipspace.net 2021-04); {}",
                  km.value, km.source)};
  fabric.site_bandwidth = read_sourced(sites->at("bandwidth"), Dimension::bandwidth, "GB/s",
                                       Range::between(min_link_gb_per_s, 1e9));
}

// How many domains hang on one leaf, from the ports; the number of groups (of a site).
std::int64_t read_leaves(const YamlCursor& at, const DomainSpec& domain, std::int64_t domains,
                         FabricSpec& fabric) {
  const std::int32_t per_domain = fabric.nics / fabric.rails;
  const std::int32_t down = ports_facing_down(fabric.radix->value, fabric.oversubscription->value);
  const std::int32_t fits = down / per_domain;
  if (fits < 1) {
    at.at("radix").fail(fmt::format(
        "a leaf has {} ports down, but one domain puts {} NICs on it; give more rails or ports",
        down, per_domain));
  }
  // Whole nodes, where one fits.
  const std::int32_t domains_per_node =
      fits < domain.domains_per_node ? 1 : domain.domains_per_node;
  fabric.domains_per_leaf = fits / domains_per_node * domains_per_node;
  if (const auto wanted = at.find("domains_per_leaf")) {
    fabric.domains_per_leaf =
        domains_per_node *
        as_int(read_sourced_count(*wanted, "domains", 1, fits / domains_per_node));
  }
  const std::int64_t here = fabric.sites > 1 ? fabric.domains_per_site : domains;
  return (here + fabric.domains_per_leaf - 1) / fabric.domains_per_leaf;
}

// Where a problem is told: at the key that was given, else at the ports.
YamlCursor given(const YamlCursor& at, std::string_view key) {
  if (const auto found = at.find(key)) return *found;
  return at.at("radix");
}

// Rails whose leaves meet at a spine.
std::int32_t joined_rails(const FabricSpec& fabric) {
  return fabric.kind == "rail_only" ? 1 : fabric.rails;
}

// How many leaf groups form a pod. A spine reaches every leaf below it, a core switch every pod,
// with at least one port each.
void read_pods(const YamlCursor& at, std::int64_t groups, FabricSpec& fabric) {
  const std::int32_t joined = joined_rails(fabric);
  const std::int64_t leaves = groups * joined;
  const auto radix = static_cast<std::int64_t>(fabric.radix->value);
  if (fabric.tiers == 2) {
    fabric.groups_per_pod = static_cast<std::int32_t>(groups);
    if (leaves > radix) {
      given(at, "tiers")
          .fail(fmt::format(
              "{} leaves need a third tier (a spine of {} ports reaches {} leaves); set tiers to 3",
              leaves, radix, radix));
    }
    return;
  }
  const std::int32_t spine_down =
      ports_facing_down(fabric.radix->value, fabric.core_oversubscription->value);
  fabric.groups_per_pod = spine_down / joined;
  if (fabric.groups_per_pod < 1) {
    given(at, "rails")
        .fail(fmt::format("a pod must hold {} leaves, one per rail, but a spine has {} ports down; "
                          "give fewer rails",
                          joined, spine_down));
  }
  const std::int64_t pods = (groups + fabric.groups_per_pod - 1) / fabric.groups_per_pod;
  if (pods > radix) {
    given(at, "tiers")
        .fail(fmt::format("{} pods are more than a core switch of {} ports reaches; give "
                          "a larger radix",
                          pods, radix));
  }
}

// Without `tiers`, two where they reach all leaves, else three.
int read_tiers(const YamlCursor& at, std::int64_t groups, const FabricSpec& fabric) {
  if (const auto tiers = at.find("tiers")) return as_int(read_sourced_count(*tiers, "tiers", 2, 3));
  return static_cast<double>(groups * joined_rails(fabric)) <= fabric.radix->value ? 2 : 3;
}

// Ports of `count` links of `rate`, all one way.
Sourced ways(const Sourced& count, const Sourced& rate, std::string_view what) {
  return {count.value * rate.value, rate.unit, std::max(count.origin, rate.origin),
          fmt::format("{:.10g} {} of {:.10g} GB/s: {}; {}", count.value, what, rate.value,
                      count.source, rate.source)};
}

// Routers, all joined in a group, and groups, all joined. Packets are spread over all ways out of a
// router and of a group.
void read_dragonfly(const YamlCursor& at, std::int64_t domains, FabricSpec& fabric) {
  fabric.tiers = 3;
  const auto radix = static_cast<std::int32_t>(fabric.radix->value);
  const auto routers_at = at.at("routers_per_group");
  const Sourced routers = read_sourced_count(routers_at, "routers", 2, radix);
  const Sourced nics = read_sourced_count(at.at("nics_per_router"), "NICs", 1, radix);
  const Sourced global = read_sourced_count(at.at("global_links"), "links", 1, radix);
  const std::int32_t ports = as_int(nics) + as_int(routers) - 1 + as_int(global);
  if (ports > radix) {
    at.at("radix").fail(
        fmt::format("a router needs {} ports ({} NICs, {} routers of its group, {} "
                    "to other groups), it has {}; give fewer",
                    ports, nics.value, routers.value - 1, global.value, radix));
  }
  const std::int32_t per_router = fabric.nics / fabric.rails;
  fabric.domains_per_leaf = as_int(nics) / per_router;
  if (fabric.domains_per_leaf < 1) {
    at.at("nics_per_router")
        .fail(fmt::format("one domain puts {} NICs on a router of {}; give more rails", per_router,
                          nics.value));
  }
  if (as_int(routers) % fabric.rails != 0) {
    routers_at.fail(fmt::format("{} routers cannot be shared evenly by {} rails; give a multiple",
                                routers.value, fabric.rails));
  }
  fabric.groups_per_pod = as_int(routers) / fabric.rails;
  const std::int64_t in_group = std::int64_t{fabric.domains_per_leaf} * fabric.groups_per_pod;
  const std::int64_t groups = (domains + in_group - 1) / in_group;
  if (groups - 1 > std::int64_t{as_int(routers)} * as_int(global)) {
    at.at("global_links")
        .fail(fmt::format("{} groups are more than the {} links of a group reach; give more links",
                          groups, routers.value * global.value));
  }
  Sourced others = routers;
  others.value -= 1;
  fabric.local_bandwidth = ways(others, fabric.nic_bandwidth, "links in the group");
  const Sourced all{routers.value * global.value, "links", std::max(routers.origin, global.origin),
                    fmt::format("{:.10g} routers x {:.10g}: {}; {}", routers.value, global.value,
                                routers.source, global.source)};
  fabric.global_bandwidth = ways(all, fabric.nic_bandwidth, "links to other groups");
}

}  // namespace

std::int32_t ports_facing_down(double radix, double oversubscription) {
  return static_cast<std::int32_t>(std::floor(radix * oversubscription / (1 + oversubscription)));
}

FabricSpec read_fabric(const YamlCursor& at, const DomainSpec& domain, std::int64_t domains) {
  FabricSpec fabric;
  fabric.kind = at.at("kind").choice("kind of fabric", fabric_kinds);
  fabric.name = at.at("name").choice("fabric", fabric_names);
  if (fabric.kind == "rail_only" && !domain.axes.empty() &&
      domain.size.value > max_rail_only_torus) {
    at.at("kind").fail(
        fmt::format("a torus of {} members is too large to change rail inside it (at most {}); "
                    "give kind: rail_fat_tree or smaller nodes",
                    domain.size.value, max_rail_only_torus));
  }
  read_nics(at, domain, fabric);
  if (fabric.kind == "single_switch") {
    fabric.tiers = 1;
    fabric.domains_per_leaf = static_cast<std::int32_t>(domains);
    return fabric;
  }
  read_rails(at, domain, fabric);
  fabric.radix = read_sourced_count(at.at("radix"), "ports", 4, 65536);
  read_planes(at, fabric);
  if (fabric.kind == "dragonfly") {
    fabric.hop_latency = latency(at.at("hop_latency"));
    read_dragonfly(at, domains, fabric);
    return fabric;
  }
  if (fabric.kind == "rail_fat_tree") read_sites(at, domains, fabric);
  fabric.hop_latency = latency(at.at("hop_latency"));
  fabric.oversubscription = ratio_or_one(at, "oversubscription");
  const std::int64_t groups = read_leaves(at, domain, domains, fabric);
  fabric.tiers = read_tiers(at, groups, fabric);
  // A fabric's own file says what a third tier would be, whether or not there is one.
  const bool whole = at.path().empty();
  if (fabric.tiers == 3 || whole) {
    const Sourced core = ratio_or_one(at, "core_oversubscription");
    if (fabric.tiers == 3) fabric.core_oversubscription = core;
  }
  read_pods(at, groups, fabric);
  return fabric;
}

void read_part_nic(const YamlCursor& at, const FabricSpec& fabric, DomainPart& part) {
  if (const auto bandwidth = at.find("bandwidth")) {
    part.nic_bandwidth = read_nic_rate(*bandwidth);
    const double one_port = fabric.nic_bandwidth.value / fabric.nic_ports;
    if (fabric.tiers >= 2 && part.nic_bandwidth.value > one_port) {
      bandwidth->fail(
          fmt::format("{:.10g} GB/s is more than the {:.10g} GB/s of the first nodes' NICs "
                      "(fabric.nic.bandwidth, "
                      "as written or set), which the ports of the switches are for; list the "
                      "faster nodes first",
                      part.nic_bandwidth.value, one_port));
    }
    part.nic_bandwidth.value *= fabric.nic_ports;
  }
  if (const auto us = at.find("latency")) part.nic_latency = latency(*us);
}

}  // namespace fabricast
