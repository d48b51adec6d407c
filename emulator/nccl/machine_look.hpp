// How a machine of ours looks to NCCL: the facts that its topology XML needs, some of them assumed.
//
// Machine files do not describe the PCIe tree; what is filled in here, and why, is in
// docs/nccl-choice.md ("Our machines"). Value type.
#pragma once

#include <string>
#include <vector>

#include "topologies/model/topology.hpp"

namespace fabricast::nccl {

enum class NvlinkShape : std::uint8_t { none, to_switch, all_to_all, cube_mesh };

struct MachineLook {
  std::string name;
  int nodes = 1;
  int gpus = 1;  // of one node, which may be an NVLink domain of several hosts
  int gpus_per_host = 1;
  int gpus_per_socket = 1;
  int gpus_per_switch = 1;  // PCIe switch, which their NICs share
  int capability = 90;
  NvlinkShape shape = NvlinkShape::none;
  int nvlinks = 0;  // of one GPU
  int nics = 0;     // of one node
  double nic_gbyte_per_s = 0;
  bool rdma = true;  // NICs read and write the memory of GPUs
  bool reducing_network = false;  // its switches can reduce (SHARP), if the run asks for it
  int pcie_generation = 5;
  bool c2c = false;           // GPUs hang on their CPU by NVLink-C2C; NICs on the CPU
  bool shared_switch = true;  // GPU and its NIC below one PCIe switch
  std::string cpu;            // attributes of <cpu>: arch, vendor, familyid, modelid
};

// UsageError for machines without GPUs that NCCL runs on.
MachineLook look_of(const Topology& machine);
// Of machines that run a fork of NCCL (RCCL): as if their GPUs were NVIDIA's of SM80, joined by a
// switch of the same rate. No claim about the fork's own choice.
MachineLook stand_in_look_of(const Topology& machine);
std::string xml_of(const MachineLook& look);

}  // namespace fabricast::nccl
