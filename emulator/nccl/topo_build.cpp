// Devices and links of a topology file, in NCCL's order.
#include <algorithm>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/nccl/topo_builder.hpp"

namespace fabricast::nccl {
namespace {

constexpr std::int64_t local_mask = 0x00ffffffffffffff;

std::int64_t global_id(int host, std::int64_t local) {
  return (static_cast<std::int64_t>(host) << 56) + (local & local_mask);
}

// GB/s between the sockets of one host (src/graph/topo.h).
float socket_bw(const TopoNode& cpu) {
  if (cpu.arch == CpuArch::power) return 32.0F;
  if (cpu.arch == CpuArch::arm) return 6.0F;
  if (cpu.arch != CpuArch::x86) return local_bw;
  if (cpu.vendor == CpuVendor::amd) return 16.0F;
  if (cpu.vendor == CpuVendor::zhaoxin) return cpu.model == CpuModel::yongfeng ? 9.0F : 6.0F;
  if (cpu.vendor != CpuVendor::intel) return local_bw;
  switch (cpu.model) {
    case CpuModel::emerald_rapids:
      return 40.0F;
    case CpuModel::sapphire_rapids:
      return 22.0F;
    case CpuModel::skylake:
      return 10.0F;
    case CpuModel::other:
    case CpuModel::yongfeng:
      break;
  }
  return 6.0F;
}

// Broadcom switches of generation 4 and 5 show themselves as two levels.
int broadcom_generation(std::uint64_t device, unsigned level) {
  const std::uint64_t kind = device & 0xfffffffffffff000;
  if (kind == 0x1000c0101000a000) return 4;
  if (kind == (0x1000c03010000000 | level * 0x1000U)) return 5;
  return 0;
}

}  // namespace

int TopoBuilder::create(NodeType type, std::int64_t id) {
  TopoNode node;
  node.type = type;
  node.id = id;
  auto& list = graph_.of_type_[static_cast<std::size_t>(type)];
  node.index = static_cast<int>(list.size());
  const int number = static_cast<int>(graph_.nodes_.size());
  list.push_back(number);
  graph_.nodes_.push_back(std::move(node));
  return number;
}

int TopoBuilder::find(NodeType type, std::int64_t id) const {
  for (const int number : graph_.of(type)) {
    if (graph_.node(number).id == id) return number;
  }
  return -1;
}

// A link more, or its rate added to one that exists; links stay sorted by rate, highest first.
void TopoBuilder::connect(int from, int to, PathType type, float bw) {
  auto& list = graph_.nodes_[static_cast<std::size_t>(from)].links;
  auto& links = graph_.links_;
  std::size_t at = 0;
  while (at < list.size() && !(links[static_cast<std::size_t>(list[at])].remote == to &&
                               links[static_cast<std::size_t>(list[at])].type == type)) {
    ++at;
  }
  if (at == list.size()) {
    list.push_back(static_cast<int>(links.size()));
    links.push_back({type, to, -1, 0});
  }
  const int link = list[at];
  links[static_cast<std::size_t>(link)].bw += bw;
  const float rate = links[static_cast<std::size_t>(link)].bw;
  while (at > 0 && !(links[static_cast<std::size_t>(list[at - 1])].bw >= rate)) {
    list[at] = list[at - 1];
    --at;
  }
  list[at] = link;
}

void TopoBuilder::add_net(const NetElement& net, int nic, int host) {
  if (!with_nets_) return;
  const int number = create(NodeType::net, global_id(host, net.dev));
  auto& node = graph_.nodes_[static_cast<std::size_t>(number)];
  node.asic = net.asic;
  node.port = net.port;
  node.bw = static_cast<float>(net.mbit_per_s / 8000.0);
  node.latency = static_cast<float>(net.latency_us);
  node.gdr = net.gdr;
  node.collective = net.collective;
  const float bw = node.bw;
  connect(nic, number, PathType::net, bw);
  connect(number, nic, PathType::net, bw);
}

void TopoBuilder::add_nic_of_cpu(const PciElement& element, int cpu, const CpuElement& on) {
  const std::int64_t id = global_id(on.host, static_cast<std::int64_t>(on.numa) << 56);
  int nic = find(NodeType::nic, id);
  if (nic < 0) {
    nic = create(NodeType::nic, id);
    connect(cpu, nic, PathType::pix, local_bw);
    connect(nic, cpu, PathType::pix, local_bw);
  }
  for (const auto& net : element.nets) add_net(net, nic, on.host);
}

void TopoBuilder::add_pci(const PciElement& element, int parent, const CpuElement& on) {
  int number = -1;
  const std::int64_t id = global_id(on.host, element.bus_id);
  if (element.gpu) {
    number = create(NodeType::gpu, id);
    auto& node = graph_.nodes_[static_cast<std::size_t>(number)];
    node.dev = element.gpu->dev;
    node.rank = element.gpu->rank;
    node.capability = element.gpu->capability;
    node.gdr = element.gpu->gdr;
  } else if (element.has_nic) {
    int nic = find(NodeType::nic, id);
    if (nic < 0) nic = number = create(NodeType::nic, id);
    for (const auto& net : element.nets) add_net(net, nic, on.host);
  } else {
    number = create(NodeType::pci, id);
    graph_.nodes_[static_cast<std::size_t>(number)].device = element.device;
    for (const auto& child : element.children) add_pci(child, number, on);
  }
  if (number < 0) return;  // a further port of a NIC that exists
  const auto bw = static_cast<float>(element.width * element.lane_rate / 80.0);
  connect(number, parent, PathType::pix, bw);
  connect(parent, number, PathType::pix, bw);
}

void TopoBuilder::add_cpu(const CpuElement& element) {
  const int number = create(NodeType::cpu, global_id(element.host, element.numa));
  auto& node = graph_.nodes_[static_cast<std::size_t>(number)];
  node.arch = element.arch;
  node.vendor = element.vendor;
  node.model = element.model;
  for (const auto& device : element.devices) {
    if (device.under_cpu) {
      add_nic_of_cpu(device, number, element);
    } else {
      add_pci(device, number, element);
    }
  }
}

// The CPU above a device, PCIe switches followed upwards; -1: none.
int TopoBuilder::cpu_above(int number, int from) const {
  const auto& node = graph_.node(number);
  if (node.type == NodeType::cpu) return number;
  for (const int l : node.links) {
    const auto& link = graph_.links_[static_cast<std::size_t>(l)];
    const auto type = graph_.node(link.remote).type;
    if (link.type != PathType::pix || link.remote == from ||
        (type != NodeType::pci && type != NodeType::cpu)) {
      continue;
    }
    const int cpu = cpu_above(link.remote, number);
    if (cpu >= 0) return cpu;
  }
  return -1;
}

void TopoBuilder::add_nvlinks(int gpu, const GpuElement& element, int host) {
  for (const auto& nvlink : element.nvlinks) {
    int remote = -1;
    if (nvlink.target_class == DeviceClass::gpu) {
      remote = find(NodeType::gpu, global_id(host, nvlink.target));
    } else if (nvlink.target_class == DeviceClass::cpu) {
      remote = cpu_above(gpu, -1);
    } else {  // whatever switch it is, NCCL's graph has one
      remote = graph_.count(NodeType::nvs) == 0 ? create(NodeType::nvs, 0)
                                                : graph_.of(NodeType::nvs).front();
    }
    if (remote < 0 || remote == gpu) continue;
    const float bw =
        static_cast<float>(nvlink.count) * graph_.nvlink_bw(graph_.node(gpu).capability);
    connect(gpu, remote, PathType::nvl, bw);
    if (graph_.node(remote).type != NodeType::gpu) connect(remote, gpu, PathType::nvl, bw);
  }
}

void TopoBuilder::add_c2c(int gpu, const GpuElement& element) {
  const int cpu = cpu_above(gpu, -1);
  if (cpu < 0) return;
  for (const auto& c2c : element.c2cs) {
    const auto bw = static_cast<float>(c2c.mbyte_per_s * c2c.count / 1000.0);
    connect(gpu, cpu, PathType::c2c, bw);
    connect(cpu, gpu, PathType::c2c, bw);
  }
}

void TopoBuilder::add_direct_links(const PciElement& element, const CpuElement& on, int pass) {
  const std::int64_t id = global_id(on.host, element.bus_id);
  if (element.gpu && pass == 0) add_nvlinks(find(NodeType::gpu, id), *element.gpu, on.host);
  if (element.gpu && pass == 1) add_c2c(find(NodeType::gpu, id), *element.gpu);
  if (pass == 2) {
    for (const auto target : element.pci_links) {
      const int from = find(NodeType::pci, id);
      const int to = find(NodeType::pci, global_id(on.host, target));
      if (from >= 0 && to >= 0 && from != to) connect(from, to, PathType::loc, local_bw);
    }
  }
  for (const auto& child : element.children) add_direct_links(child, on, pass);
}

// A switch below a Broadcom switch of the same generation becomes part of it.
void TopoBuilder::flatten(int number) {
  auto& nodes = graph_.nodes_;
  auto& links = graph_.links_;
  const auto self = static_cast<std::size_t>(number);
  const int generation = broadcom_generation(nodes[self].device, 0);
  if (generation == 0) return;
  std::vector<int> below;
  std::erase_if(nodes[self].links, [&](int l) {
    const auto& remote = graph_.node(links[static_cast<std::size_t>(l)].remote);
    const bool part =
        remote.type == NodeType::pci && broadcom_generation(remote.device, 1) == generation;
    if (part) below.push_back(links[static_cast<std::size_t>(l)].remote);
    return part;
  });
  for (const int sub : below) {
    auto& sub_links = nodes[static_cast<std::size_t>(sub)].links;
    for (const int l : sub_links) {
      const int remote = links[static_cast<std::size_t>(l)].remote;
      if (remote == number) continue;
      nodes[self].links.push_back(l);
      for (const int back : nodes[static_cast<std::size_t>(remote)].links) {
        if (links[static_cast<std::size_t>(back)].remote != sub) continue;
        links[static_cast<std::size_t>(back)].remote = number;
        break;
      }
    }
    sub_links.clear();
    std::erase(graph_.of_type_[static_cast<std::size_t>(NodeType::pci)], sub);
    for (auto& node : nodes) {  // what else pointed to it is gone with it
      std::erase_if(node.links,
                    [&](int l) { return links[static_cast<std::size_t>(l)].remote == sub; });
    }
  }
  nodes[self].device |= 0xffff;  // not again
}

// Down the PCIe tree: the link up comes last.
void TopoBuilder::sort_links(int number, int up) {
  auto& list = graph_.nodes_[static_cast<std::size_t>(number)].links;
  const auto& links = graph_.links_;
  if (up >= 0) {
    const auto at = std::find_if(list.begin(), list.end(), [&](int l) {
      return links[static_cast<std::size_t>(l)].remote == up;
    });
    if (at != list.end()) std::rotate(at, at + 1, list.end());
  }
  const auto down = list;
  for (const int l : down) {
    const auto& link = links[static_cast<std::size_t>(l)];
    if (link.type == PathType::pix && link.remote != up) sort_links(link.remote, number);
  }
}

void TopoBuilder::build(const SystemDescription& system) {
  for (const auto& cpu : system.cpus) add_cpu(cpu);
  for (int pass = 0; pass < 3; ++pass) {
    for (const auto& cpu : system.cpus) {
      for (const auto& device : cpu.devices) add_direct_links(device, cpu, pass);
    }
  }
  const auto switches = graph_.of(NodeType::pci);
  for (const int number : switches) flatten(number);
  for (const int one : graph_.of(NodeType::cpu)) {
    for (const int other : graph_.of(NodeType::cpu)) {
      if (one == other || graph_.node(one).host() != graph_.node(other).host()) continue;
      connect(one, other, PathType::sys, socket_bw(graph_.node(one)));
    }
  }
  for (const int cpu : graph_.of(NodeType::cpu)) sort_links(cpu, -1);
  for (std::size_t type = 0; type < node_types; ++type) {
    int index = 0;
    for (const int number : graph_.of_type_[type]) {
      graph_.nodes_[static_cast<std::size_t>(number)].index = index++;
    }
  }
  for (std::size_t number = 0; number < graph_.nodes_.size(); ++number) {
    for (const int l : graph_.nodes_[number].links) {
      auto& link = graph_.links_[static_cast<std::size_t>(l)];
      for (const int back : graph_.node(link.remote).links) {
        const auto& candidate = graph_.links_[static_cast<std::size_t>(back)];
        if (candidate.remote == static_cast<int>(number) && candidate.type == link.type) {
          link.reverse = back;
          break;
        }
      }
    }
  }
}

}  // namespace fabricast::nccl
