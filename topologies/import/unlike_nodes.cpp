#include "topologies/import/unlike_nodes.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include <fmt/format.h>

#include "topologies/import/machine_yaml.hpp"

namespace fabricast {

void divide_nodes(const YamlCursor& list, MachineSpec& spec) {
  const auto size_of = [](const DomainSpec& node) {
    return static_cast<std::int32_t>(node.size.value);
  };
  std::int32_t part = size_of(spec.domain);
  bool unequal = false;
  for (const DomainPart& other : spec.others) {
    unequal = unequal || size_of(other.domain) != size_of(spec.domain);
    part = std::gcd(part, size_of(other.domain));
  }
  if (!unequal) return;
  const std::int32_t tray = std::max(1, spec.domain.members_per_tray);
  if (part < 2 || part % tray != 0) {
    list.fail(
        fmt::format("nodes of such sizes have parts of {} {} in common, and a part is {}; "
                    "give nodes that are alike in that, or two machines",
                    part, spec.domain.member,
                    spec.domain.members_per_tray > 1
                        ? fmt::format("whole trays of {}", spec.domain.members_per_tray)
                        : "two at least"));
  }
  const auto divide = [part, &size_of](DomainSpec& node, Sourced& count) {
    node.domains_per_node = size_of(node) / part;
    node.size = {static_cast<double>(part), node.size.unit, node.size.origin,
                 fmt::format("a part of {:.10g}: {}", node.size.value, node.size.source)};
    if (node.domains_per_node == 1) return;
    count = {count.value * node.domains_per_node, count.unit, count.origin,
             fmt::format("{:.10g} in {} parts each: {}", count.value, node.domains_per_node,
                         count.source)};
  };
  divide(spec.domain, spec.domains);
  for (DomainPart& other : spec.others) divide(other.domain, other.domains);
  spec.domain.noun += part_of_node;
}

void require_comparable(const YamlCursor& at, const MachineSpec& first, const MachineSpec& other) {
  const auto refuse = [&at](const std::string& what, const std::string& why) {
    at.fail(fmt::format("{} ({}); give nodes that are alike in that, or two machines", what, why));
  };
  const DomainSpec& a = first.domain;
  const DomainSpec& b = other.domain;
  if (a.members_per_tray != b.members_per_tray) {
    const auto trays = [](const DomainSpec& node) {
      return node.members_per_tray == 0
                 ? std::string("no trays")
                 : fmt::format("trays of {} {}s", node.members_per_tray, node.member);
    };
    refuse(fmt::format("{} where the first nodes have {}", trays(b), trays(a)),
           "ranks are numbered by their place in the node");
  }
  if (a.kind != b.kind || a.shape != "switch" || b.shape != "switch") {
    refuse(fmt::format("{} ({}) beside {} ({})", to_string(b.kind), b.shape, to_string(a.kind),
                       a.shape),
           "the members of unlike nodes meet at switches, of one kind");
  }
  if (first.gpu.vendor != other.gpu.vendor) {
    refuse(fmt::format("a GPU of {} beside one of {}", other.gpu.vendor, first.gpu.vendor),
           "no collective library runs on both");
  }
}

void read_other_nics(const YamlCursor& list, MachineSpec& spec) {
  if (spec.has_parts_of_nodes() && (spec.fabric->sites > 1 || spec.fabric->kind == "rail_only")) {
    list.fail(
        fmt::format("nodes of several sizes {}; give nodes of one size, or two machines",
                    spec.fabric->sites > 1 ? "at several sites" : "on rails that nothing joins"));
  }
  const auto items = list.items();
  std::int64_t before = spec.first_domains();
  for (std::size_t i = 0; i < items.size(); ++i) {
    DomainPart& part = spec.others[i];
    const std::int32_t parts = part.domain.domains_per_node;
    // So that leaves have whole nodes.
    if (spec.fabric->tiers > 1 &&
        (spec.domain.domains_per_node % parts != 0 || before % parts != 0)) {
      items[i].fail(fmt::format(
          "nodes of {:.10g} {}s behind others that do not make up whole ones of them; list the "
          "largest first, of which others are an equal part, and even numbers of small ones before "
          "larger",
          parts * part.domain.size.value, spec.domain.member));
    }
    before += static_cast<std::int64_t>(part.domains.value);
    part.nic_bandwidth = spec.fabric->nic_bandwidth;
    part.nic_latency = spec.fabric->nic_latency;
    if (const auto nic = items[i].find("nic")) read_part_nic(*nic, *spec.fabric, part);
  }
}

void divide_power(const DomainSpec& domain, CostSpec& cost) {
  if (domain.domains_per_node == 1 || !cost.domain_power_kw) return;
  Sourced& power = *cost.domain_power_kw;
  power = {power.value / domain.domains_per_node, power.unit, power.origin,
           fmt::format("one of {} parts of {:.10g} kW: {}", domain.domains_per_node, power.value,
                       power.source)};
}

}  // namespace fabricast
