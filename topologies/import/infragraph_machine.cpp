// An InfraGraph as a machine file: which device is the node, how its accelerators meet, and what
// the switches between nodes are.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "topologies/discover/machine_writer.hpp"
#include "topologies/import/infragraph.hpp"

namespace fabricast {
namespace {

constexpr std::string_view assumed_link = "150 ns";

struct ScaleUp {
  double gb_per_s = 0;  // of one member, all its links; 0: the file does not say
  std::string shape = "switch", source;
  int links = 0, switches = 0;
  std::optional<double> latency_us;
};

struct Network {
  int nics = 0, rails = 1, tiers = 1, domains_per_leaf = 0, radix = 0;
  double nic_gb_per_s = 0, oversubscription = 1;
  std::optional<double> latency_us, hop_us;
  bool rail_only = false;
  std::string nic_link;
};

class Converter {
 public:
  Converter(const InfraGraph& graph, const std::string& file) : graph_(graph), file_(file) {}

  std::string write(const std::string& node) {
    find_nodes();
    const ScaleUp up = node.empty() ? scale_up() : ScaleUp();
    if (node.empty() && members_ > 1 && up.gb_per_s == 0) {
      fail(
          "no link with a bandwidth joins all its accelerators, through switches or each with "
          "every "
          "other",
          "add physical.bandwidth, or give --node with a machine of this node");
    }
    std::string text = fmt::format("# From the InfraGraph {}.\n", yaml_quoted(file_));
    const std::string base = graph_.name.empty() ? device().name : graph_.name;
    text += yaml_line("", "name", slug(base));
    text += yaml_line("", "title", yaml_quoted(base));
    if (nodes_ == 1) {
      if (!node.empty()) fail("it is one node", "use the machine " + node + " itself");
      return text + domain(up, "");
    }
    const Network network = find_network();
    text += yaml_line("", "kind", "nested");
    text += yaml_line("", "count", sourced(std::to_string(nodes_), "instances of its nodes"));
    text += yaml_line("", "channels", channels());
    text += node.empty() ? "node:\n" + domain(up, "  ") : yaml_line("", "node", yaml_quoted(node));
    return text + fabric(network);
  }

 private:
  [[noreturn]] void fail(const std::string& problem, const std::string& advice) const {
    throw UsageError(fmt::format("{}: {} ({}) {}", file_, problem, device_name_, advice));
  }

  const InfraDevice& device() const { return graph_.devices[device_]; }

  static std::string slug(const std::string& text) {
    std::string word;
    for (const char c : text) {
      if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'))
        word += c;
      else if (c >= 'A' && c <= 'Z')
        word += static_cast<char>(c - 'A' + 'a');
      else if (!word.empty() && word.back() != '-')
        word += '-';
    }
    while (word.ends_with('-')) word.pop_back();
    return word.empty() ? "infragraph" : word;
  }

  std::string sourced(const std::string& value, const std::string& source) const {
    return yaml_sourced(value, "published", fmt::format("{}: {}", file_, source));
  }

  static std::string channels() {
    return yaml_sourced("16", "assumed", "an InfraGraph says nothing about libraries");
  }

  // The one device with accelerators; its instances in order are the nodes.
  void find_nodes() {
    for (std::size_t i = 0; i < graph_.instances.size(); ++i) {
      const auto& instance = graph_.instances[i];
      const auto& of = graph_.devices[instance.device];
      const auto xpu = std::find_if(of.parts.begin(), of.parts.end(), [](const InfraPart& part) {
        return part.choice == "xpu" && part.count > 0;
      });
      if (xpu == of.parts.end()) continue;
      if (nodes_ > 0 && instance.device != device_) {
        fail(fmt::format("its nodes are not alike: {} and {}", device().name, of.name),
             "a machine repeats one kind of node");
      }
      device_ = instance.device;
      device_name_ = of.name;
      xpu_ = xpu->name;
      members_ = xpu->count;
      first_node_[instance.name] = nodes_;
      nodes_ += instance.count;
    }
    if (nodes_ == 0) fail("no instance has accelerators", "a component of choice xpu is one");
  }

  // The fastest way between all members: direct links of every two, or switches that all of them
  // reach.
  ScaleUp scale_up() const {
    // Edges per (other part, link): of each member, and to each switch.
    std::map<std::pair<std::string, std::size_t>, std::vector<std::map<int, int>>> found;
    for (const InfraEdge& edge : device().edges) {
      for (const auto& [mine, other] : {std::pair{&edge.a, &edge.b}, std::pair{&edge.b, &edge.a}}) {
        if (mine->part != xpu_ || !mine->owner.empty() || !other->owner.empty()) continue;
        const auto* part = device().find(other->part);
        if (part->choice == "nic" || part->choice == "port" || part->choice == "cpu") continue;
        auto& members = found[{other->part, edge.link}];
        members.resize(static_cast<std::size_t>(members_));
        ++members[static_cast<std::size_t>(mine->part_index)][other->part_index];
      }
    }
    ScaleUp best;
    for (const auto& [key, members] : found) {
      const auto& [other, link] = key;
      const bool direct = other == xpu_;
      std::set<std::map<int, int>> reach;
      std::size_t least = members.front().size();
      bool alike = true;
      for (const auto& one : members) {
        reach.insert(one);
        least = std::min(least, one.size());
        alike = alike && one.size() == members.front().size();
      }
      const bool whole =
          direct ? least + 1 == members.size() : alike && reach.size() == 1 && least > 0;
      if (!whole) continue;
      int count = 0;
      for (const auto& [at, times] : members.front()) count += times;
      const InfraLink& given = device().links[link];
      const double rate = given.gb_per_s.value_or(0) * count;
      if (!best.source.empty() && rate <= best.gb_per_s) continue;
      best = {rate,
              direct ? "full_mesh" : "switch",
              fmt::format("{} links of {}", count, given.name),
              count,
              direct ? 0 : static_cast<int>(members.front().size()),
              given.latency_us};
    }
    return best;
  }

  std::string domain(const ScaleUp& up, const std::string& indent) const {
    const std::string inner = indent + "  ";
    std::string text = yaml_line(indent, "kind", "single_node");
    text += yaml_line(indent, "gpus", sourced(std::to_string(members_), "components " + xpu_));
    const auto* part = device().find(xpu_);
    text += fmt::format("{}gpu:\n", indent);
    text +=
        yaml_line(inner, "name", yaml_quoted(part->description.empty() ? xpu_ : part->description));
    text += yaml_line(inner, "generation", "other");
    if (members_ > 1) {
      text += fmt::format("{}interconnect:\n", indent);
      text += yaml_line(inner, "kind", "nvlink");
      text += yaml_line(inner, "shape", up.shape);
      text +=
          yaml_line(inner, "bandwidth", sourced(fmt::format("{} GB/s", up.gb_per_s), up.source));
      text += yaml_line(inner, "latency",
                        up.latency_us ? sourced(fmt::format("{} us", *up.latency_us), up.source)
                                      : yaml_sourced(assumed_link, "assumed", "not in the graph"));
      text += yaml_line(inner, "links", sourced(std::to_string(up.links), up.source));
      if (up.switches > 0) {
        text += yaml_line(inner, "switches", sourced(std::to_string(up.switches), up.source));
      }
    }
    return text + yaml_line(indent, "channels", channels());
  }

  using Switch = std::pair<std::string, int>;  // instance, index
  using Port =
      std::tuple<std::string, std::string, int>;  // owner's name, part, index: without node

  bool is_node(const InfraEnd& end) const { return first_node_.contains(end.owner); }

  Network find_network() {
    std::map<std::pair<int, Port>, Switch> leaf_of;  // node, port
    std::map<Switch, double> up;                     // of leaves, GB/s
    std::set<Switch> leaves, uppers;
    std::set<Port> ports;
    Network network;
    std::vector<const InfraEdge*> above;
    for (const InfraEdge& edge : graph_.edges) {
      const bool a = is_node(edge.a), b = is_node(edge.b);
      if (a && b)
        fail("two of its nodes are joined without a switch", "that is no machine of ours");
      if (!a && !b) {
        above.push_back(&edge);
        continue;
      }
      const InfraEnd &node = a ? edge.a : edge.b, &other = a ? edge.b : edge.a;
      const Port port{"", node.part, node.part_index};
      const Switch leaf{other.owner, other.owner_index};
      const int number = first_node_.at(node.owner) + node.owner_index;
      if (!leaf_of.insert({{number, port}, leaf}).second) {
        fail(fmt::format("{} {} of {} {} has several edges", node.part, node.part_index, node.owner,
                         node.owner_index),
             "give every port one");
      }
      leaves.insert(leaf);
      ports.insert(port);
      const InfraLink& link = graph_.links[edge.link];
      if (!link.gb_per_s)
        fail("the link " + link.name + " has no bandwidth", "add physical.bandwidth");
      if (network.nic_gb_per_s > 0 && network.nic_gb_per_s != *link.gb_per_s) {
        fail("the ports of its nodes differ in bandwidth", "a machine has one kind of NIC");
      }
      network.nic_gb_per_s = *link.gb_per_s;
      network.nic_link = link.name;
      network.latency_us = link.latency_us;
    }
    network.nics = static_cast<int>(ports.size());
    if (network.nics == 0 || leaf_of.size() != ports.size() * static_cast<std::size_t>(nodes_)) {
      fail("its nodes are not all joined by the same ports", "join every port of every node");
    }
    for (const InfraEdge* edge : above) {
      const Switch a{edge->a.owner, edge->a.owner_index}, b{edge->b.owner, edge->b.owner_index};
      if (leaves.contains(a) && leaves.contains(b)) {
        fail("two switches that have nodes are joined", "only trees can be told");
      }
      const double rate = graph_.links[edge->link].gb_per_s.value_or(0);
      if (graph_.links[edge->link].latency_us) network.hop_us = graph_.links[edge->link].latency_us;
      beside_[a].insert(b);
      beside_[b].insert(a);
      if (leaves.contains(a)) up[a] += rate, uppers.insert(b);
      if (leaves.contains(b)) up[b] += rate, uppers.insert(a);
    }
    shape(network, leaf_of, ports, leaves);
    if (network.tiers == 1) return network;
    std::set<Switch> tops;
    for (const InfraEdge* edge : above) {
      for (const InfraEnd* end : {&edge->a, &edge->b}) {
        const Switch at{end->owner, end->owner_index};
        if (!leaves.contains(at) && !uppers.contains(at)) tops.insert(at);
      }
    }
    network.tiers = tops.empty() ? 2 : 3;
    const double out = up[leaf_of.begin()->second];
    if (!network.rail_only && out <= 0) fail("its leaf switches lead nowhere", "join them");
    const double per_domain = network.nic_gb_per_s * network.nics / network.rails;
    // A single group may not fill its leaves: its uplinks tell how many nodes they are made for.
    if (network.domains_per_leaf == nodes_ && out > 0) {
      network.domains_per_leaf =
          std::max(nodes_, static_cast<std::int32_t>(std::min(1e6, out / per_domain * 1.000001)));
    }
    if (out > 0) {
      network.oversubscription = std::max(1.0, network.domains_per_leaf * per_domain / out);
    }
    return network;
  }

  // All switches that a way past no node leads to.
  std::set<Switch> reached_from(const Switch& first) const {
    std::set<Switch> seen{first};
    std::vector<Switch> next{first};
    while (!next.empty()) {
      const auto beside = beside_.find(next.back());
      next.pop_back();
      if (beside == beside_.end()) continue;
      for (const Switch& other : beside->second) {
        if (seen.insert(other).second) next.push_back(other);
      }
    }
    return seen;
  }

  // Every leaf meets the others, in rail_only those of its rail.
  void require_joined(Network& network, const std::map<std::pair<int, int>, Switch>& leaves,
                      const std::vector<Switch>& rails) const {
    std::vector<std::set<Switch>> reached{reached_from(rails[0])};
    network.rail_only = rails.size() > 1 && !reached[0].contains(rails[1]);
    for (std::size_t r = 1; network.rail_only && r < rails.size(); ++r) {
      reached.push_back(reached_from(rails[r]));
    }
    for (const auto& [key, leaf] : leaves) {
      const std::size_t rail = network.rail_only ? static_cast<std::size_t>(key.second) : 0;
      if (!reached[rail].contains(leaf)) fail("its switches are not joined", "join them");
    }
  }

  // Groups and rails from the leaf of every port: all must agree.
  void shape(Network& network, const std::map<std::pair<int, Port>, Switch>& leaf_of,
             const std::set<Port>& ports, const std::set<Switch>& leaves) const {
    const std::vector<Port> order(ports.begin(), ports.end());
    std::vector<Switch> rails;
    for (const Port& port : order) {
      const Switch leaf = leaf_of.at({0, port});
      if (std::find(rails.begin(), rails.end(), leaf) == rails.end()) rails.push_back(leaf);
    }
    network.rails = static_cast<int>(rails.size());
    network.domains_per_leaf = 1;
    while (network.domains_per_leaf < nodes_ &&
           leaf_of.at({network.domains_per_leaf, order[0]}) == rails[0]) {
      ++network.domains_per_leaf;
    }
    std::map<std::pair<int, int>, Switch> of;  // group, rail
    std::set<Switch> seen;
    for (int node = 0; node < nodes_; ++node) {
      for (std::size_t i = 0; i < order.size(); ++i) {
        const std::pair key{node / network.domains_per_leaf, static_cast<int>(i) % network.rails};
        const Switch leaf = leaf_of.at({node, order[i]});
        const auto [at, fresh] = of.insert({key, leaf});
        if (at->second != leaf || (fresh && !seen.insert(leaf).second)) {
          fail(fmt::format("port {} of node {} is on {}[{}], which breaks the pattern of the first "
                           "{} nodes and {} rails",
                           i, node, leaf.first, leaf.second, network.domains_per_leaf,
                           network.rails),
               "only groups of nodes under one leaf per rail can be told");
        }
      }
    }
    const bool joined = std::any_of(beside_.begin(), beside_.end(),
                                    [](const auto& one) { return !one.second.empty(); });
    network.tiers = leaves.size() == 1 && !joined ? 1 : 2;
    if (network.tiers == 2) require_joined(network, of, rails);
    for (const auto& instance : graph_.instances) {
      if (instance.name != rails[0].first) continue;
      for (const InfraPart& part : graph_.devices[instance.device].parts) {
        if (part.choice == "port" || part.choice == "nic") network.radix += part.count;
      }
    }
  }

  std::string fabric(const Network& network) const {
    std::string text = "fabric:\n";
    text += yaml_line("  ", "kind",
                      network.tiers == 1  ? "single_switch"
                      : network.rail_only ? "rail_only"
                                          : "rail_fat_tree");
    text += yaml_line("  ", "name", "ethernet") + "  nic:\n";
    text += yaml_line(
        "    ", "bandwidth",
        sourced(fmt::format("{} GB/s", network.nic_gb_per_s), "link " + network.nic_link));
    text += yaml_line(
        "    ", "latency",
        network.latency_us
            ? sourced(fmt::format("{} us", *network.latency_us), "link " + network.nic_link)
            : yaml_sourced("3.6 us", "assumed", "not in the graph; RoCE under one leaf"));
    text += yaml_line("    ", "per_node", sourced(std::to_string(network.nics), "ports joined"));
    if (network.tiers == 1) return text;
    text += yaml_line("  ", "rails", sourced(std::to_string(network.rails), "leaves of one node"));
    text += yaml_line("  ", "radix", sourced(std::to_string(network.radix), "ports of a leaf"));
    text += yaml_line("  ", "domains_per_leaf",
                      sourced(std::to_string(network.domains_per_leaf), "nodes of one leaf"));
    if (!network.rail_only) {
      text +=
          yaml_line("  ", "tiers", sourced(std::to_string(network.tiers), "layers of switches"));
      text += yaml_line(
          "  ", "oversubscription",
          sourced(fmt::format("{:.6g}", network.oversubscription), "down : up of a leaf"));
    }
    return text + yaml_line("  ", "hop_latency",
                            network.hop_us
                                ? sourced(fmt::format("{} us", *network.hop_us), "uplinks")
                                : yaml_sourced("0.5 us", "assumed", "not in the graph"));
  }

  const InfraGraph& graph_;
  const std::string& file_;
  std::string device_name_ = "no node", xpu_;
  std::size_t device_ = 0;
  std::int32_t members_ = 0, nodes_ = 0;
  std::map<std::string, std::int32_t> first_node_;  // by instance name
  std::map<Switch, std::set<Switch>> beside_;       // switches joined to each
};

}  // namespace

std::string machine_of(const InfraGraph& graph, const std::string& file, const std::string& node) {
  return Converter(graph, file).write(node);
}

}  // namespace fabricast
