#include "emulator/validate/table_machine.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <regex>

namespace fabricast {
namespace {

bool has(const std::string& text, const std::string& word) {
  return text.find(word) != std::string::npos;
}

std::optional<double> first_number(const std::string& text, const std::string& pattern) {
  std::smatch match;
  if (!std::regex_search(text, match, std::regex(pattern))) return std::nullopt;
  return std::strtod(match[1].str().c_str(), nullptr);
}

std::optional<TimeGeneration> generation_of(const std::string& gpu) {
  if (has(gpu, "V100")) return TimeGeneration::volta;
  if (has(gpu, "A100") || has(gpu, "A800")) return TimeGeneration::ampere;
  // GH200 is a hopper, GB200 a blackwell.
  if (has(gpu, "H100") || has(gpu, "H200") || has(gpu, "H20") || has(gpu, "H800")) {
    return TimeGeneration::hopper;
  }
  if (has(gpu, "B200") || has(gpu, "B300") || has(gpu, "B100")) return TimeGeneration::blackwell;
  if (has(gpu, "MI2") || has(gpu, "MI3")) return TimeGeneration::cdna;
  if (has(gpu, "RTX") || has(gpu, "L40") || has(gpu, "L4") || has(gpu, "A40") || has(gpu, "A10") ||
      has(gpu, "A30") || has(gpu, "T4")) {
    return TimeGeneration::ada;
  }
  return std::nullopt;
}

// Data-sheet rates of a GPU's links, GB/s per direction.
void set_link(const PublishedTable& table, TimeShape& shape) {
  const std::string& text = table.column("intra_link");
  const std::string& flags = table.column("env_flags");
  if (has(text, "PCIe")) {
    const bool off = has(flags, "P2P_DISABLE") || has(table.column("notes"), "P2P disabled");
    shape.link = off ? TimeLink::pcie_host : TimeLink::pcie;
    shape.link_gbps = has(text, "Gen5") ? 64 : has(text, "Gen3") ? 16 : 32;
    return;
  }
  if (has(text, "Infinity")) {
    shape.link = TimeLink::infinity_fabric;
    const bool newer = has(table.column("gpu"), "MI35");
    shape.link_gbps = newer ? 7 * 76.8 : 7 * 64;  // xGMI links of MI350 and MI300
    if (has(table.column("gpu"), "MI250")) shape.link_gbps = 100;
    return;
  }
  shape.link =
      has(text, "all-to-all") || has(text, "mesh") ? TimeLink::nvlink_mesh : TimeLink::nvswitch;
  constexpr double by_generation[] = {150, 300, 32, 450, 900, 448};
  shape.link_gbps = by_generation[static_cast<std::size_t>(shape.generation)];
  if (const auto rate = first_number(text, "([0-9.]+) *GB/s")) {
    const double pair = has(text, "per pair") ? 3 : 1;  // a mesh of four
    shape.link_gbps = *rate * pair;
  }
  // A mesh of four where two ranks use one pair only.
  if (shape.link == TimeLink::nvlink_mesh && !has(text, "cube") && shape.ranks_per_node() > 1) {
    shape.link_gbps *= std::min(1.0, (shape.ranks_per_node() - 1) / 3.0);
  }
}

TimeNetwork network_of(const std::string& text, const std::string& flags) {
  if (has(text, "Slingshot")) return TimeNetwork::slingshot;
  if (has(text, "EFA")) return TimeNetwork::efa;
  if (has(text, "TCPXO")) return TimeNetwork::tcpxo;
  if (has(text, "TCPX")) return TimeNetwork::tcpx;
  if (has(text, "IB ") || has(text, "IB/") || has(text, "InfiniBand"))
    return TimeNetwork::infiniband;
  if (has(text, "RoCE") || has(text, "Pollara") || has(flags, "gIB") || has(text, "CX-")) {
    return TimeNetwork::roce;
  }
  return TimeNetwork::ethernet;
}

// NCCL's nodes: hosts, or NVLink domains of up to 72 GPUs.
int nccl_nodes(const PublishedTable& table) {
  const std::string& link = table.column("intra_link");
  const std::string& net = table.column("inter_link");
  if (!has(link, "MNNVL") && !has(link, "NVL72")) return table.nodes;
  if (has(net, "none") || net.empty()) return 1;
  if (has(net, "across racks")) return std::max(2, (table.ranks + 71) / 72);
  return table.nodes;
}

std::string set_network(const PublishedTable& table, TimeShape& shape) {
  if (shape.nodes == 1) return {};
  const std::string& text = table.column("inter_link");
  shape.network = network_of(text, table.column("env_flags"));
  auto per_gpu = first_number(table.column("nic_per_gpu_gbps"), "([0-9.]+)");
  const auto per_nic = first_number(text, "[x ]([0-9]+)G");
  const auto spelled = first_number(text, "([0-9]+)G");
  if (!per_gpu) per_gpu = per_nic ? per_nic : spelled;
  if (!per_gpu && has(text, "HDR")) per_gpu = 200;
  if (!per_gpu && has(text, "NDR")) per_gpu = 400;
  // Nothing said: what cards of such servers have.
  if (!per_gpu && has(text, "RoCE")) per_gpu = 100;
  if (!per_gpu) return "the index names no rate of the network";
  const int local = shape.ranks_per_node();
  shape.nic_gbps = *per_gpu / 8 * local;
  const double nic = per_nic ? *per_nic : spelled ? *spelled : *per_gpu;
  shape.one_nic_gbps = std::min(nic / 8, shape.nic_gbps);
  return {};
}

void set_version(const PublishedTable& table, TimeShape& shape) {
  // A missing version: what was current when most machines of the generation were published.
  constexpr std::int32_t current[] = {21000, 21800, 22700, 22100, 22700, 22100};
  shape.version = current[static_cast<std::size_t>(shape.generation)];
  std::smatch match;
  const std::string text = table.column("nccl_version");
  if (std::regex_search(text, match, std::regex("([0-9]+)\\.([0-9]+)(?:\\.([0-9]+))?"))) {
    const auto part = [&](std::size_t i) { return std::atoi(match[i].str().c_str()); };
    shape.version = part(1) * 10000 + part(2) * 100 + (match[3].matched ? part(3) : 0);
  }
}

void set_flags(const PublishedTable& table, TimeShape& shape) {
  const std::string& flags = table.column("env_flags");
  shape.graph_launch = has(flags, "-G 1") || has(flags, "graph launch");
  shape.symmetric = has(flags, "-R 2");
  shape.far_nics = has(flags, "GDR_LEVEL=PHB") || shape.network == TimeNetwork::slingshot ||
                   shape.network == TimeNetwork::efa || shape.network == TimeNetwork::tcpx ||
                   shape.network == TimeNetwork::tcpxo;
  shape.software_matching = has(flags, "RX_MATCH_MODE=software");
  const std::string& gpu = table.column("gpu");
  shape.grace_host = gpu.starts_with("GH") || gpu.starts_with("GB");
  shape.in_switch_network = has(flags, "SHARP") || has(table.column("inter_link"), "SHARP");
  const bool ring = has(flags, "NCCL_ALGO=Ring") || has(flags, "NCCL_ALGO=RING");
  if (ring) shape.forced_algorithm = TimeAlgorithm::ring;
  if (has(flags, "NCCL_ALGO=Tree") || has(flags, "NCCL_ALGO=TREE")) {
    shape.forced_algorithm = TimeAlgorithm::tree;
  }
  if (has(flags, "NCCL_ALGO=NVLS")) {
    shape.forced_algorithm = shape.nodes > 1 ? TimeAlgorithm::nvls_tree : TimeAlgorithm::nvls;
  }
  if (has(flags, "NCCL_PROTO=LL128")) {
    shape.forced_protocol = TimeProtocol::ll128;
  } else if (has(flags, "NCCL_PROTO=LL")) {
    shape.forced_protocol = TimeProtocol::ll;
  } else if (has(flags, "NCCL_PROTO=S")) {
    shape.forced_protocol = TimeProtocol::simple;
  }
}

}  // namespace

TableMachine machine_of(const PublishedTable& table) {
  TableMachine machine;
  TimeShape& shape = machine.shape;
  const auto generation = generation_of(table.column("gpu"));
  if (!generation) {
    machine.unknown = "GPU " + table.column("gpu") + " is of no known generation";
    return machine;
  }
  shape.generation = *generation;
  shape.ranks = table.ranks;
  shape.nodes = nccl_nodes(table);
  shape.host_ranks = std::max(1, table.ranks / table.nodes);
  // Neither peer access nor shared memory: NCCL goes through the NICs inside a node as well.
  const std::string& flags = table.column("env_flags");
  if (has(flags, "P2P_DISABLE=1") && has(flags, "SHM_DISABLE=1")) shape.nodes = shape.ranks;
  if (shape.ranks < 2 || shape.ranks % shape.nodes != 0) {
    machine.unknown = "ranks do not divide over the nodes";
    return machine;
  }
  set_link(table, shape);
  machine.unknown = set_network(table, shape);
  set_version(table, shape);
  set_flags(table, shape);
  return machine;
}

}  // namespace fabricast
