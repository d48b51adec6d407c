#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "topologies/import/infragraph_structure.hpp"
#include "topologies/import/machine_yaml.hpp"

namespace fabricast {
namespace {

// One end of a link of a member.
struct Way {
  std::int32_t part, link, member, other;
  auto operator<=>(const Way&) const = default;
};

bool joins_accelerators(const InfraNodes& nodes, std::int32_t part) {
  const std::string& choice = nodes.device->parts[static_cast<std::size_t>(part)].choice;
  return part == nodes.xpu || choice == "switch" || choice == "custom" || choice == "device";
}

std::vector<Way> ways_of(const InfraNodes& nodes) {
  std::vector<Way> ways;
  for (const InfraEdge& edge : nodes.device->edges) {
    if (edge.a.owner >= 0 || edge.b.owner >= 0) continue;
    for (const auto& [mine, other] : {std::pair{edge.a, edge.b}, std::pair{edge.b, edge.a}}) {
      if (mine.part != nodes.xpu || !joins_accelerators(nodes, other.part)) continue;
      ways.push_back({other.part, edge.link, mine.part_index, other.part_index});
    }
  }
  std::sort(ways.begin(), ways.end());
  return ways;
}

using Ends = std::vector<std::pair<std::int32_t, int>>;  // the other's index, links to it

// What the ways of one kind, sorted by member, are together.
struct Kind {
  bool whole = true, even = true;
  Ends of_first;
};

Kind kind_of(const InfraNodes& nodes, const Way* at, const Way* end) {
  const bool direct = at->part == nodes.xpu;
  Kind kind;
  std::int64_t member = 0;
  for (; at < end && kind.whole; ++member) {
    Ends ends;
    const Way* way = at;
    for (; way < end && way->member == at->member; ++way) {
      if (ends.empty() || ends.back().first != way->other) ends.emplace_back(way->other, 0);
      ++ends.back().second;
    }
    kind.whole = at->member == member;
    if (member == 0) kind.of_first = ends;
    if (direct) {
      kind.whole = kind.whole && static_cast<std::int64_t>(ends.size()) == nodes.members - 1;
      for (const auto& [other, links] : ends) {
        kind.even = kind.even && links == kind.of_first.front().second;
      }
    } else {
      kind.whole = kind.whole && ends == kind.of_first;
    }
    at = way;
  }
  kind.whole = kind.whole && member == nodes.members;
  return kind;
}

}  // namespace

void InfraNodes::fail(const std::string& problem, const std::string& advice) const {
  throw UsageError(fmt::format("{}: {} ({}) {}", file, problem,
                               device == nullptr ? "no node" : device->name, advice));
}

InfraNodes find_infra_nodes(const InfraGraph& graph, const std::string& file) {
  InfraNodes nodes{graph, file, nullptr, -1, 0, 0, {}};
  for (const InfraInstance& instance : graph.instances) {
    nodes.first.push_back(-1);
    const InfraDevice& device = graph.devices[instance.device];
    std::int32_t xpu = -1;
    for (std::size_t i = 0; i < device.parts.size(); ++i) {
      if (device.parts[i].choice != "xpu" || device.parts[i].count == 0) continue;
      if (xpu >= 0) {
        nodes.device = &device;
        nodes.fail("it has two kinds of accelerators", "a machine has one");
      }
      xpu = static_cast<std::int32_t>(i);
    }
    if (xpu < 0) continue;
    if (nodes.device != nullptr && nodes.device != &device) {
      nodes.fail(fmt::format("its nodes are not alike: {} and {}", nodes.device->name, device.name),
                 "a machine repeats one kind of node");
    }
    nodes.device = &device;
    nodes.xpu = xpu;
    nodes.members = device.parts[static_cast<std::size_t>(xpu)].count;
    nodes.first.back() = nodes.count;
    nodes.count += instance.count;
    if (nodes.members > max_domain_members) {
      nodes.fail(fmt::format("{} accelerators in one node are too many", nodes.members),
                 fmt::format("give at most {}", max_domain_members));
    }
    if (nodes.count > max_domains) {
      nodes.fail("it has too many nodes", fmt::format("give at most {}", max_domains));
    }
  }
  if (nodes.count == 0) {
    nodes.fail("no instance has accelerators", "a component of choice xpu is one");
  }
  return nodes;
}

InfraScaleUp find_infra_scale_up(const InfraNodes& nodes) {
  const std::vector<Way> ways = ways_of(nodes);
  InfraScaleUp best;
  for (std::size_t begin = 0, end = 0; begin < ways.size(); begin = end) {
    const Way& way = ways[begin];
    while (end < ways.size() && ways[end].part == way.part && ways[end].link == way.link) ++end;
    const Kind kind = kind_of(nodes, ways.data() + begin, ways.data() + end);
    if (!kind.whole) continue;
    if (!kind.even) {
      best.uneven = true;
      continue;
    }
    int count = 0;
    for (const auto& [other, links] : kind.of_first) count += links;
    const InfraLink& given = nodes.device->links[static_cast<std::size_t>(way.link)];
    const double rate = given.gb_per_s.value_or(0) * count;
    if (!best.source.empty() && rate <= best.gb_per_s) continue;
    const bool direct = way.part == nodes.xpu;
    best = {rate,
            direct ? "full_mesh" : "switch",
            fmt::format("{} links of {}", count, given.name),
            count,
            direct ? 0 : static_cast<int>(kind.of_first.size()),
            given.latency_us,
            best.uneven};
  }
  return best;
}

}  // namespace fabricast
