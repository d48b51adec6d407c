#include "emulator/nccl/machine_shape.hpp"

#include <algorithm>

#include "emulator/base/error.hpp"
#include "topologies/builders/built_topology.hpp"

namespace fabricast {

TimeGeneration time_generation_of(const GpuModel& gpu) {
  if (gpu.vendor == "amd") return TimeGeneration::cdna;
  if (gpu.generation == "volta" || gpu.generation == "turing") return TimeGeneration::volta;
  if (gpu.generation == "ampere") return TimeGeneration::ampere;
  if (gpu.generation == "ada") return TimeGeneration::ada;
  return gpu.generation == "hopper" ? TimeGeneration::hopper : TimeGeneration::blackwell;
}

TimeNetwork time_network_of(std::string_view fabric) {
  if (fabric.empty() || fabric == "none") return TimeNetwork::none;
  if (fabric.starts_with("infiniband")) return TimeNetwork::infiniband;
  if (fabric.starts_with("roce")) return TimeNetwork::roce;
  if (fabric.starts_with("efa")) return TimeNetwork::efa;
  if (fabric.starts_with("slingshot")) return TimeNetwork::slingshot;
  if (fabric.starts_with("gcp-")) fabric.remove_prefix(4);
  if (fabric.starts_with("tcpxo")) return TimeNetwork::tcpxo;
  return fabric.starts_with("tcpx") ? TimeNetwork::tcpx : TimeNetwork::ethernet;
}

TimeShape time_shape_of(const Topology& machine) {
  const auto* built = dynamic_cast<const BuiltTopology*>(&machine);
  if (built == nullptr) throw UsageError(machine.name() + ": was not built from a machine file");
  const MachineSpec& spec = built->spec();
  const DomainSpec& domain = spec.domain;
  TimeShape shape;
  shape.generation = time_generation_of(machine.gpu());
  shape.network = time_network_of(machine.fabric());
  shape.ranks = machine.ranks();
  shape.nodes = shape.ranks / machine.space().domain_size();
  shape.host_ranks = domain.members_per_tray > 0
                         ? std::min(domain.members_per_tray, shape.ranks_per_node())
                         : shape.ranks_per_node();
  if (spec.fabric) {
    shape.one_nic_gbps = spec.fabric->nic_bandwidth.value;
    shape.nic_gbps = spec.fabric->nics * shape.one_nic_gbps;
  }
  if (domain.bandwidth) shape.link_gbps = domain.bandwidth->value;
  for (const DomainPart& part : spec.others) {  // the slowest keeps the others waiting
    shape.one_nic_gbps = std::min(shape.one_nic_gbps, part.nic_bandwidth.value);
    const TimeGeneration generation = time_generation_of(part.gpu);
    if (generation != TimeGeneration::cdna)
      shape.generation = std::min(shape.generation, generation);
    if (part.domain.bandwidth)
      shape.link_gbps = std::min(shape.link_gbps, part.domain.bandwidth->value);
  }
  if (!spec.others.empty()) shape.nic_gbps = spec.fabric->nics * shape.one_nic_gbps;
  shape.link = domain.kind == LinkKind::pcie              ? TimeLink::pcie
               : shape.generation == TimeGeneration::cdna ? TimeLink::infinity_fabric
               : domain.shape == "switch"                 ? TimeLink::nvswitch
                                                          : TimeLink::nvlink_mesh;
  shape.process_per_gpu = true;  // as frameworks and MPI jobs have it
  const GpuModel& gpu = machine.gpu();
  shape.grace_host =
      gpu.vendor == "nvidia" && (domain.members_per_tray > 0 || gpu.name.starts_with("GH"));
  return shape;
}

}  // namespace fabricast
