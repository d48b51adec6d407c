#include "emulator/nccl/tuner.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "emulator/nccl/enable_lists.hpp"

namespace fabricast::nccl {
namespace {

constexpr double pci_gen3_bw = 12.0;  // GB/s, x16
constexpr int warp = 32;

int log2_floor(std::int64_t value) {
  return value <= 0 ? 0 : static_cast<int>(std::bit_width(static_cast<std::uint64_t>(value))) - 1;
}

bool gathers(Function function) {
  return function == Function::all_gather || function == Function::reduce_scatter;
}

bool is_collnet(Algorithm algorithm) {
  return algorithm == Algorithm::collnet_direct || algorithm == Algorithm::collnet_chain;
}

bool is_nvls(Algorithm algorithm) {
  return algorithm == Algorithm::nvls || algorithm == Algorithm::nvls_tree;
}

// Rows that the tuner has at all.
bool has_row(Function function, Algorithm algorithm) {
  if (function == Function::broadcast || function == Function::reduce) {
    return algorithm == Algorithm::ring;
  }
  if (gathers(function)) {
    return algorithm == Algorithm::pat || algorithm == Algorithm::ring ||
           algorithm == Algorithm::nvls || algorithm == Algorithm::collnet_direct;
  }
  return algorithm != Algorithm::pat;
}

bool simple_only(Algorithm algorithm) {
  return algorithm != Algorithm::tree && algorithm != Algorithm::ring;
}

class Model {
 public:
  Model(const Communicator& of, const TunerMachine& machine)
      : of_(of),
        machine_(machine),
        table_(tuner_table(of.version)),
        generation_(static_cast<std::size_t>(generation_of(of.min_capability))),
        scale_(static_cast<std::size_t>(of.nodes <= 2 ? of.nodes - 1 : 2)),
        per_node_(static_cast<float>(of.ranks) / static_cast<float>(of.nodes)) {}

  float bandwidth(Function function, Algorithm algorithm, Protocol protocol) const;
  float latency(Function function, Algorithm algorithm, Protocol protocol) const;

 private:
  int steps(Function function) const {
    if (function == Function::all_reduce) return 2 * (of_.ranks - 1);
    return gathers(function) ? of_.ranks - 1 : of_.ranks;
  }
  float channel_bandwidth(Function function, Algorithm algorithm) const;
  float nvls_bandwidth(Function function, Algorithm algorithm, const Graph& graph) const;
  float tree_bandwidth(Function function, Protocol protocol, const Graph& graph, float bus) const;
  float direct_bandwidth(Function function, const Graph& graph, float bus) const;
  double ll_cap() const {
    // One node: by GPU. More: by CPU vendor.
    const std::size_t row = of_.nodes == 1 ? generation_ : of_.amd_cpu ? 1U : 0U;
    return table_.ll[row][scale_];
  }
  float hardware_latency(Hardware hardware, Algorithm algorithm, Protocol protocol) const {
    if (hardware == Hardware::pci && machine_.power_cpu && algorithm == Algorithm::tree &&
        protocol == Protocol::simple) {
      algorithm = Algorithm::ring;
    }
    return table_
        .hardware[static_cast<std::size_t>(hardware)][index_of(algorithm)][index_of(protocol)];
  }
  float ring_latency(Function function, Protocol protocol, float intra, float inter) const;

  const Communicator& of_;
  const TunerMachine& machine_;
  const TunerTable& table_;
  const std::size_t generation_, scale_;
  const float per_node_;
};

// The steps below keep NCCL's mixture of float and double, which its printed values show.
float Model::nvls_bandwidth(Function function, Algorithm algorithm, const Graph& graph) const {
  const auto intra = static_cast<float>(graph.bw_intra);
  const auto inter = static_cast<float>(graph.bw_inter);
  if (!table_.nvls_by_efficiency) {
    if (algorithm == Algorithm::nvls_tree) {
      return std::min(intra, of_.nodes <= 2 ? inter : inter / 2);
    }
    if (function == Function::all_reduce) return std::min(intra, inter);
    return std::min(intra * (per_node_ - 1.0F) / per_node_, inter * 0.9F);
  }
  if (graph.channels < 2) return 0;
  const auto channels = static_cast<float>(graph.channels);
  float inside = intra * table_.nvls_efficiency[generation_] * (channels - 1) / channels;
  inside *= function == Function::all_reduce ? 2.0F : (per_node_ - 1) / per_node_;
  const bool both_ways = of_.nodes <= 2 && algorithm == Algorithm::nvls_tree;
  const float between = inter * (both_ways ? 2.0F : 1.0F);
  const float cap = algorithm == Algorithm::nvls_tree
                        ? static_cast<float>(table_.nvls_tree[generation_][scale_])
                        : std::numeric_limits<float>::max();
  return std::min({inside, between, cap});
}

float Model::channel_bandwidth(Function function, Algorithm algorithm) const {
  const Graph& graph = of_.graph_of(algorithm);
  if (is_nvls(algorithm)) return nvls_bandwidth(function, algorithm, graph);
  const bool inside = of_.nodes <= 2 || is_collnet(algorithm);
  return static_cast<float>(inside ? graph.bw_intra : graph.bw_inter);
}

float Model::tree_bandwidth(Function function, Protocol protocol, const Graph& graph,
                            float bus) const {
  if (function == Function::all_reduce) {
    bus =
        static_cast<float>(std::min(bus * .92, graph.channels * table_.tree[generation_][scale_]));
  }
  if (protocol == Protocol::ll) bus = static_cast<float>(std::min(bus * 1.0 / 3.8, ll_cap()));
  if (protocol == Protocol::ll128) {
    bus = static_cast<float>(std::min(bus * (of_.nodes == 1 ? 7.0 / 9.0 : 120.0 / 128.0),
                                      graph.channels * table_.tree_ll128[generation_][scale_]));
  }
  if (graph.pattern == Pattern::tree) bus = static_cast<float>(bus * .85);
  return bus;
}

float Model::direct_bandwidth(Function function, const Graph& graph, float bus) const {
  if (gathers(function)) {
    return per_node_ *
           std::min(static_cast<float>(graph.bw_intra), static_cast<float>(graph.bw_inter) * 0.9F);
  }
  auto factor = static_cast<float>(per_node_ / (1.0 * graph.channels));  // GPUs per NIC
  factor -= (factor - 1) / 2;
  bus /= factor;
  return of_.min_capability >= 90 ? static_cast<float>(bus * .85) : bus;
}

float Model::bandwidth(Function function, Algorithm algorithm, Protocol protocol) const {
  const Graph& graph = of_.graph_of(algorithm);
  if (graph.channels == 0) return 0;
  float bus = static_cast<float>(graph.channels) * channel_bandwidth(function, algorithm);
  if (algorithm == Algorithm::ring && protocol == Protocol::ll) {
    const bool quarter =
        of_.nodes > 1 || function == Function::all_reduce || function == Function::reduce;
    const double part = table_.ring_ll_half ? .5 : quarter ? 1.0 / 4.0 : 1.0 / 3.0;
    bus = static_cast<float>(std::min(ll_cap(), bus * part));
  }
  if (algorithm == Algorithm::ring && protocol == Protocol::ll128) {
    bus = static_cast<float>(
        std::min(bus * .92, graph.channels * table_.ring_ll128[generation_][scale_]));
  }
  if (algorithm == Algorithm::tree) bus = tree_bandwidth(function, protocol, graph, bus);
  if (algorithm == Algorithm::pat) {
    if (of_.tree.pattern == Pattern::none) return 0;
    bus = static_cast<float>(bus * static_cast<double>(table_.pat_factor));
  }
  if (algorithm == Algorithm::collnet_direct) bus = direct_bandwidth(function, graph, bus);
  if (gathers(function) && algorithm != Algorithm::ring) return bus;
  float ratio = 1.0F;
  if (algorithm == Algorithm::ring || (is_nvls(algorithm) && table_.nvls_by_efficiency)) {
    ratio = static_cast<float>(ratio * ((1.0 * of_.ranks) / steps(function)));
  } else if (is_nvls(algorithm)) {
    ratio = static_cast<float>(ratio * (5.0 / 6.0));
  } else {
    ratio = static_cast<float>(ratio * .5);
  }
  return bus * ratio;
}

float Model::ring_latency(Function function, Protocol protocol, float intra, float inter) const {
  float total = table_.base[index_of(Algorithm::ring)][index_of(protocol)];
  if (function == Function::reduce || function == Function::broadcast) {
    const bool nvlink = of_.ring.type_intra == PathType::nvl;
    const Hardware hardware = of_.nodes > 1 ? Hardware::network
                              : nvlink      ? Hardware::nvlink
                                            : Hardware::pci;
    if (of_.ring.same_channels != 0) {
      return total + hardware_latency(hardware, Algorithm::ring, protocol);
    }
    const Algorithm like =
        protocol == Protocol::simple ? Algorithm::tree : Algorithm::ring;  // chunks, not modelled
    return total + static_cast<float>(steps(function)) * hardware_latency(hardware, like, protocol);
  }
  float overhead = 0;
  if (of_.nodes > 1) {
    overhead = of_.amd_cpu ? 2.0F : 1.0F;
    if (of_.overrides.net_overhead_us)
      overhead = static_cast<float>(*of_.overrides.net_overhead_us);
    if (protocol == Protocol::simple) overhead *= 3;
  }
  const int nodes =
      table_.inter_steps_less_one || function != Function::all_reduce ? of_.nodes - 1 : of_.nodes;
  const int between = of_.nodes == 1 ? 0 : function == Function::all_reduce ? 2 * nodes : nodes;
  total += static_cast<float>(steps(function) - between) * std::max(intra, overhead) +
           static_cast<float>(between) * inter;
  return total;
}

float Model::latency(Function function, Algorithm algorithm, Protocol protocol) const {
  const Graph& graph = of_.graph_of(algorithm);
  const Hardware inside = graph.type_intra == PathType::nvl ? Hardware::nvlink : Hardware::pci;
  const float intra = hardware_latency(inside, algorithm, protocol);
  const bool exposed = per_node_ == 1 && table_.single_rank_tree_latency;
  float inter =
      hardware_latency(Hardware::network, exposed ? Algorithm::tree : algorithm, protocol);
  inter += static_cast<float>(graph.latency_inter);
  if (protocol == Protocol::simple) inter += static_cast<float>(graph.latency_inter);  // flush
  const float base = table_.base[index_of(algorithm)][index_of(protocol)];
  const auto others = static_cast<float>(of_.ranks / of_.nodes - 1);
  const auto depth = static_cast<float>(log2_floor(of_.nodes));
  switch (algorithm) {
    case Algorithm::ring:
      return ring_latency(function, protocol, intra, inter);
    case Algorithm::tree:
      return function == Function::all_reduce ? base + 2 * (others * intra + depth * inter) : base;
    case Algorithm::collnet_direct:
      return static_cast<float>(base +
                                (2 * (std::min(1.0F, others) * intra + others * 0.4) + inter));
    case Algorithm::collnet_chain:
      return base + (2 * others * intra + inter);
    case Algorithm::nvls:
      return (table_.nvls_by_efficiency || intra > 0 ? intra : base) + (of_.nodes > 1 ? inter : 0);
    case Algorithm::nvls_tree:
      return base + (intra + 2 * depth * inter);
    case Algorithm::pat:
      break;
  }
  return static_cast<float>(base + (depth * (inter / 3.5) + of_.ranks * 2.8));
}

int limited_threads(const std::optional<int>& given, int least, int most, int otherwise) {
  if (!given) return otherwise;
  if (*given % warp != 0 || *given > most) return most;  // as NCCL warns and does
  return std::max(*given, least);
}

void fill_threads(Communicator& of) {
  const auto& overrides = of.overrides;
  const bool slow = of.ring.bw_intra * of.ring.channels <= pci_gen3_bw;
  auto set = [&](Algorithm algorithm, Protocol protocol, int threads) {
    of.max_threads[index_of(algorithm)][index_of(protocol)] = threads;
  };
  for (const auto algorithm : all_algorithms) set(algorithm, Protocol::simple, 640);
  set(Algorithm::ring, Protocol::simple,
      limited_threads(overrides.threads, 2 * warp, 512, slow ? 256 : 512));
  set(Algorithm::tree, Protocol::simple, limited_threads(overrides.threads, 2 * warp, 512, 512));
  set(Algorithm::pat, Protocol::simple, 0);  // NCCL sets none: channels are not reduced
  for (const auto algorithm : {Algorithm::tree, Algorithm::ring}) {
    set(algorithm, Protocol::ll, limited_threads(overrides.threads, 2 * warp, 512, 512));
    set(algorithm, Protocol::ll128, limited_threads(overrides.ll128_threads, 160, 640, 640));
  }
  for (const auto algorithm : all_algorithms) {
    auto& row = of.thread_threshold[index_of(algorithm)];
    row = {8, 8, is_collnet(algorithm) ? 512 : 64};  // bytes per thread
    if (algorithm == Algorithm::ring) row[index_of(Protocol::ll)] *= of.ranks;
  }
}

// Why the model itself gives nothing, or an empty text.
std::string not_modelled(const Communicator& of, const TunerMachine& machine, Function function,
                         Algorithm algorithm, Protocol protocol) {
  if (!has_row(function, algorithm)) return "not implemented for this collective";
  if (simple_only(algorithm) && protocol != Protocol::simple) return "runs with Simple only";
  const auto& table = tuner_table(of.version);
  if (algorithm == Algorithm::pat) {
    if (table.pat_factor == 0) return "not in this version";
    if (of.min_capability < 60) return "needs SM60 or newer";
    if (of.overrides.pat_enable == 0) return "NCCL_PAT_ENABLE=0";
    if (of.overrides.pat_enable == 2 && of.nodes != of.ranks) {
      return "more than one rank per node";
    }
    if (!machine.host_network) return "the network is driven by the device";
  }
  if (is_nvls(algorithm) && of.nvls.channels < 2) {
    return of.min_capability < 90 || !machine.nvswitch ? "no NVSwitch multicast (SM90 or newer)"
                                                       : "fewer than two NVLS heads";
  }
  if ((algorithm == Algorithm::nvls || algorithm == Algorithm::collnet_direct) &&
      gathers(function) && of.nodes > 1) {
    if (!of.collnet_supported) return "across nodes it needs SHARP (NCCL_COLLNET_ENABLE=1)";
    if (of.ranks_per_node > of.collnet_direct.channels)
      return "fewer NIC heads than ranks of a node";
  }
  return "";
}

std::string switched_off(const Communicator& of, const TunerMachine& machine,
                         const EnableLists& lists, Function function, Algorithm algorithm,
                         Protocol protocol) {
  if (lists.algorithms[index_of(function)][index_of(algorithm)] == 0) {
    return "NCCL_ALGO=" + of.overrides.algo;
  }
  if (of.nodes == 1 && algorithm == Algorithm::nvls_tree) return "one node";
  if (!of.collnet_supported && is_collnet(algorithm)) {
    return of.nodes == 1 ? "one node" : "needs SHARP (NCCL_COLLNET_ENABLE=1)";
  }
  if (!of.collnet_supported && algorithm == Algorithm::nvls && of.nodes > 1) {
    return "across nodes it needs SHARP (NCCL_COLLNET_ENABLE=1)";
  }
  if (algorithm == Algorithm::collnet_direct && !machine.nvswitch) return "no NVSwitch";
  const int enabled = lists.protocols[index_of(function)][index_of(protocol)];
  if (enabled == 0) return "NCCL_PROTO=" + of.overrides.proto;
  if (enabled != EnableLists::by_default || protocol != Protocol::ll128) return "";
  const Graph& graph = of.graph_of(algorithm);
  const bool farther = of.overrides.ll128_c2c && of.min_capability >= 90;
  // Before 2.27 a way over C2C to the NIC of a CPU was a way through the CPU.
  const bool by_cpu = graph.type_inter == PathType::p2c && of.version < Version{2, 27, 0};
  if (by_cpu || graph.type_inter > (farther ? PathType::pxn : PathType::pxb)) {
    return std::string("the way to the NIC is ") + std::string(to_string(graph.type_inter));
  }
  if (graph.type_intra > PathType::nvb) return "GPUs of a node are not all joined by NVLink";
  if (of.min_capability != of.max_capability) return "GPUs of different generations";
  if (of.min_capability < 70) return "needs SM70 or newer";
  return "";
}

}  // namespace

void fill_tuner(Communicator& of, const TunerMachine& machine) {
  fill_threads(of);
  if (of.ranks <= 1) return;
  const EnableLists lists = enable_lists(of.overrides);
  const Model model(of, machine);
  for (std::size_t f = 0; f < function_count; ++f) {
    const auto function = static_cast<Function>(f);
    for (const auto algorithm : all_algorithms) {
      for (const auto protocol : all_protocols) {
        const std::size_t a = index_of(algorithm);
        const std::size_t p = index_of(protocol);
        std::string& reason = of.disabled[f][a][p];
        reason = not_modelled(of, machine, function, algorithm, protocol);
        if (reason.empty()) {
          of.latency_us[f][a][p] = model.latency(function, algorithm, protocol);
          reason = switched_off(of, machine, lists, function, algorithm, protocol);
        }
        if (!reason.empty()) continue;
        of.bandwidth_gbps[f][a][p] = model.bandwidth(function, algorithm, protocol);
        if (of.bandwidth_gbps[f][a][p] == 0) reason = "no graph was found";
      }
    }
  }
}

float estimate_us(const Communicator& of, Function function, Algorithm algorithm, Protocol protocol,
                  std::int64_t bytes) {
  const std::size_t f = index_of(function);
  const std::size_t a = index_of(algorithm);
  const std::size_t p = index_of(protocol);
  auto bandwidth = static_cast<float>(of.bandwidth_gbps[f][a][p]);
  auto latency = static_cast<float>(of.latency_us[f][a][p]);
  if (bandwidth == 0) return -1;
  const auto& table = tuner_table(of.version);
  const bool nvls_tree = algorithm == Algorithm::nvls_tree && table.correct_nvls_tree &&
                         of.min_capability >= 100 && !of.arm_cpu;
  if (function == Function::all_reduce && (algorithm == Algorithm::tree || nvls_tree)) {
    const int size = bytes < 64 ? 0 : log2_floor(bytes >> 6);
    if (size < table.corrections) {
      bandwidth *= table.correction[p][static_cast<std::size_t>(size)];
    }
  }
  const std::int64_t ranks_channels = std::int64_t{of.total_channels} * of.ranks;
  if (algorithm == Algorithm::ring && protocol == Protocol::simple && of.nodes > 1 &&
      function == Function::all_reduce && bytes / ranks_channels >= 64) {
    latency = static_cast<float>(latency * (of.min_capability < 80 ? 1.9 : 1.4));  // plateau
  }
  return latency + static_cast<float>(bytes) / (1000 * bandwidth);
}

}  // namespace fabricast::nccl
