#include "emulator/nccl/graph_search.hpp"

#include <algorithm>
#include <cmath>

#include "emulator/base/error.hpp"

namespace fabricast::nccl {
namespace {

bool is_tree(Pattern pattern) {
  return pattern == Pattern::balanced_tree || pattern == Pattern::tree ||
         pattern == Pattern::split_tree;
}

bool has_heads(Pattern pattern) {
  return pattern == Pattern::nvls || pattern == Pattern::collnet_direct;
}

// NCCL rounds to thousandths, so that taking and giving back cancel.
float rounded_difference(float a, float b) { return std::roundf((a - b) * 1000) / 1000; }

}  // namespace

GraphSearch::GraphSearch(const TopoGraph& topology, const Overrides& overrides)
    : topology_(topology),
      scatter_(overrides.scatter_nets),
      max_work_(overrides.search_limit),
      gpus_(topology.count(NodeType::gpu)) {
  for (const auto& link : topology.links()) bw_.push_back(link.bw);
  for (int n = 0; n < topology.count(NodeType::net); ++n) {
    net_bw_.push_back(topology.node(NodeType::net, n).bw);
  }
  used_.assign(static_cast<std::size_t>(gpus_), 0);
  for (int g = 0; g < gpus_; ++g) {
    float own = -1;
    for (const int l : topology.node(NodeType::gpu, g).links) {
      const auto& link = topology.links()[static_cast<std::size_t>(l)];
      if (link.type != PathType::pix || link.reverse < 0) continue;
      own = std::min(link.bw, topology.links()[static_cast<std::size_t>(link.reverse)].bw);
      break;
    }
    pci_bw_.push_back(own);
  }
}

int GraphSearch::attempt(Draft& draft, Draft& best, int budget) {
  draft.channels = 0;
  next_channel(draft, best, budget);
  return budget;
}

int GraphSearch::take(const TopoPath& path, const TopoNode& from, int steps, float bw) {
  const auto& links = topology_.links();
  float pci_bw = bw;
  if (path.type == PathType::phb && from.type == NodeType::gpu) {
    for (const int l : path.links) {
      const auto& node = topology_.node(links[static_cast<std::size_t>(l)].remote);
      if (node.type == NodeType::cpu && node.arch == CpuArch::x86 &&
          node.vendor == CpuVendor::intel) {
        pci_bw = bw * 6 / 5;  // GPU to GPU through an Intel host bridge in 64-byte packets
      }
    }
  }
  work_ += steps;
  for (int step = 0; step < steps; ++step) {
    const auto at = static_cast<std::size_t>(path.links[static_cast<std::size_t>(step)]);
    const auto& link = links[at];
    const auto& remote = topology_.node(link.remote);
    const float forward = link.type == PathType::pix ? pci_bw : bw;
    float back = 0;
    if (remote.type == NodeType::gpu && remote.capability < 80 && from.type != NodeType::gpu) {
      back += forward / 8;
    }
    if (remote.type == NodeType::cpu && remote.arch == CpuArch::power &&
        link.type == PathType::nvl) {
      back += forward;
    }
    const auto reverse = static_cast<std::size_t>(std::max(0, link.reverse));
    if (bw_[at] < forward || (back != 0 && bw_[reverse] < back)) return step;
    bw_[at] = rounded_difference(bw_[at], forward);
    if (back != 0) bw_[reverse] = rounded_difference(bw_[reverse], back);
  }
  return steps;
}

bool GraphSearch::follow(Draft& graph, int from_node, int to_node, float mult) {
  if (from_node < 0) return true;
  const auto& from = topology_.node(from_node);
  const auto& to = topology_.node(to_node);
  const auto& path = topology_.path(from, to.type, to.index);
  const auto inside = [](const TopoNode& node) {
    return node.type == NodeType::gpu || node.type == NodeType::nvs;
  };
  const bool intra = inside(from) && inside(to);
  const PathType type = intra ? graph.type_intra : graph.type_inter;
  if (path.type >= PathType::dis) return false;
  if (mult == 1 && path.type > type) return false;
  if (mult == 1 && is_tree(graph.pattern) &&
      topology_.path(to, from.type, from.index).type > type) {
    return false;
  }
  const float bw = (intra ? graph.bw_intra : graph.bw_inter) * mult;
  const int done = take(path, from, path.count(), bw);
  if (done < path.count()) {
    take(path, from, done, -bw);
    return false;
  }
  graph.hops =
      static_cast<int>(static_cast<float>(graph.hops) + mult * static_cast<float>(path.count()));
  return true;
}

const std::vector<int>& GraphSearch::nets_for(PathType type_inter, int gpu) {
  const auto key = std::pair(static_cast<int>(type_inter), gpu);
  const auto found = nets_.find(key);
  if (found != nets_.end()) return found->second;
  return nets_.emplace(key, topology_.select_nets(type_inter, gpu, scatter_)).first->second;
}

int GraphSearch::net_index(std::int64_t id) const {
  for (int n = 0; n < topology_.count(NodeType::net); ++n) {
    if (topology_.node(NodeType::net, n).id == id) return n;
  }
  return 0;
}

int GraphSearch::replayed(const Draft& graph, int step) const {
  return graph.intra[static_cast<std::size_t>((graph.channels - 1) * gpus_ + step + 1)];
}

bool GraphSearch::better(const Draft& graph, const Draft& than) const {
  if (graph.channels < graph.min_channels) return false;
  const auto channels = static_cast<float>(graph.channels);
  const auto others = static_cast<float>(than.channels);
  if (graph.pattern == Pattern::nvls) {
    return (graph.channels > than.channels && graph.channels <= gpus_) ||
           channels * graph.bw_inter > others * than.bw_inter;
  }
  if (channels * graph.bw_intra > others * than.bw_intra) return true;
  if (channels * graph.bw_intra < others * than.bw_intra) return false;
  return graph.pattern == than.pattern && graph.cross_nic == than.cross_nic &&
         graph.hops < than.hops;
}

void GraphSearch::complete(const Walk& walk) {
  auto& graph = walk.graph;
  ++graph.channels;
  if (better(graph, walk.best)) {
    walk.best = graph;
    if (graph.channels == graph.max_channels) walk.budget = -1;
  }
  if (graph.channels < graph.max_channels) next_channel(graph, walk.best, walk.budget);
  --graph.channels;
}

void GraphSearch::next_channel(Draft& graph, Draft& best, int& budget) {
  const bool network = topology_.count(NodeType::net) > 0;
  const auto size = static_cast<std::size_t>((graph.channels + 1) * gpus_);
  if (graph.intra.size() < size) graph.intra.resize(size);
  graph.inter.resize(
      std::max(graph.inter.size(), 2 * static_cast<std::size_t>(graph.channels + 1)));
  if (network) {
    const int to_net = graph.pattern == Pattern::ring         ? gpus_ - 1
                       : graph.pattern == Pattern::split_tree ? 1
                                                              : 0;
    from_network(graph, best, to_net, -1, budget);
    return;
  }
  const int to_first = graph.pattern == Pattern::ring ? gpus_ - 1 : -1;
  if (graph.pattern == Pattern::nvls) {
    if (graph.channels >= gpus_) return;
    try_gpu({graph, best, -1, to_first, Order::free, budget}, 0, -1, graph.channels);
    return;
  }
  if (graph.channels == 0) {
    try_gpu({graph, best, -1, to_first, Order::pci, budget}, 0, -1, 0);
  } else {
    try_gpu({graph, best, -1, to_first, Order::replay, budget}, 0, -1, replayed(graph, -1));
  }
  if (graph.same_channels == 0 || graph.channels == 0) {
    for (int g = 0; g < gpus_; ++g) {
      try_gpu({graph, best, -1, to_first, Order::free, budget}, 0, -1, g);
    }
  }
}

void GraphSearch::change_port(const TopoNode& net, float by) {
  for (std::size_t i = 0; i < net_bw_.size(); ++i) {
    const auto& other = topology_.node(NodeType::net, static_cast<int>(i));
    if (other.asic == net.asic && other.port == net.port) net_bw_[i] += by;
  }
}

void GraphSearch::from_network(Draft& graph, Draft& best, int to_net, int to_first, int& budget) {
  const auto whole = static_cast<float>(static_cast<int>(graph.bw_inter));  // NCCL cuts it off
  const auto& nets = nets_for(graph.type_inter, -1);
  const auto count = nets.size();
  const int channel = graph.channels;
  bool found = false;
  work_ += static_cast<std::int64_t>(count);
  if (work_ > max_work_) {
    throw UsageError(
        "the search for channels does not end soon; are there so many GPUs and NICs without a "
        "switch?");
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (has_heads(graph.pattern) && found) break;
    // Spent: only the PCI order of a first channel, which has a budget of its own, goes on.
    if (budget <= 0 && (channel > 0 || topology_.count(NodeType::nvs) > 0)) break;
    const int n = nets[(static_cast<std::size_t>(channel) + i) % count];
    const auto& net = topology_.node(NodeType::net, n);
    if (graph.collective_net && !net.collective) continue;
    if (net_bw_[static_cast<std::size_t>(n)] < whole) continue;
    if (graph.pattern == Pattern::ring && graph.cross_nic == 2 && (channel & 1) != 0 &&
        net.id != graph.inter[static_cast<std::size_t>(channel - 1) * 2 + 1]) {
      continue;
    }
    graph.inter[static_cast<std::size_t>(channel) * 2] = net.id;
    graph.latency_inter = net.latency;
    change_port(net, -whole);
    const Walk walk{graph, best, to_net, to_first, Order::free, budget};
    if (has_heads(graph.pattern)) {
      if (channel < static_cast<int>(count)) {
        const int gpu = net.local_gpu;
        bool taken = gpu == -1;
        for (int c = 0; c < channel && !taken; ++c) {
          taken = graph.intra[static_cast<std::size_t>(c * gpus_)] == gpu;
        }
        if (!taken) {
          try_gpu(walk, 0, node_number(NodeType::net, n), gpu);
          found = true;
        }
      }
    } else {
      from_net(walk, n);
    }
    change_port(net, whole);
  }
}

void GraphSearch::from_net(Walk walk, int n) {
  auto& graph = walk.graph;
  const int from = node_number(NodeType::net, n);
  if (graph.channels > 0 && graph.same_channels == 1) {
    walk.order = Order::replay;
    try_gpu(walk, 0, from, replayed(graph, -1));
    return;
  }
  if (graph.channels == 0 && topology_.count(NodeType::nvs) == 0) {
    // The PCI order first, as a reference, with a small budget of its own.
    int budget = 1 << 10;
    try_gpu({graph, walk.best, walk.to_net, walk.to_first, Order::pci, budget}, 0, from, 0);
    if (budget == -1) walk.budget = -1;
  }
  walk.order = Order::free;
  const int local = topology_.node(NodeType::net, n).local_gpu;
  if (local != -1) try_gpu(walk, 0, from, local);
  for (const int g : topology_.nearest(NodeType::net, n, NodeType::gpu)) {
    if (g != local) try_gpu(walk, 0, from, g);
  }
}

void GraphSearch::try_gpu(const Walk& walk, int step, int from_node, int gpu) {
  const auto flag = std::uint64_t{1} << walk.graph.channels;
  const int to_node = node_number(NodeType::gpu, gpu);
  if (!follow(walk.graph, from_node, to_node, 1)) return;
  used_[static_cast<std::size_t>(gpu)] ^= flag;
  at_gpu(walk, step, gpu);
  used_[static_cast<std::size_t>(gpu)] ^= flag;
  follow(walk.graph, from_node, to_node, -1);
}

void GraphSearch::at_gpu(const Walk& walk, int step, int gpu) {
  if (walk.budget <= 0) return;
  --walk.budget;
  ++work_;
  auto& graph = walk.graph;
  if (step == gpus_) {
    complete(walk);
    return;
  }
  graph.intra[static_cast<std::size_t>(graph.channels * gpus_ + step)] = gpu;
  if (step == walk.to_net) {
    back_to_network(walk, step, gpu);
  } else if (graph.pattern == Pattern::nvls) {
    to_switch(walk, gpu);
  } else if (graph.pattern == Pattern::collnet_direct) {
    to_all_gpus(walk, gpu);
  } else if (step < gpus_ - 1) {
    to_next_gpu(walk, step, gpu);
  } else if (step == walk.to_first) {
    const int first = graph.intra[static_cast<std::size_t>(graph.channels * gpus_)];
    const int from = node_number(NodeType::gpu, gpu);
    const int to = node_number(NodeType::gpu, first);
    if (follow(graph, from, to, 1)) {
      at_gpu({graph, walk.best, walk.to_net, -1, walk.order, walk.budget}, step + 1, first);
      follow(graph, from, to, -1);
    }
  } else {
    at_gpu({graph, walk.best, -1, -1, walk.order, walk.budget}, gpus_, gpu);
  }
}

void GraphSearch::back_to_network(const Walk& walk, int step, int gpu) {
  auto& graph = walk.graph;
  const auto channel = static_cast<std::size_t>(graph.channels);
  const auto& start = topology_.node(NodeType::net, net_index(graph.inter[channel * 2]));
  const auto& nets = nets_for(graph.type_inter, gpu);
  const int from = node_number(NodeType::gpu, gpu);
  const bool balanced = graph.pattern == Pattern::balanced_tree;
  work_ += static_cast<std::int64_t>(nets.size());
  for (const int n : nets) {
    const auto& net = topology_.node(NodeType::net, n);
    if (graph.pattern == Pattern::tree && net.id != start.id) continue;
    if (graph.pattern == Pattern::ring && graph.cross_nic == 2) {
      if ((channel & 1) != 0 && net.id != graph.inter[(channel - 1) * 2]) continue;
    } else if (graph.cross_nic == 0 && (net.asic != start.asic || net.port != start.port)) {
      continue;
    }
    int next_to_net = -1;
    const float bw = graph.bw_inter;
    if (balanced) {  // half of the traffic on each of the first two GPUs
      if (step == 0) {
        next_to_net = 1;
      } else if (net.id != graph.inter[channel * 2 + 1]) {
        continue;
      }
      graph.bw_inter /= 2;
    }
    const int to = node_number(NodeType::net, n);
    const bool enough = follow(graph, from, to, 1);
    graph.bw_inter = bw;
    if (!enough) continue;
    graph.inter[channel * 2 + 1] = net.id;
    at_gpu({graph, walk.best, next_to_net, walk.to_first, walk.order, walk.budget}, step, gpu);
    if (balanced) graph.bw_inter /= 2;
    follow(graph, from, to, -1);
    graph.bw_inter = bw;
  }
}

}  // namespace fabricast::nccl
