#include "topologies/match/machine_match.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "topologies/builders/built_topology.hpp"
#include "topologies/match/text_words.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

struct GpuNodes {
  std::string_view gpu;
  std::string_view nvlink, pcie;  // node types; empty: not known
};
constexpr std::array gpu_nodes{
    GpuNodes{"gb300", "gb300-nvl72", ""},
    GpuNodes{"gb200", "gb200-nvl72", ""},
    GpuNodes{"gh200", "gh200-4", ""},
    GpuNodes{"b300", "hgx-b300", ""},
    GpuNodes{"b200", "hgx-b200", ""},
    GpuNodes{"h200", "hgx-h200", ""},
    GpuNodes{"h100", "hgx-h100", "h100-pcie"},
    GpuNodes{"h800", "hgx-h800", ""},
    GpuNodes{"h20", "hgx-h20", ""},
    GpuNodes{"a100", "hgx-a100", "a100-pcie"},
    GpuNodes{"a800", "hgx-a800", ""},
    GpuNodes{"v100", "dgx-1-v100", ""},
    GpuNodes{"l40s", "", "l40s-pcie"},
    GpuNodes{"rtx4090", "", "rtx4090-pcie"},
    GpuNodes{"rtx5090", "", "rtx5090-pcie"},
    GpuNodes{"rtx6000d", "", "rtx6000d-pcie"},
    GpuNodes{"rtxpro6000", "", "rtxpro6000-pcie"},
    GpuNodes{"mi250x", "mi250x-8", ""},
    GpuNodes{"mi300x", "mi300x-8", ""},
    GpuNodes{"mi325x", "mi325x-8", ""},
    GpuNodes{"mi350x", "mi350x-8", ""},
    GpuNodes{"mi355x", "mi355x-8", ""},
};

struct Unmatched {
  std::string reason;
};

class Matcher {
 public:
  explicit Matcher(const SystemColumns& columns)
      : columns_(columns),
        link_(in_lower_case(columns.intra_link)),
        gpu_(in_lower_case(columns.gpu)),
        network_(read_network(columns.inter_link)) {}

  MachineMatch match() {
    check_counts();
    choose_node();
    choose_shape();
    if (domains_ > 1) choose_network();
    return finish();
  }

 private:
  void check_counts() {
    if (columns_.nodes < 1 || columns_.gpus_per_node < 1 ||
        (columns_.gpus != 0 && columns_.gpus != columns_.nodes * columns_.gpus_per_node)) {
      throw Unmatched{fmt::format("{} GPUs are not {} nodes of {}", columns_.gpus, columns_.nodes,
                                  columns_.gpus_per_node)};
    }
  }

  void assume(std::string what) { result_.assumptions.push_back(std::move(what)); }

  void choose_node() {
    const auto key = read_gpu_key(columns_.gpu);
    const auto known = std::find_if(gpu_nodes.begin(), gpu_nodes.end(),
                                    [&](const GpuNodes& n) { return key && n.gpu == *key; });
    if (known == gpu_nodes.end()) {
      throw Unmatched{fmt::format("the GPU \"{}\" is not among the known ones", columns_.gpu)};
    }
    const bool pcie = (contains_text(gpu_, "pcie") || contains_text(link_, "pcie")) &&
                      !contains_text(link_, "nvlink");
    result_.node = pcie || known->nvlink.empty() ? known->pcie : known->nvlink;
    if (result_.node.empty()) {
      throw Unmatched{fmt::format("\"{}\" with the link \"{}\" is not among the known nodes",
                                  columns_.gpu, columns_.intra_link)};
    }
    choose_variant();
    const auto machine = load_machine(result_.node);
    type_ = std::dynamic_pointer_cast<const BuiltTopology>(machine);
    result_.library = library_of_vendor(machine->gpu().vendor);
  }

  // Boards of one GPU that differ in how many it holds and how they are joined.
  void choose_variant() {
    if (result_.node == "dgx-1-v100" &&
        (contains_text(link_, "nvswitch") || contains_text(gpu_, "sxm3") ||
         columns_.gpus_per_node > 8)) {
      result_.node = "dgx-2-v100";
    }
    if (result_.node != "hgx-a100" || columns_.gpus_per_node > 4) return;
    const bool by_link = contains_text(link_, "all-to-all") || contains_text(link_, "4-gpu") ||
                         contains_text(link_, "4 gpu");
    if (by_link || gpus_by_network() == 4) result_.node = "hgx-a100-4";
  }

  // "4x200G" at 200 Gbit/s per GPU is a node of four.
  int gpus_by_network() const {
    if (!network_.ports || !network_.port_gbit || columns_.nic_gbit_per_gpu <= 0) return 0;
    return static_cast<int>(
        std::lround(*network_.ports * *network_.port_gbit / columns_.nic_gbit_per_gpu));
  }

  // How many GPUs a domain has, and how many domains there are.
  void choose_shape() {
    const auto& domain = type_->spec().domain;
    const auto whole = static_cast<std::int32_t>(domain.size.value);
    if (domain.members_per_tray > 0) {
      choose_racks(whole / domain.members_per_tray, domain.members_per_tray);
      return;
    }
    node_gpus_ = whole;
    domains_ = columns_.nodes;
    members_ = columns_.gpus_per_node;
    if (members_ == whole) return;
    if (members_ > whole && domain.kind != LinkKind::pcie) {
      throw Unmatched{fmt::format("{} GPUs per node are more than the {} of {}", members_, whole,
                                  result_.node)};
    }
    if (members_ > whole) node_gpus_ = members_;
    set(domains_ > 1 ? "node.gpus" : "gpus", std::to_string(members_));
  }

  void choose_racks(std::int32_t trays, std::int32_t per_tray) {
    node_gpus_ = per_tray;
    if (columns_.gpus_per_node > per_tray) {
      throw Unmatched{fmt::format("{} GPUs per node are more than the {} of a tray of {}",
                                  columns_.gpus_per_node, per_tray, result_.node)};
    }
    const std::int32_t nodes = columns_.nodes;
    domains_ = 1;
    if (network_.family != NetworkFamily::none) {
      // A named network between nodes that one rack could hold: they are in different racks.
      domains_ = nodes <= trays ? nodes : (nodes + trays - 1) / trays;
      if (nodes > 1 && nodes <= trays) {
        assume("a network is named: every node is in a rack of its own");
      }
      while (nodes % domains_ != 0) ++domains_;
    } else if (nodes > trays) {
      throw Unmatched{fmt::format("{} nodes are more than a rack of {}, and no network is named",
                                  nodes, trays)};
    }
    if (nodes / domains_ < trays && domains_ > 1 && nodes > trays) {
      assume(fmt::format("{} racks with {} nodes each in use", domains_, nodes / domains_));
    }
    members_ = nodes / domains_ * columns_.gpus_per_node;
    const std::string prefix = domains_ > 1 ? "node." : "";
    set(prefix + "trays", std::to_string(nodes / domains_));
    set(prefix + "gpus_per_tray", std::to_string(columns_.gpus_per_node));
  }

  void choose_network() {
    const auto& scale_out = type_->spec().scale_out;
    if (network_.family == NetworkFamily::none && columns_.nic_gbit_per_gpu <= 0) {
      throw Unmatched{fmt::format("{} nodes, and no network is named", columns_.nodes)};
    }
    const bool family_known =
        network_.family != NetworkFamily::unknown && network_.family != NetworkFamily::none;
    std::optional<double> per_gpu;
    if (columns_.nic_gbit_per_gpu > 0) per_gpu = columns_.nic_gbit_per_gpu;
    if (!per_gpu && network_.port_gbit) {
      const bool counted = network_.ports && !network_.ports_per_gpu;
      per_gpu = counted ? *network_.ports * *network_.port_gbit / node_gpus_
                        : network_.ports.value_or(1) * *network_.port_gbit;
    }
    if (!per_gpu || !family_known) {
      assume(fmt::format("the network's words leave {} open: as {} is joined by default ({})",
                         !per_gpu ? "the rate" : "the kind", result_.node, scale_out->fabric));
    }
    double port = network_.port_gbit.value_or(per_gpu.value_or(rate_of(scale_out->fabric)));
    if (per_gpu && network_.ports && !network_.ports_per_gpu) {
      port = *per_gpu * node_gpus_ / *network_.ports;
    }
    result_.fabric = family_known ? fabric_of(port) : same_family(scale_out->fabric, port);
    if (!per_gpu) return;
    set_nics(*per_gpu, port);
  }

  // One NIC for several GPUs, or several ports for one.
  void set_nics(double per_gpu, double port) {
    const auto source = fmt::format("the table: {} Gbit/s per GPU, \\\"{}\\\"", per_gpu,
                                    clean(columns_.inter_link));
    const double ports = std::max(1.0, std::round(per_gpu / port));
    set("fabric.nic.bandwidth",
        fmt::format("[{} Gbit/s, published, \"{}\"]", ports > 1 ? per_gpu / ports : port, source));
    if (ports > 1) {
      set("fabric.nic.ports", fmt::format("[{}, published, \"{}\"]", ports, source));
    }
    if (port <= per_gpu * 1.01) return;
    // As many NICs as the GPUs in use have, and an even share of them.
    auto nics =
        static_cast<std::int32_t>(std::max(1.0, std::floor(members_ * per_gpu / port + 0.01)));
    while (members_ % nics != 0) --nics;
    set("fabric.nic.per_node", fmt::format("[{}, published, \"{}\"]", nics, source));
  }

  std::string fabric_of(double port) const {
    switch (network_.family) {
      case NetworkFamily::infiniband:
        return port <= 120   ? "infiniband-edr"
               : port <= 200 ? "infiniband-hdr"
               : port <= 400 ? "infiniband-ndr"
                             : "infiniband-xdr";
      case NetworkFamily::efa:
        if (network_.efa_version) return fmt::format("efa-v{}", *network_.efa_version);
        if (port <= 100) return type_->gpu().generation == "ampere" ? "efa-v1" : "efa-v2";
        return port <= 200 ? "efa-v3" : "efa-v4";
      case NetworkFamily::slingshot:
        return "slingshot-11";
      case NetworkFamily::tcpx:
        return "gcp-tcpx";
      case NetworkFamily::tcpxo:
        return "gcp-tcpxo";
      case NetworkFamily::none:
      case NetworkFamily::unknown:
      case NetworkFamily::roce:
      case NetworkFamily::ethernet:
        break;
    }
    return port <= 100   ? "roce-100"
           : port <= 200 ? "roce-200"
           : port <= 400 ? "roce-400"
                         : "roce-800";
  }

  // Gbit/s of a port of a fabric type.
  static double rate_of(const std::string& fabric) {
    if (fabric.ends_with("800") || fabric.ends_with("xdr")) return 800;
    if (fabric.ends_with("400") || fabric.ends_with("ndr")) return 400;
    return fabric.ends_with("100") || fabric.ends_with("edr") ? 100 : 200;
  }

  // The default's kind at another rate.
  std::string same_family(const std::string& fabric, double port) {
    network_.family = fabric.starts_with("infiniband")  ? NetworkFamily::infiniband
                      : fabric.starts_with("slingshot") ? NetworkFamily::slingshot
                                                        : NetworkFamily::roce;
    return fabric_of(port);
  }

  static std::string clean(std::string text) {
    std::replace_if(
        text.begin(), text.end(),
        [](unsigned char c) { return c < 0x20 || c > 0x7e || c == '"' || c == '\\'; }, ' ');
    return text;
  }

  void set(const std::string& path, const std::string& value) {
    settings_ += fmt::format("  {}: {}\n", path, value);
  }

  void set_memory() {
    const auto memory = read_memory_gb(columns_.gpu);
    const double known = type_->gpu().hbm_gb.value;
    const bool range = contains_text(columns_.gpu, "/");
    // The names of GH200 count the processor's memory.
    if (!memory || range || *memory == known || result_.node == "gh200-4") return;
    const std::string prefix = domains_ > 1 ? "node." : "";
    set(prefix + "gpu.hbm", fmt::format("[{} GB, published, \"the table's name of the GPU: {}\"]",
                                        *memory, clean(columns_.gpu)));
    if (*memory == 40 && type_->gpu().name == "A100") {
      set(prefix + "gpu.hbm_bandwidth",
          "[1.555 TB/s, datasheet, \"NVIDIA A100 40 GB, as remembered from its data sheet\"]");
    }
  }

  // "PCIe Gen3 x16" where the node's own slots are of another generation.
  void set_slots() {
    if (members_ < 2 || type_->spec().domain.kind != LinkKind::pcie) return;
    for (int generation = 3; generation <= 6; ++generation) {
      const double rate = 8.0 * (1 << (generation - 2));  // GB/s of sixteen lanes
      const std::string digit = std::to_string(generation);
      if (!contains_text(link_, "gen" + digit) && !contains_text(link_, "gen " + digit) &&
          !contains_text(link_, "pcie" + digit) && !contains_text(link_, "pcie " + digit)) {
        continue;
      }
      if (rate == type_->spec().domain.bandwidth->value) return;
      set(domains_ > 1 ? "node.interconnect.bandwidth" : "interconnect.bandwidth",
          fmt::format("[{} GB/s, published, \"the table: {}\"]", rate, clean(columns_.intra_link)));
    }
  }

  MachineMatch finish() {
    set_memory();
    set_slots();
    const std::string base = domains_ > 1
                                 ? fmt::format("{}x{}@{}", result_.node, domains_, result_.fabric)
                                 : result_.node;
    std::string yaml = fmt::format("name: \"{}\"\nbase: \"{}\"\n", base, base);
    if (!settings_.empty()) yaml += "set:\n" + settings_;
    try {
      result_.machine = parse_machine(yaml, "(the table's machine)");
    } catch (const UsageError& error) {
      throw Unmatched{error.what()};
    }
    return std::move(result_);
  }

  const SystemColumns& columns_;
  std::string link_, gpu_;
  NetworkWords network_;
  std::shared_ptr<const BuiltTopology> type_;
  std::int32_t node_gpus_ = 1;  // of a whole node (of a tray), in use or not
  std::int32_t members_ = 1, domains_ = 1;
  std::string settings_;
  MachineMatch result_;
};

}  // namespace

std::string library_of_vendor(const std::string& vendor) {
  if (vendor == "nvidia") return "nccl";
  if (vendor == "amd") return "rccl";
  if (vendor == "google") return "xla";
  if (vendor == "aws") return "neuron";
  return "hccl";  // Intel's and Huawei's libraries share the name
}

MachineMatch match_machine(const SystemColumns& columns) {
  try {
    return Matcher(columns).match();
  } catch (const Unmatched& unmatched) {
    MachineMatch none;
    none.reason = unmatched.reason;
    return none;
  }
}

}  // namespace fabricast
