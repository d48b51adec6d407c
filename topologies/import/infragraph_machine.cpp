// An InfraGraph as a machine file.
#include <tuple>

#include <fmt/format.h>

#include "topologies/discover/machine_writer.hpp"
#include "topologies/import/infragraph.hpp"
#include "topologies/import/infragraph_structure.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

// Where the graph has no latency: what the machine files of unmeasured NVLink boxes assume.
constexpr std::string_view assumed_link = "150 ns";
constexpr std::string_view assumed_link_source =
    "not in the graph; a quarter of NCCL's 0.6 us LL ring step (src/graph/tuning.cc @5067397)";

std::string slug(const std::string& text) {
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

class Writer {
 public:
  explicit Writer(const InfraNodes& nodes) : nodes_(nodes), graph_(nodes.graph) {}

  std::string write(const std::string& node) const {
    const InfraScaleUp up = node.empty() ? scale_up() : InfraScaleUp();
    std::string text = fmt::format("# From the InfraGraph {}.\n", yaml_quoted(nodes_.file));
    const std::string base = graph_.name.empty() ? nodes_.device->name : graph_.name;
    text += yaml_line("", "name", slug(base));
    text += yaml_line("", "title", yaml_quoted(base));
    if (nodes_.count == 1) {
      if (!node.empty()) nodes_.fail("it is one node", "use the machine " + node + " itself");
      return text + domain(up, "");
    }
    if (!node.empty()) require_same_node(node);
    const InfraNetwork network = find_infra_network(nodes_);
    text += yaml_line("", "kind", "nested");
    text += yaml_line("", "count", sourced(std::to_string(nodes_.count), "instances of its nodes"));
    text += yaml_line("", "channels", channels());
    text += node.empty() ? "node:\n" + domain(up, "  ") : yaml_line("", "node", yaml_quoted(node));
    return text + fabric(network);
  }

 private:
  InfraScaleUp scale_up() const {
    InfraScaleUp up = find_infra_scale_up(nodes_);
    if (nodes_.members == 1 || up.gb_per_s > 0) return up;
    if (up.uneven) {
      nodes_.fail("some of its accelerators are joined by more links than others",
                  "a full mesh has equally many between every two");
    }
    nodes_.fail(
        "no link with a bandwidth joins all its accelerators, through switches or each with every "
        "other",
        nodes_.count > 1
            ? "add physical.bandwidth, or give --node with a machine of this node"
            : "add physical.bandwidth, or take a machine of `fabricast machine list` in its place");
  }

  void require_same_node(const std::string& node) const {
    const auto machine = load_machine(node);
    if (machine->space().domains() == 1 && machine->ranks() == nodes_.members) return;
    nodes_.fail(fmt::format("its nodes have {} accelerators, {} has {} in {} domains",
                            nodes_.members, node, machine->ranks(), machine->space().domains()),
                "give --node a machine of one node with as many");
  }

  std::string sourced(const std::string& value, const std::string& source) const {
    return yaml_sourced(value, "published", fmt::format("{}: {}", nodes_.file, source));
  }

  static std::string channels() {
    return yaml_sourced("16", "assumed", "an InfraGraph says nothing about libraries");
  }

  std::string domain(const InfraScaleUp& up, const std::string& indent) const {
    const std::string inner = indent + "  ";
    const InfraPart& part = nodes_.device->parts[static_cast<std::size_t>(nodes_.xpu)];
    std::string text = yaml_line(indent, "kind", "single_node");
    text += yaml_line(indent, "gpus",
                      sourced(std::to_string(nodes_.members), "components " + part.name));
    text += fmt::format("{}gpu:\n", indent);
    text += yaml_line(inner, "name",
                      yaml_quoted(part.description.empty() ? part.name : part.description));
    text += yaml_line(inner, "generation", "other");
    if (nodes_.members > 1) {
      text += fmt::format("{}interconnect:\n", indent);
      text += yaml_line(inner, "kind", "nvlink");
      text += yaml_line(inner, "shape", up.shape);
      text +=
          yaml_line(inner, "bandwidth", sourced(fmt::format("{} GB/s", up.gb_per_s), up.source));
      text += yaml_line(inner, "latency",
                        up.latency_us ? sourced(fmt::format("{} us", *up.latency_us), up.source)
                                      : yaml_sourced(assumed_link, "assumed", assumed_link_source));
      text += yaml_line(inner, "links", sourced(std::to_string(up.links), up.source));
      if (up.switches > 0) {
        text += yaml_line(inner, "switches", sourced(std::to_string(up.switches), up.source));
      }
    }
    return text + yaml_line(indent, "channels", channels());
  }

  std::string fabric(const InfraNetwork& network) const {
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
            : yaml_sourced("3.6 us", "assumed",
                           "not in the graph; RoCE under one leaf: arXiv:2505.09343"));
    text += yaml_line("    ", "per_node", sourced(std::to_string(network.nics), "ports joined"));
    if (network.tiers == 1) return text;
    text += yaml_line("  ", "rails", sourced(std::to_string(network.rails), "leaves of one node"));
    text += yaml_line("  ", "radix", sourced(std::to_string(network.radix), "ports of a leaf"));
    text += yaml_line("  ", "domains_per_leaf",
                      sourced(std::to_string(network.domains_per_leaf), "nodes of one leaf"));
    text += yaml_line("  ", "tiers", sourced(std::to_string(network.tiers), "layers of switches"));
    for (const auto& [key, ratio, source] :
         {std::tuple{"oversubscription", network.oversubscription, "down : up of a leaf"},
          std::tuple{"core_oversubscription", network.core_oversubscription,
                     "down : up of a spine"}}) {
      if (ratio) text += yaml_line("  ", key, sourced(fmt::format("{:.10g}", *ratio), source));
    }
    return text +
           yaml_line("  ", "hop_latency",
                     network.hop_us
                         ? sourced(fmt::format("{} us", *network.hop_us), "uplinks")
                         : yaml_sourced(
                               "0.5 us", "assumed",
                               "not in the graph; between InfiniBand and RoCE: arXiv:2505.09343"));
  }

  const InfraNodes& nodes_;
  const InfraGraph& graph_;
};

}  // namespace

std::string machine_of(const InfraGraph& graph, const std::string& file, const std::string& node) {
  const InfraNodes nodes = find_infra_nodes(graph, file);
  return Writer(nodes).write(node);
}

}  // namespace fabricast
