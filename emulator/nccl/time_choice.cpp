#include "emulator/nccl/time_choice.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace fabricast {
namespace {

// search.cc: the speeds that the search tries, GB/s.
constexpr std::array<double, 11> speeds_sm90{60, 50, 48, 40, 30, 24, 20, 15, 12, 6, 3};
constexpr std::array<double, 13> speeds_before{48, 40, 30, 24, 20, 18, 15, 12, 10, 9, 7, 6, 3};
constexpr std::array<double, 12> speeds_sm100{96, 90, 80, 60, 48, 45, 40, 30, 24, 20, 12, 6};

bool at_least_hopper(const TimeShape& shape) {
  return shape.generation == TimeGeneration::hopper ||
         shape.generation == TimeGeneration::blackwell;
}

double nccl_link_gbps(const TimeShape& shape) {
  // topo.h: what NCCL believes of NVLink; topo.cc: PCIe x16.
  switch (shape.link) {
    case TimeLink::pcie:
    case TimeLink::pcie_host:
      return shape.link_gbps * 0.75;
    default:
      return shape.link_gbps * (at_least_hopper(shape) ? 0.82 : 0.8);
  }
}

template <std::size_t count>
double highest_speed(const std::array<double, count>& speeds, double limit) {
  for (const double speed : speeds) {
    if (speed <= limit * 1.001) return speed;
  }
  return std::min(limit, speeds.back());
}

double speed_below(const TimeShape& shape, double limit) {
  if (shape.generation == TimeGeneration::blackwell) return highest_speed(speeds_sm100, limit);
  if (shape.generation == TimeGeneration::hopper) return highest_speed(speeds_sm90, limit);
  return highest_speed(speeds_before, limit);
}

ChannelEstimate one_node(const TimeShape& shape) {
  ChannelEstimate estimate;
  const double total = nccl_link_gbps(shape);
  if (shape.link == TimeLink::pcie || shape.link == TimeLink::pcie_host) {
    estimate.intra_gbps = estimate.inter_gbps = total / 2;
    estimate.search_channels = 2;
    estimate.channels = 4;
    return estimate;
  }
  // What the golden graphs show: 12 x 20 (A100), 12 x 30 (H100), 16 x 45 (B200).
  double channels = 12;
  if (shape.generation == TimeGeneration::blackwell) channels = 16;
  if (shape.generation == TimeGeneration::volta) channels = 6;
  estimate.search_channels = channels;
  estimate.intra_gbps = estimate.inter_gbps = total / channels;
  estimate.channels = 2 * channels;
  return estimate;
}

ChannelEstimate many_nodes(const TimeShape& shape) {
  ChannelEstimate estimate;
  const double local = shape.ranks_per_node();
  // Never more inside a node than its links carry.
  const double nic_total = std::min(shape.nic_gbps, local > 1 ? nccl_link_gbps(shape) : 1e9);
  const double nics = std::max(1.0, std::round(shape.nic_gbps / shape.one_nic_gbps));
  double channels = std::min(nics, 16.0);
  double speed = speed_below(shape, std::min(shape.one_nic_gbps, nic_total));
  channels = std::max(1.0, std::min(channels, std::floor(nic_total / speed + 0.05)));
  const bool duplicate = speed >= 25 && !(at_least_hopper(shape) && speed < 50 && channels > 4);
  if (duplicate) {
    channels *= 2;
    speed /= 2;
  }
  estimate.search_channels = channels;
  estimate.intra_gbps = estimate.inter_gbps = speed;
  estimate.channels = 2 * channels;
  if (at_least_hopper(shape) && speed > 45 && estimate.channels < 16) estimate.channels *= 2;
  return estimate;
}

struct Latencies {
  double base, link, net;
};

Latencies latencies(const TimeShape& shape, TimeAlgorithm algorithm, TimeProtocol protocol) {
  const bool pcie = shape.link == TimeLink::pcie || shape.link == TimeLink::pcie_host;
  if (algorithm == TimeAlgorithm::tree) {
    if (protocol == TimeProtocol::ll) return {6.8, pcie ? 1.0 : 0.6, 5.0};
    if (protocol == TimeProtocol::ll128) return {14, pcie ? 1.9 : 1.25, 8.5};
    // Tree Simple by version: 2.21 and 2.22 have 28 for each hop.
    if (shape.version >= 22100 && shape.version < 22300) return {0, 28, 28};
    return {shape.version < 22300 ? 0.0 : 8.4, 4.0, 14};
  }
  if (protocol == TimeProtocol::ll) return {6.6, pcie ? 1.0 : 0.6, 2.7};
  if (protocol == TimeProtocol::ll128) return {14, pcie ? 2.5 : 1.9, 4.0};
  return {8.4, pcie ? 5.7 : 3.4, 14};
}

// Columns: one node, two, more.
double by_nodes(const TimeShape& shape, double one, double two, double more) {
  return shape.nodes == 1 ? one : shape.nodes == 2 ? two : more;
}

double ll_cap(const TimeShape& shape) {
  if (shape.nodes > 1) {
    return shape.amd_cpu ? by_nodes(shape, 0, 22.5, 19) : by_nodes(shape, 0, 39, 20.4);
  }
  switch (shape.generation) {
    case TimeGeneration::volta:
      return 39;
    case TimeGeneration::hopper:
      return 141;
    case TimeGeneration::blackwell:
      return 282;
    default:
      return 87.7;
  }
}

double tree_cap(const TimeShape& shape) {
  switch (shape.generation) {
    case TimeGeneration::volta:
      return by_nodes(shape, 26.5, 18.5, 10);
    case TimeGeneration::hopper:
      return by_nodes(shape, 38.7, 41.4, 36);
    case TimeGeneration::blackwell:
      return shape.version < 22800 ? by_nodes(shape, 77.4, 82.8, 72)
                                   : by_nodes(shape, 70, 42.8, 24);
    default:
      return by_nodes(shape, 24, 23.6, 17.8);
  }
}

double tree_ll128_cap(const TimeShape& shape) {
  switch (shape.generation) {
    case TimeGeneration::hopper:
      return by_nodes(shape, 36.7, 36.7, 29);
    case TimeGeneration::blackwell:
      return shape.version < 22800 ? by_nodes(shape, 73.4, 73.4, 58)
                                   : by_nodes(shape, 55.6, 31.67, 20);
    default:
      return 20;
  }
}

double ring_ll128_cap(const TimeShape& shape) {
  switch (shape.generation) {
    case TimeGeneration::hopper:
      return 36.7;
    case TimeGeneration::blackwell:
      return shape.version < 22900 ? 73.4 : 40;
    default:
      return 20;
  }
}

// Entries for 64 B, 128 B ...: tuning.cc, treeCorrectionFactor.
constexpr std::array<std::array<double, 23>, 3> tree_correction{{
    {1, 1, 1, 1, .9, .8, .7, .7, .7, .7, .6, .5, .4, .4, .5, .6, .7, .8, .9, 1, 1, 1, 1},
    {1, 1, 1, 1, 1, .9, .8, .8, .8, .7, .6, .6, .6, .6, .6, .6, .8, .9, .9, .9, .9, 1, 1},
    {.9, .9, .9, .9, .9, .9, .9, .8, .7, .6, .6, .5, .5, .5, .5, .6, .7, .8, .7, .7, .8, .9, .9},
}};

double correction(TimeProtocol protocol, double bytes) {
  const double place = std::floor(std::log2(std::max(bytes, 64.0) / 64));
  if (place > 22) return 1;
  const auto& row = tree_correction.at(static_cast<std::size_t>(protocol) - 1);
  return row.at(static_cast<std::size_t>(place));
}

double ring_estimate(const TimeCase& time_case, const ChannelEstimate& graph,
                     TimeProtocol protocol) {
  const TimeShape& shape = time_case.shape;
  const bool chain =
      time_case.collective == Collective::broadcast || time_case.collective == Collective::reduce;
  const double n = shape.ranks, rounds = time_case.collective == Collective::all_reduce ? 2 : 1;
  const double steps = chain ? n : rounds * (n - 1);
  double bus = graph.search_channels * (shape.nodes <= 2 ? graph.intra_gbps : graph.inter_gbps);
  if (protocol == TimeProtocol::ll) bus = std::min(ll_cap(shape), bus / 2);
  if (protocol == TimeProtocol::ll128) {
    bus = std::min(0.92 * bus, graph.search_channels * ring_ll128_cap(shape));
  }
  const Latencies hop = latencies(shape, TimeAlgorithm::ring, protocol);
  const double net_steps = shape.nodes > 1 ? rounds * (shape.nodes - 1) : 0;
  const double overhead =
      shape.nodes > 1 ? (shape.amd_cpu ? 2.0 : 1.0) * (protocol == TimeProtocol::simple ? 3 : 1)
                      : 0;
  double latency = 0;
  if (chain) {
    const Latencies tree_hop = latencies(shape, TimeAlgorithm::tree, protocol);
    const double link = protocol == TimeProtocol::simple ? tree_hop.link : hop.link;
    latency = hop.base + (shape.nodes == 1 ? link : n * hop.net);
  } else {
    latency = hop.base + (steps - net_steps) * std::max(hop.link, overhead) + net_steps * hop.net;
  }
  // The plateau of ring Simple over several nodes.
  if (protocol == TimeProtocol::simple && time_case.collective == Collective::all_reduce &&
      shape.nodes > 1 && time_case.bytes / (graph.channels * n) >= 64) {
    latency *= shape.generation == TimeGeneration::volta ? 1.9 : 1.4;
  }
  return latency + time_case.bytes / (1e3 * bus * n / steps);
}

double tree_estimate(const TimeCase& time_case, const ChannelEstimate& graph,
                     TimeProtocol protocol) {
  const TimeShape& shape = time_case.shape;
  double bus = graph.search_channels * (shape.nodes <= 2 ? graph.tree_gbps : graph.inter_gbps);
  bus = std::min(0.92 * bus, graph.search_channels * tree_cap(shape));
  if (protocol == TimeProtocol::ll) bus = std::min(bus / 3.8, ll_cap(shape));
  if (protocol == TimeProtocol::ll128) {
    bus = std::min(bus * (shape.nodes == 1 ? 7.0 / 9 : 120.0 / 128),
                   graph.search_channels * tree_ll128_cap(shape));
  }
  if (at_least_hopper(shape) && shape.nodes > 1) bus *= 0.85;  // the pattern with one NIC a channel
  const Latencies hop = latencies(shape, TimeAlgorithm::tree, protocol);
  const double latency = hop.base + 2 * ((shape.ranks_per_node() - 1) * hop.link +
                                         std::floor(std::log2(shape.nodes)) * hop.net);
  return latency + time_case.bytes / (1e3 * bus / 2 * correction(protocol, time_case.bytes));
}

bool has_ll128(const TimeShape& shape) {
  if (shape.nodes > 1 && shape.far_nics) return false;
  const bool nvlink = shape.link == TimeLink::nvswitch || shape.link == TimeLink::nvlink_mesh;
  return nvlink || shape.link == TimeLink::infinity_fabric;
}

bool has_nvls(const TimeShape& shape) {
  return at_least_hopper(shape) && shape.link == TimeLink::nvswitch && shape.ranks_per_node() > 1 &&
         shape.version >= 21700;
}

double nvls_estimate(const TimeCase& time_case) {
  const TimeShape& shape = time_case.shape;
  // 8 heads x 40 x 0.85 (hopper), 8 x 80 x 0.74: graphs of the search.
  const double rate =
      shape.link_gbps * (shape.generation == TimeGeneration::hopper ? 0.604 : 0.526);
  return 25 + time_case.bytes / (1e3 * rate);
}

double nvls_tree_estimate(const TimeCase& time_case, const ChannelEstimate& graph) {
  const TimeShape& shape = time_case.shape;
  const bool hopper = shape.generation == TimeGeneration::hopper;
  const double heads = std::max(2.0, graph.search_channels);
  const double intra = graph.intra_gbps * (hopper ? 0.85 : 0.74) * 2 * (heads - 1) / heads;
  const double inter = graph.inter_gbps * (shape.nodes <= 2 ? 2 : 1);
  double cap = 1e9;
  if (shape.version >= 22800) {
    cap = hopper ? by_nodes(shape, 0, 57.7, 45.5)
                 : by_nodes(shape, 0, 96, shape.version >= 23000 ? 80 : 43.8);
  }
  const double bus = heads * std::min({intra, inter, cap});
  const double n = shape.ranks;
  return 25 + 2 * std::floor(std::log2(shape.nodes)) * 20.9 +
         time_case.bytes / (1e3 * bus * n / (2 * (n - 1)));
}

bool allowed(const TimeShape& shape, TimeAlgorithm algorithm, TimeProtocol protocol) {
  const bool by_algorithm =
      shape.forced_algorithm == TimeAlgorithm::automatic || shape.forced_algorithm == algorithm;
  const bool by_protocol =
      shape.forced_protocol == TimeProtocol::automatic || shape.forced_protocol == protocol;
  // aws-ofi-nccl sets NCCL_PROTO=simple on EFA, whose writes may land in any order; Google's guides
  // for GPUDirect-TCPX and TCPXO set it too, and NCCL_NVLS_ENABLE=0.
  const bool google = shape.network == TimeNetwork::tcpx || shape.network == TimeNetwork::tcpxo;
  const bool lines = protocol != TimeProtocol::simple;
  if (shape.nodes > 1 && (google || shape.network == TimeNetwork::efa) && lines) return false;
  if (google && algorithm == TimeAlgorithm::nvls_tree) return false;
  return by_algorithm && by_protocol;
}

// enqueue.cc: drop channels while each thread would have less than its threshold of bytes.
double used_channels(const TimeCase& time_case, const TimeChoice& choice, double channels) {
  const bool ring = choice.algorithm == TimeAlgorithm::ring;
  if (!ring && choice.algorithm != TimeAlgorithm::tree) return channels;
  double per_thread = 64, threads = ring ? 512 : 640;
  if (choice.protocol == TimeProtocol::ll) {
    threads = 512;
    per_thread = 8 * (ring ? time_case.shape.ranks : 1);
  } else if (choice.protocol == TimeProtocol::ll128) {
    threads = 640;
    per_thread = 8;
  }
  return std::clamp(std::floor(time_case.bytes / (threads * per_thread)), 1.0, channels);
}

}  // namespace

ChannelEstimate channel_estimate(const TimeShape& shape) {
  ChannelEstimate estimate = shape.nodes == 1 ? one_node(shape) : many_nodes(shape);
  if (has_nvls(shape)) {
    estimate.nvls_channels = shape.generation == TimeGeneration::hopper ? 16
                             : shape.nodes == 1                         ? 24
                                                                        : 32;
  }
  estimate.tree_gbps = estimate.intra_gbps;
  if (shape.nodes > 1) {
    // The search's second pass: up to twice the network's rate inside a node, where links allow.
    const double room = shape.ranks_per_node() > 1
                            ? nccl_link_gbps(shape) / estimate.search_channels
                            : 2 * estimate.inter_gbps;
    estimate.tree_gbps =
        std::max(estimate.inter_gbps, speed_below(shape, std::min(room, 2 * estimate.inter_gbps)));
  }
  return estimate;
}

std::vector<TimeCandidate> tuner_candidates(const TimeCase& time_case) {
  using enum TimeProtocol;
  const TimeShape& shape = time_case.shape;
  const ChannelEstimate graph = channel_estimate(shape);
  std::vector<TimeCandidate> candidates;
  const auto add = [&](TimeAlgorithm algorithm, TimeProtocol protocol, double time) {
    if (allowed(shape, algorithm, protocol)) candidates.push_back({algorithm, protocol, time});
  };
  for (const TimeProtocol protocol : {ll, ll128, simple}) {
    if (protocol == ll128 && !has_ll128(shape)) continue;
    if (time_case.collective == Collective::all_reduce) {
      add(TimeAlgorithm::tree, protocol, tree_estimate(time_case, graph, protocol));
    }
    add(TimeAlgorithm::ring, protocol, ring_estimate(time_case, graph, protocol));
  }
  if (time_case.collective == Collective::all_reduce && has_nvls(shape)) {
    if (shape.nodes == 1) {
      add(TimeAlgorithm::nvls, simple, nvls_estimate(time_case));
    } else if (graph.search_channels >= 2) {
      add(TimeAlgorithm::nvls_tree, simple, nvls_tree_estimate(time_case, graph));
    }
  }
  return candidates;
}

TimeChoice time_choice(const TimeCase& time_case) {
  const TimeShape& shape = time_case.shape;
  const ChannelEstimate graph = channel_estimate(shape);
  TimeChoice choice{TimeAlgorithm::ring, TimeProtocol::simple, graph.channels};
  const Collective collective = time_case.collective;
  if (collective == Collective::all_to_all || collective == Collective::send_recv ||
      collective == Collective::gather || collective == Collective::scatter) {
    choice.algorithm = TimeAlgorithm::point_to_point;
    return choice;
  }
  if (shape.symmetric && shape.nodes == 1) {
    choice.algorithm = TimeAlgorithm::symmetric;
    return choice;
  }
  if (shape.in_switch_network && collective == Collective::all_reduce && time_case.bytes > 1e5) {
    choice.algorithm = TimeAlgorithm::collnet;
    return choice;
  }
  double best = 1e300;
  for (const TimeCandidate& candidate : tuner_candidates(time_case)) {
    if (candidate.microseconds >= best) continue;
    best = candidate.microseconds;
    choice.algorithm = candidate.algorithm;
    choice.protocol = candidate.protocol;
  }
  choice.channels = used_channels(time_case, choice, graph.channels);
  return choice;
}

}  // namespace fabricast
