// What a machine file says, before it is a Topology: plain data, checked by the reader.
//
// Units are those of the field names; every number keeps its origin and source. Value types.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "topologies/model/topology.hpp"

namespace fabricast {

// An axis of a torus.
struct TorusAxis {
  std::int32_t size = 1;
  Sourced bandwidth;  // GB/s per direction of one link
  bool wraps = true;  // the last member is next to the first
  // Optical switches join cubes of so many members along the axis, so that a part of whole cubes
  // wraps as well; 0: none do.
  std::int32_t cube = 0;
};

// One scale-up domain: an HGX box, an NVL rack, or the cores of a host.
struct DomainSpec {
  std::string noun;                   // "node", "rack", "host": for names of links
  std::string member;                 // "gpu", "lane"
  Sourced size;                       // GPUs or lanes
  std::int32_t members_per_tray = 0;  // nvl_rack; 0 elsewhere
  // Where nodes are of several sizes a domain is a part of one, as large as divides them all: so
  // many, one behind the other, are a node, whose members all meet at its switch.
  std::int32_t domains_per_node = 1;
  // How members reach each other; absent exactly when the domain has one member.
  LinkKind kind = LinkKind::nvlink;
  std::optional<Sourced> bandwidth;             // GB/s per direction of a member's link
  std::optional<Sourced> latency;               // us per link
  std::optional<Sourced> in_network_reduction;  // 1: yes, 0: no
  // How a member's links lead to the others; decides what NCCL finds, and the links of full_mesh.
  std::string shape = "switch";
  std::vector<TorusAxis> axes;      // of shape torus
  std::optional<Sourced> links;     // of a member
  std::optional<Sourced> switches;  // chips of the switch
  Sourced channels;                 // of a communicator inside one domain
};

// What a domain is joined by, unless a nested machine says otherwise.
struct ScaleOutSpec {
  std::string fabric;  // name of a fabric file
  Sourced channels;    // of a communicator across domains
};

// The network between domains. Shape numbers are resolved (defaults filled in from the radix).
struct FabricSpec {
  std::string kind = "rail_fat_tree";  // single_switch, dragonfly, rail_only
  std::string name;                    // "infiniband", "roce", "ethernet"
  int tiers = 2;                       // 1: one switch; 2: leaf, spine; 3: leaf, spine, core
  std::int32_t nics = 1;               // per domain, shared evenly by its members
  std::int32_t rails = 1;              // NIC n of a domain is on rail n % rails
  std::int32_t domains_per_leaf = 1;
  std::int32_t groups_per_pod = 1;          // leaf groups (one leaf per rail) under one spine layer
  std::int32_t nic_ports = 1;               // of a NIC, used together
  Sourced nic_bandwidth;                    // GB/s per direction, all ports of a NIC together
  Sourced nic_latency;                      // us, end to end under one leaf
  std::optional<Sourced> hop_latency;       // us per extra switch hop; tiers >= 2
  std::optional<Sourced> radix;             // ports of a switch; tiers >= 2
  std::optional<Sourced> oversubscription;  // down : up at the leaf; tiers >= 2
  std::optional<Sourced> core_oversubscription;  // down : up at the spine; tiers == 3
  // dragonfly: the way out of a router to its group, and of a group to the others; else derived.
  std::optional<Sourced> local_bandwidth, global_bandwidth;  // GB/s per direction, all links
  std::int32_t planes = 1;  // equal networks that a NIC's packets are sprayed over
  // Sites: consecutive domains; a whole tree at each, joined by the long way.
  std::int32_t sites = 1;
  std::int32_t domains_per_site = 0;      // sites > 1 only, as the next two
  std::optional<Sourced> site_bandwidth;  // GB/s of a site's way out, per direction
  std::optional<Sourced> site_latency;    // us from site to site, one way
};

// What a machine draws and costs. Everything may be missing.
struct CostSpec {
  std::optional<Sourced> domain_power_kw;    // of a whole node or rack
  std::optional<Sourced> facility_overhead;  // facility power : its
  std::optional<Sourced> usd_per_gpu_hour;
  std::optional<Sourced> usd_per_gpu;  // to build: all of the site, over its GPUs
  std::string date;                    // of the price, as printed
};

// Domains of another kind, behind the first ones: as many members, of the same vendor, joined by a
// switch of the same kind, and as many NICs.
struct DomainPart {
  Sourced domains;  // how many
  GpuModel gpu;
  DomainSpec domain;
  Sourced nic_bandwidth;  // GB/s per direction, as FabricSpec's
  Sourced nic_latency;    // us, end to end between two of them
  CostSpec cost;
  std::optional<Sourced> channels{};  // of a communicator over such nodes alone, where they say so
};

struct ProcessorSpec {  // of a host machine
  std::string name;
  Sourced llc_mb;
};

// Behind the noun of a domain that is a part of a node: "rack part".
inline constexpr std::string_view part_of_node = " part";

struct MachineSpec {
  std::string name, title, kind, yaml;
  GpuModel gpu;
  std::optional<ProcessorSpec> processor;
  DomainSpec domain;
  std::optional<ScaleOutSpec> scale_out;
  Sourced domains{1, "", Origin::assumed, "a single domain"};  // of all kinds
  std::vector<DomainPart> others;                              // the last of them, in this order
  std::optional<FabricSpec> fabric;  // present exactly when there are several domains
  Sourced channels;                  // of a communicator over the whole machine
  CostSpec cost;
  bool announced = false;           // not on sale yet: figures are the vendor's plans
  std::vector<std::string> doubts;  // what its sources leave open or contradict

  // How many of the domains are of the first kind.
  std::int64_t first_domains() const {
    auto count = static_cast<std::int64_t>(domains.value);
    for (const DomainPart& part : others) count -= static_cast<std::int64_t>(part.domains.value);
    return count;
  }
  // Are there nodes cut into several domains?
  bool has_parts_of_nodes() const {
    return domain.domains_per_node > 1 ||
           std::any_of(others.begin(), others.end(),
                       [](const DomainPart& part) { return part.domain.domains_per_node > 1; });
  }
  // What a whole node is called, of which a domain may be a part.
  std::string node_noun() const {
    const std::string& noun = domain.noun;
    return noun.ends_with(part_of_node) ? noun.substr(0, noun.size() - part_of_node.size()) : noun;
  }
  // Where no channels are given for the whole machine: the least that any of its nodes says, as
  // NCCL's ranks take the least that any of them found. Only with a scale_out.
  Sourced least_channels() const {
    Sourced least = scale_out->channels;
    for (const DomainPart& part : others) {
      if (part.channels && part.channels->value < least.value) least = *part.channels;
    }
    return least;
  }
};

}  // namespace fabricast
