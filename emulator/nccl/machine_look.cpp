#include "emulator/nccl/machine_look.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "topologies/builders/built_topology.hpp"

namespace fabricast::nccl {
namespace {

// Compute capability, GB/s per NVLink and direction, PCIe generation by name of the generation
// (CUDA programming guide, compute capabilities; NVLink 2, 3 and 4: 25, NVLink 5: 50).
struct GenerationFacts {
  std::string_view name;
  int capability;
  double gbyte_per_link;
  int pcie_generation;
};
constexpr std::array generation_facts{
    GenerationFacts{"volta", 70, 25, 3},  GenerationFacts{"turing", 75, 25, 3},
    GenerationFacts{"ampere", 80, 25, 4}, GenerationFacts{"ada", 89, 25, 4},
    GenerationFacts{"hopper", 90, 25, 5}, GenerationFacts{"blackwell", 100, 50, 5},
    GenerationFacts{"rubin", 107, 50, 6},
};

constexpr std::string_view intel_sapphire_rapids =
    R"(arch="x86_64" vendor="GenuineIntel" familyid="6" modelid="143")";
constexpr std::string_view intel_skylake =
    R"(arch="x86_64" vendor="GenuineIntel" familyid="6" modelid="85")";
constexpr std::string_view amd_epyc =
    R"(arch="x86_64" vendor="AuthenticAMD" familyid="23" modelid="49")";
constexpr std::string_view arm = R"(arch="arm64")";

// NCCL's usable rate of a slot of 16 lanes, GB/s: Gen3 12, doubling.
double slot_rate(int generation) { return 12.0 * (1 << (generation - 3)); }

// RCCL is a fork of NCCL: what its search would find if its GPUs were of SM80 (25 GB/s per link).
constexpr GenerationFacts stand_in_facts{"cdna", 80, 25, 5};

const GenerationFacts* find_facts(const GpuModel& gpu) {
  const auto found =
      std::find_if(generation_facts.begin(), generation_facts.end(),
                   [&](const GenerationFacts& facts) { return facts.name == gpu.generation; });
  return found == generation_facts.end() || gpu.vendor != "nvidia" ? nullptr : &*found;
}

const GenerationFacts& facts_of(const std::string& machine, const GpuModel& gpu) {
  if (const GenerationFacts* facts = find_facts(gpu)) return *facts;
  throw UsageError(fmt::format("{}: NCCL does not run on {} ({}); give a machine with NVIDIA GPUs",
                               machine, gpu.name, gpu.generation));
}

// 0 where NCCL does not run.
int capability_of(const GpuModel& gpu) {
  const GenerationFacts* facts = find_facts(gpu);
  const int of_generation = facts == nullptr ? 0 : facts->capability;
  if (of_generation == 80 && !gpu.name.starts_with("A100") && !gpu.name.starts_with("A800") &&
      !gpu.name.starts_with("A30")) {
    return 86;
  }
  if (of_generation != 100) return of_generation;
  if (gpu.name.find("B300") != std::string::npos) return 103;
  return gpu.name.starts_with("RTX") ? 120 : 100;
}

void look_at_cpu(const MachineSpec& spec, MachineLook& look) {
  const bool grace = spec.domain.members_per_tray > 0 || spec.gpu.name.starts_with("GH") ||
                     spec.gpu.name.starts_with("GB");
  if (grace) {
    look.c2c = true;
    look.cpu = arm;
    look.gpus_per_socket = spec.gpu.name.starts_with("GH") ? 1 : 2;
    return;
  }
  look.gpus_per_socket = std::max(1, (look.gpus_per_host + 1) / 2);
  look.cpu = spec.gpu.generation == "ampere"   ? amd_epyc
             : spec.gpu.generation == "volta"  ? intel_skylake
             : spec.gpu.generation == "turing" ? intel_skylake
                                               : intel_sapphire_rapids;
}

void look_at_nvlink(const MachineSpec& spec, double gbyte_per_link, MachineLook& look) {
  const auto& domain = spec.domain;
  if (look.gpus == 1 || domain.kind != LinkKind::nvlink) return;
  look.shape = domain.shape == "all_to_all"  ? NvlinkShape::all_to_all
               : domain.shape == "cube_mesh" ? NvlinkShape::cube_mesh
                                             : NvlinkShape::to_switch;
  const double links =
      domain.links ? domain.links->value : domain.bandwidth->value / gbyte_per_link;
  look.nvlinks = std::max(1, static_cast<int>(std::lround(links)));
  if (look.shape == NvlinkShape::cube_mesh && look.gpus != 8) look.shape = NvlinkShape::all_to_all;
}

// NCCL compares the graphs that its ranks found and takes the least of everything
// (ncclTopoGraph in the exchange of initTransportsRank, v2.28.9-1 src/init.cc): unlike nodes are as
// their weakest.
MachineSpec weakest(MachineSpec spec) {
  const auto less = [](Sourced& a, const Sourced& b) {
    if (b.value < a.value) a = b;
  };
  for (const DomainPart& part : spec.others) {
    if (spec.domain.bandwidth) less(*spec.domain.bandwidth, *part.domain.bandwidth);
    if (spec.domain.links && part.domain.links) less(*spec.domain.links, *part.domain.links);
    Sourced slot = spec.gpu.pcie_gb_per_s;
    if (part.gpu.pcie_gb_per_s.value > 0) less(slot, part.gpu.pcie_gb_per_s);
    if (capability_of(part.gpu) < capability_of(spec.gpu)) spec.gpu = part.gpu;
    spec.gpu.pcie_gb_per_s = slot;
    less(spec.fabric->nic_bandwidth, part.nic_bandwidth);
  }
  return spec;
}

MachineSpec weakest_of(const Topology& machine) {
  const auto* built = dynamic_cast<const BuiltTopology*>(&machine);
  if (built == nullptr) {
    throw UsageError(machine.name() + ": was not built from a machine file");
  }
  if (machine.has_parts_of_nodes()) {
    throw UsageError(fmt::format(
        "{}: what the library chooses is not modelled where nodes are of several sizes; name an "
        "algorithm, or take a part of the machine that has nodes of one size (--ranks)",
        machine.name()));
  }
  return weakest(built->spec());
}

MachineLook look_by(const GenerationFacts& facts, const Topology& machine,
                    const MachineSpec& spec) {
  MachineLook look;
  look.name = machine.name();
  look.gpus = machine.space().domain_size();
  look.nodes = machine.ranks() / look.gpus;
  look.capability = capability_of(spec.gpu);
  look.gpus_per_host = spec.domain.members_per_tray > 0
                           ? std::min(look.gpus, spec.domain.members_per_tray)
                           : look.gpus;
  look_at_cpu(spec, look);
  look_at_nvlink(spec, facts.gbyte_per_link, look);
  look.pcie_generation = facts.pcie_generation;
  const double pcie = spec.gpu.pcie_gb_per_s.value;
  while (pcie > 0 && look.pcie_generation > 3 && slot_rate(look.pcie_generation) > pcie) {
    --look.pcie_generation;
  }
  // Blades with Slingshot (HPE Cray EX) have GPUs and NICs on the CPU (NERSC's and ALCF's guides).
  const bool on_cpu = spec.fabric && spec.fabric->name == "slingshot";
  look.shared_switch = spec.domain.kind == LinkKind::nvlink && !on_cpu;
  if (spec.fabric) {
    look.nics = spec.fabric->nics;
    look.nic_gbyte_per_s = spec.fabric->nic_bandwidth.value;
    look.rdma = spec.fabric->name != "ethernet";
    look.reducing_network = spec.fabric->name == "infiniband";
    if (look.nics < look.gpus && look.gpus % look.nics == 0) {
      look.gpus_per_switch = look.gpus / look.nics;
    } else if (spec.gpu.generation == "ampere" || spec.gpu.generation == "volta") {
      look.gpus_per_switch = 2;  // DGX-1, DGX-2, DGX A100: pairs of GPUs, with their NICs
    }
    while (look.pcie_generation < 6 &&
           slot_rate(look.pcie_generation) < look.nic_gbyte_per_s * .96) {
      ++look.pcie_generation;  // a NIC is not put where it cannot be fed
    }
  }
  return look;
}

}  // namespace

MachineLook look_of(const Topology& machine) {
  const MachineSpec spec = weakest_of(machine);
  return look_by(facts_of(machine.name(), spec.gpu), machine, spec);
}

MachineLook stand_in_look_of(const Topology& machine) {
  const MachineSpec spec = weakest_of(machine);
  MachineLook look = look_by(stand_in_facts, machine, spec);
  look.capability = stand_in_facts.capability;
  look.shared_switch = true;
  look.gpus_per_switch = std::max(look.gpus_per_switch, 2);  // as look_by: boxes of SM80
  if (look.gpus > 1) {
    look.shape = NvlinkShape::to_switch;
    look.nvlinks = std::max(1, static_cast<int>(std::lround(spec.domain.bandwidth->value /
                                                            stand_in_facts.gbyte_per_link)));
  }
  return look;
}

}  // namespace fabricast::nccl
