// The `fabric:` section of a nested machine, with every shape number resolved and checked.
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "topologies/import/machine_yaml.hpp"
#include "topologies/import/sourced_yaml.hpp"

namespace fabricast {
namespace {

const std::array<std::string, 2> fabric_kinds{"rail_fat_tree", "single_switch"};
const std::array<std::string, 3> fabric_names{"infiniband", "roce", "ethernet"};

constexpr double max_nic_gb_per_s = 1e5;
constexpr double max_latency_us = 1e6;
constexpr double max_oversubscription = 64;

std::int32_t as_int(const Sourced& number) { return static_cast<std::int32_t>(number.value); }

Sourced latency(const YamlCursor& at) {
  return read_sourced(at, Dimension::duration, "us", Range::positive(max_latency_us));
}

Sourced ratio_or_one(const YamlCursor& fabric, std::string_view key) {
  const auto at = fabric.find(key);
  if (!at) return {1, "ratio", Origin::assumed, fmt::format("{} not given: 1", key)};
  return read_sourced_number(*at, "ratio", Range::between(1, max_oversubscription));
}

// The ports of a switch that face down when down : up is `oversubscription`.
std::int32_t ports_down(const Sourced& radix, const Sourced& oversubscription) {
  return static_cast<std::int32_t>(
      std::floor(radix.value * oversubscription.value / (1 + oversubscription.value)));
}

void read_nics(const YamlCursor& at, const DomainSpec& domain, FabricSpec& fabric) {
  const auto nic = at.at("nic");
  fabric.nic_bandwidth = read_sourced(nic.at("bandwidth"), Dimension::bandwidth, "GB/s",
                                      Range::positive(max_nic_gb_per_s));
  fabric.nic_latency = latency(nic.at("latency"));
  const std::int32_t members = as_int(domain.size);
  fabric.nics = members;
  if (const auto per_node = nic.find("per_node")) {
    fabric.nics = as_int(read_sourced_count(*per_node, "NICs", 1, members));
    if (members % fabric.nics != 0) {
      per_node->fail(fmt::format("{} NICs cannot be shared evenly by {} {}s; give a divisor",
                                 fabric.nics, members, domain.member));
    }
  }
}

void read_rails(const YamlCursor& at, FabricSpec& fabric) {
  const auto rails = at.at("rails");
  fabric.rails = as_int(read_sourced_count(rails, "rails", 1, fabric.nics));
  if (fabric.nics % fabric.rails != 0) {
    rails.fail(fmt::format("{} NICs of a {} cannot be spread evenly over {} rails; give a divisor",
                           fabric.nics, "domain", fabric.rails));
  }
}

// How many domains hang on one leaf, and how many leaf groups form a pod, from the ports.
void read_shape(const YamlCursor& at, std::int64_t domains, FabricSpec& fabric) {
  const std::int32_t per_domain = fabric.nics / fabric.rails;
  const std::int32_t down = ports_down(*fabric.radix, *fabric.oversubscription);
  const std::int32_t fits = down / per_domain;
  if (fits < 1) {
    at.at("radix").fail(fmt::format(
        "a leaf has {} ports down, but one domain puts {} NICs on it; give more rails or ports",
        down, per_domain));
  }
  fabric.domains_per_leaf = fits;
  if (const auto wanted = at.find("domains_per_leaf")) {
    fabric.domains_per_leaf = as_int(read_sourced_count(*wanted, "domains", 1, fits));
  }
  const std::int64_t groups = (domains + fabric.domains_per_leaf - 1) / fabric.domains_per_leaf;
  // A spine reaches every leaf below it, a core switch every pod, with at least one port each.
  const std::int64_t leaves = groups * fabric.rails;
  const auto radix = static_cast<std::int64_t>(fabric.radix->value);
  if (fabric.tiers == 2) {
    fabric.groups_per_pod = static_cast<std::int32_t>(groups);
    if (leaves > radix) {
      at.at("tiers").fail(fmt::format(
          "{} leaves need a third tier (a spine of {} ports reaches {} leaves); set tiers to 3",
          leaves, radix, radix));
    }
    return;
  }
  const std::int32_t spine_down = ports_down(*fabric.radix, *fabric.core_oversubscription);
  fabric.groups_per_pod = spine_down / fabric.rails;
  if (fabric.groups_per_pod < 1) {
    at.at("rails").fail(fmt::format(
        "a pod must hold {} leaves, one per rail, but a spine has {} ports down; give fewer rails",
        fabric.rails, spine_down));
  }
  const std::int64_t pods = (groups + fabric.groups_per_pod - 1) / fabric.groups_per_pod;
  if (pods > radix) {
    at.at("tiers").fail(
        fmt::format("{} pods are more than a core switch of {} ports reaches; give "
                    "a larger radix",
                    pods, radix));
  }
}

}  // namespace

FabricSpec read_fabric(const YamlCursor& at, const DomainSpec& domain, std::int64_t domains) {
  FabricSpec fabric;
  const std::string kind = at.at("kind").choice("kind of fabric", fabric_kinds);
  fabric.name = at.at("name").choice("fabric", fabric_names);
  read_nics(at, domain, fabric);
  if (kind == "single_switch") {
    fabric.tiers = 1;
    fabric.domains_per_leaf = static_cast<std::int32_t>(domains);
    return fabric;
  }
  fabric.tiers = as_int(read_sourced_count(at.at("tiers"), "tiers", 2, 3));
  read_rails(at, fabric);
  fabric.radix = read_sourced_count(at.at("radix"), "ports", 4, 4096);
  fabric.hop_latency = latency(at.at("hop_latency"));
  fabric.oversubscription = ratio_or_one(at, "oversubscription");
  if (fabric.tiers == 3) {
    fabric.core_oversubscription = ratio_or_one(at, "core_oversubscription");
  }
  read_shape(at, domains, fabric);
  return fabric;
}

}  // namespace fabricast
