#include "topologies/import/infragraph_leaves.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace fabricast {
namespace {

using Port = std::pair<std::int32_t, std::int32_t>;  // part of the node, index

// A cable between a node and its leaf.
struct Attachment {
  std::int64_t node;
  Port port;
  InfraSwitch leaf;
  auto operator<=>(const Attachment&) const = default;
};

class LeafFinder {
 public:
  LeafFinder(const InfraNodes& nodes, InfraNetwork& network)
      : nodes_(nodes), graph_(nodes.graph), network_(network) {}

  InfraLeaves find() {
    read_attachments();
    number_switches();
    find_pattern();
    return std::move(leaves_);
  }

 private:
  void read_attachments() {
    std::set<Port> ports;
    for (const InfraEdge& edge : graph_.edges) {
      const bool a = nodes_.is_node(edge.a), b = nodes_.is_node(edge.b);
      if (a && b) {
        nodes_.fail("two of its nodes are joined without a switch", "that is no machine of ours");
      }
      if (!a && !b) {
        leaves_.between.push_back(&edge);
        continue;
      }
      const InfraEnd &node = a ? edge.a : edge.b, &other = a ? edge.b : edge.a;
      const Port port{node.part, node.part_index};
      attachments_.push_back({nodes_.first[static_cast<std::size_t>(node.owner)] + node.owner_index,
                              port, switch_of(other)});
      ports.insert(port);
      if (static_cast<std::int64_t>(ports.size()) > nodes_.members) {
        nodes_.fail("its nodes have more ports than accelerators", "a NIC serves one or several");
      }
      const InfraLink& link = link_of(nodes_, edge);
      if (network_.nic_gb_per_s > 0 && network_.nic_gb_per_s != *link.gb_per_s) {
        nodes_.fail("the ports of its nodes differ in bandwidth", "a machine has one kind of NIC");
      }
      network_.nic_gb_per_s = *link.gb_per_s;
      network_.nic_link = link.name;
      network_.latency_us = link.latency_us;
    }
    std::sort(attachments_.begin(), attachments_.end());
    for (std::size_t i = 1; i < attachments_.size(); ++i) {
      const Attachment &one = attachments_[i - 1], &next = attachments_[i];
      if (one.node != next.node || one.port != next.port) continue;
      const InfraPart& part = nodes_.device->parts[static_cast<std::size_t>(one.port.first)];
      nodes_.fail(
          fmt::format("{} {} of node {} has several edges", part.name, one.port.second, one.node),
          "give every port one");
    }
    network_.nics = static_cast<int>(ports.size());
    if (ports.empty() ||
        attachments_.size() != ports.size() * static_cast<std::size_t>(nodes_.count)) {
      nodes_.fail("its nodes are not all joined by the same ports",
                  "join every port of every node");
    }
  }

  void number_switches() {
    std::vector<InfraSwitch>& all = leaves_.switches;
    for (const Attachment& one : attachments_) all.push_back(one.leaf);
    for (const InfraEdge* edge : leaves_.between) {
      all.push_back(switch_of(edge->a));
      all.push_back(switch_of(edge->b));
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
  }

  // The leaf of a node's port.
  std::size_t leaf_at(std::int64_t node, std::int64_t port) const {
    return leaves_.number_of(
        attachments_[static_cast<std::size_t>(node * network_.nics + port)].leaf);
  }

  // Groups and rails from the leaf of every port: all must agree.
  void find_pattern() {
    std::set<std::size_t> rails;
    for (int port = 0; port < network_.nics; ++port) rails.insert(leaf_at(0, port));
    network_.rails = static_cast<int>(rails.size());
    std::int64_t& in_group = network_.domains_per_leaf = 1;
    while (in_group < nodes_.count && leaf_at(in_group, 0) == leaf_at(0, 0)) ++in_group;
    const std::int64_t groups = (nodes_.count + in_group - 1) / in_group;
    leaves_.leaf.assign(static_cast<std::size_t>(groups * network_.rails), leaves_.switches.size());
    std::vector<std::size_t> place(leaves_.switches.size(),
                                   leaves_.leaf.size());  // of each leaf in leaf_
    for (std::int64_t node = 0; node < nodes_.count; ++node) {
      for (std::int64_t port = 0; port < network_.nics; ++port) {
        const auto at =
            static_cast<std::size_t>(node / in_group * network_.rails + port % network_.rails);
        const std::size_t leaf = leaf_at(node, port);
        if (leaves_.leaf[at] == leaves_.switches.size()) leaves_.leaf[at] = leaf;
        if (place[leaf] == leaves_.leaf.size()) place[leaf] = at;
        if (leaves_.leaf[at] == leaf && place[leaf] == at) continue;
        const auto& [instance, index] = leaves_.switches[leaf];
        nodes_.fail(
            fmt::format("port {} of node {} is on {}[{}], which breaks the pattern of the first {} "
                        "nodes and {} rails",
                        port, node, graph_.instances[static_cast<std::size_t>(instance)].name,
                        index, in_group, network_.rails),
            "only groups of nodes under one leaf per rail can be told");
      }
    }
    network_.radix = ports_of(graph_, leaves_.switches[leaves_.leaf[0]]);
  }

  const InfraNodes& nodes_;
  const InfraGraph& graph_;
  InfraNetwork& network_;
  InfraLeaves leaves_;
  std::vector<Attachment> attachments_;  // by node and port
};

}  // namespace

std::size_t InfraLeaves::number_of(const InfraSwitch& one) const {
  return static_cast<std::size_t>(std::lower_bound(switches.begin(), switches.end(), one) -
                                  switches.begin());
}

InfraLeaves find_infra_leaves(const InfraNodes& nodes, InfraNetwork& network) {
  return LeafFinder(nodes, network).find();
}

const InfraLink& link_of(const InfraNodes& nodes, const InfraEdge& edge) {
  const InfraLink& link = nodes.graph.links[static_cast<std::size_t>(edge.link)];
  if (!link.gb_per_s) {
    nodes.fail("the link " + link.name + " has no bandwidth", "add physical.bandwidth");
  }
  return link;
}

int ports_of(const InfraGraph& graph, const InfraSwitch& one) {
  std::int64_t ports = 0;
  const std::size_t device = graph.instances[static_cast<std::size_t>(one.first)].device;
  for (const InfraPart& part : graph.devices[device].parts) {
    if (part.choice == "port" || part.choice == "nic") ports += part.count;
  }
  return static_cast<int>(std::min<std::int64_t>(ports, 1'000'000));
}

}  // namespace fabricast
