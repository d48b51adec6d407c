// What a topology XML says of one NCCL node, before NCCL makes a graph of it.
//
// Plain data in document order, because the order of elements decides the order in which NCCL's
// search tries GPUs and NICs. Rates in the units of the file. Source: NCCL 2.28.9
// src/graph/topo.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fabricast::nccl {

// Of the PCI class: 0x0604 bridge, 0x068000 NVSwitch, 0x068001 CPU, 0x03 GPU, 0x02 NIC.
enum class DeviceClass : std::uint8_t { bridge, nvswitch, cpu, gpu, nic };

enum class CpuArch : std::uint8_t { other, x86, arm, power };
enum class CpuVendor : std::uint8_t { other, intel, amd, zhaoxin };
enum class CpuModel : std::uint8_t {
  other,
  skylake,
  sapphire_rapids,
  emerald_rapids,
  yongfeng,
};

struct NvlinkElement {
  std::int64_t target = 0;  // bus id
  DeviceClass target_class = DeviceClass::nvswitch;
  int count = 0;
};

struct C2cElement {
  int count = 0;
  int mbyte_per_s = 0;  // of one link
};

struct GpuElement {
  int dev = 0, capability = 0, rank = 0;  // capability: 90 is SM90
  bool gdr = true;
  std::vector<NvlinkElement> nvlinks;
  std::vector<C2cElement> c2cs;
};

struct NetElement {
  std::int64_t dev = 0;
  std::uint64_t asic = 0;  // of the guid: ports of one NIC share it
  int port = 0;
  double mbit_per_s = 0;
  double latency_us = 0;
  bool gdr = false, collective = false;
};

struct PciElement {
  std::int64_t bus_id = 0;
  DeviceClass device_class = DeviceClass::bridge;
  std::uint64_t device = 0;  // vendor, device, subsystem vendor, subsystem device: 16 bits each
  int width = 16;            // lanes
  int lane_rate = 60;        // 100 Mbit/s per lane
  bool under_cpu = false;    // a <nic> that hangs on the CPU itself, not on a bus
  std::optional<GpuElement> gpu;
  bool has_nic = false;
  std::vector<NetElement> nets;
  std::vector<PciElement> children;
  std::vector<std::int64_t> pci_links;  // bus ids of switches that this one is wired to
};

struct CpuElement {
  int numa = 0, host = 0;  // host: numbered by first appearance of its hash
  CpuArch arch = CpuArch::other;
  CpuVendor vendor = CpuVendor::other;
  CpuModel model = CpuModel::other;
  std::vector<PciElement> devices;
};

struct SystemDescription {
  std::string name;  // of the file or the machine
  std::vector<CpuElement> cpus;
  int hosts = 0, gpus = 0, nets = 0;
  int min_capability = 0, max_capability = 0;
};

}  // namespace fabricast::nccl
