#include "emulator/cost/offered.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "emulator/base/contracts.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "topologies/builders/built_topology.hpp"

namespace fabricast {
namespace {

// Pairs without a link of their own, whose messages go by way of others. The file of a machine says
// the shape, not which pairs.
bool lacks_links_of_pairs(const Topology& topology) {
  const auto* built = dynamic_cast<const BuiltTopology*>(&topology);
  if (built == nullptr) return false;
  const std::string& shape = built->spec().domain.shape;
  return shape == "cube_mesh" || shape == "torus";
}

}  // namespace

bool reduces_in_switch(const Topology& topology) {
  // Where domains are unlike, all of their switches must.
  const auto& classes = topology.link_classes();
  const auto reduces = [](const LinkClass& link) { return link.in_network_reduction.value > 0; };
  return std::any_of(classes.begin(), classes.end(), reduces) &&
         std::all_of(classes.begin(), classes.end(), [&reduces](const LinkClass& link) {
           return link.kind != LinkKind::nvlink || reduces(link);
         });
}

bool reduces_in_network(const Topology& topology) { return topology.fabric() == "infiniband"; }

std::string why_no_executor(const Topology& topology, ExecutorKind executor) {
  const bool in_cuda = executor == ExecutorKind::cuda || executor == ExecutorKind::peers;
  if (in_cuda && topology.gpu().vendor != "nvidia") {
    return fmt::format("runs kernels in CUDA (the {} of machine \"{}\" is no NVIDIA GPU)",
                       topology.gpu().name, topology.name());
  }
  if (executor == ExecutorKind::peers && topology.space().domains() > 1) {
    return fmt::format(
        "stays inside one NVLink domain or PCIe box (machine \"{}\" has {} of them, and the "
        "interpreter between GPUs has no network)",
        topology.name(), topology.space().domains());
  }
  return "";
}

std::string why_not_offered(const Topology& topology, ExecutorKind executor, Collective collective,
                            const std::string& algorithm) {
  const AlgorithmEntry* entry = find_algorithm(algorithm, collective);
  FABRICAST_EXPECT(entry != nullptr, "an algorithm of the catalogue");
  if (const std::string why = why_no_executor(topology, executor); !why.empty()) {
    return fmt::format("by executor {} {}", to_string(executor), why);
  }
  if (executor == ExecutorKind::peers && algorithm == "two_shot") {
    return "is cut into loops by the interpreter, whose two stages then share the links by turns "
           "that static shares do not describe (docs/semantics.md 5)";
  }
  const bool of_nodes = sends_to_groups(entry->needs) || algorithm == "tree";
  if (topology.has_parts_of_nodes() && of_nodes) {
    return fmt::format(
        "goes node by node, and those of machine \"{}\" are of several sizes, which it is not "
        "modelled for",
        topology.name());
  }
  const std::string reason = why_not(*entry, topology.space());
  if (!reason.empty() || executor != ExecutorKind::nccl) return reason;
  if (reduces_inside_domains(entry->needs) && !reduces_in_switch(topology)) {
    return fmt::format(
        "needs a switch that reduces (the file of machine \"{}\" does not say "
        "in_network_reduction: yes)",
        topology.name());
  }
  if (reduces_between_domains(entry->needs) && !reduces_in_network(topology)) {
    return fmt::format(
        "needs a network whose switches reduce (SHARP; the fabric of machine \"{}\" is {}, not "
        "infiniband)",
        topology.name(), topology.fabric());
  }
  return "";
}

std::string why_no_protocol(const Topology& topology, ExecutorKind executor, Protocol protocol) {
  if (executor != ExecutorKind::peers) return "";
  const auto& classes = topology.link_classes();
  const bool nvlink = std::any_of(classes.begin(), classes.end(),
                                  [](const LinkClass& c) { return c.kind == LinkKind::nvlink; });
  if (protocol == Protocol::ll128 && !nvlink) {
    return fmt::format(
        "needs NVLink between the GPUs (machine \"{}\" has none; PCIe may split a line)",
        topology.name());
  }
  if (protocol == Protocol::ll128 && lacks_links_of_pairs(topology)) {
    return fmt::format(
        "needs an NVLink between all pairs of GPUs (machine \"{}\" has them between some, and "
        "what lies between the others may split a line)",
        topology.name());
  }
  if (protocol == Protocol::multimem && !reduces_in_switch(topology)) {
    return fmt::format(
        "needs a switch that reduces (the file of machine \"{}\" does not say "
        "in_network_reduction: yes)",
        topology.name());
  }
  return "";
}

std::vector<Protocol> offered_protocols(const Topology& topology, ExecutorKind executor,
                                        Collective collective, const std::string& algorithm) {
  auto known = protocols_of(executor, collective, algorithm);
  std::erase_if(known, [&](Protocol protocol) {
    return !why_no_protocol(topology, executor, protocol).empty();
  });
  return known;
}

std::int32_t usual_channels(const Topology& topology, ExecutorKind executor,
                            const std::string& algorithm) {
  if (executor == ExecutorKind::peers) return 1;
  if (executor == ExecutorKind::nccl && through_switches(algorithm)) {
    return in_switch_channels(topology);
  }
  return std::max(1, static_cast<std::int32_t>(topology.channels().value));
}

bool needs_windows(Collective collective, const std::string& algorithm) {
  const AlgorithmEntry* entry = find_algorithm(algorithm, collective);
  return entry != nullptr && entry->needs == Needs::one_domain;
}

std::vector<std::string> offered_algorithms(const Topology& topology, ExecutorKind executor,
                                            Collective collective) {
  std::vector<std::string> names;
  for (const AlgorithmEntry& entry : algorithm_catalogue()) {
    if (entry.collective == collective &&
        why_not_offered(topology, executor, collective, entry.name).empty()) {
      names.emplace_back(entry.name);
    }
  }
  return names;
}

bool library_has(const Topology& topology, Collective collective, const std::string& algorithm) {
  if (!why_not_offered(topology, ExecutorKind::nccl, collective, algorithm).empty()) return false;
  if (needs_windows(collective, algorithm)) return false;
  if (algorithm == "nvls") return topology.space().domains() == 1;
  if (algorithm == "nvls_tree") return true;
  if (algorithm == "pat") return topology.space().domain_size() == 1;
  return algorithm == "ring" || algorithm == "tree" || algorithm == "grouped" ||
         algorithm == "direct";
}

}  // namespace fabricast
