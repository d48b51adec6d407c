// Steps of the search inside a node: the next GPU of a channel, the switch, all GPUs.
#include <algorithm>
#include <tuple>

#include "emulator/nccl/graph_search.hpp"

namespace fabricast::nccl {
namespace {

// What NCCL sorts candidates by; rates are cut to whole GB/s.
struct Score {
  int gpu = 0, start = 0;
  int intra_hops = 0, intra_bw = 0, inter_hops = 0, pci_bw = 0, inter_bw = 0;

  auto key() const {
    return std::tuple(-inter_bw, -pci_bw, inter_hops, -intra_bw, intra_hops, start);
  }
};

}  // namespace

// sort_net: 0 by paths inside the node; 1 nearest to the channel's NIC first; -1 the same, but
// reversed among equals.
std::vector<int> GraphSearch::sorted_candidates(const Draft& graph, int gpu, int sort_net) const {
  const auto flag = std::uint64_t{1} << graph.channels;
  const auto& from = topology_.node(NodeType::gpu, gpu);
  const TopoNode* net =
      sort_net == 0
          ? nullptr
          : &topology_.node(NodeType::net,
                            net_index(graph.inter[static_cast<std::size_t>(graph.channels * 2)]));
  std::vector<Score> scores;
  scores.reserve(static_cast<std::size_t>(gpus_));
  for (int i = 1; i < gpus_; ++i) {
    const int g = (gpu + i) % gpus_;
    const auto& path = topology_.path(from, NodeType::gpu, g);
    if (path.count() == 0 || (used_[static_cast<std::size_t>(g)] & flag) != 0) continue;
    Score score{g, i, path.count(), static_cast<int>(path.bw)};
    if (net != nullptr) {
      const auto& in = topology_.path(*net, NodeType::gpu, g);
      score.inter_hops = in.count();
      score.pci_bw = static_cast<int>(pci_bw_[static_cast<std::size_t>(g)]);
      score.inter_bw = static_cast<int>(in.bw);
    }
    scores.push_back(score);
  }
  std::sort(scores.begin(), scores.end(),
            [](const Score& a, const Score& b) { return a.key() < b.key(); });
  const bool alike = std::all_of(scores.begin(), scores.end(), [&](const Score& score) {
    return score.intra_bw == scores.front().intra_bw &&
           score.intra_hops == scores.front().intra_hops;
  });
  std::vector<int> next;
  next.reserve(scores.size());
  for (const auto& score : scores) next.push_back(score.gpu);
  if (sort_net == -1 && alike) std::reverse(next.begin(), next.end());
  return next;
}

std::vector<int> GraphSearch::candidates(const Draft& graph, int gpu, int sort_net) const {
  if (topology_.count(NodeType::nvs) == 0) return sorted_candidates(graph, gpu, sort_net);
  // NVSwitches prefer few peers: only the neighbours by number.
  const int previous = (gpu - 1 + gpus_) % gpus_;
  const int following = (gpu + 1) % gpus_;
  const auto flag = std::uint64_t{1} << graph.channels;
  const auto& from = topology_.node(NodeType::gpu, gpu);
  const auto usable = [&](int g) {
    return g != gpu && topology_.path(from, NodeType::gpu, g).count() > 0 &&
           (used_[static_cast<std::size_t>(g)] & flag) == 0;
  };
  std::vector<int> next;
  const auto in_front = [&](int g) {
    if (usable(g)) next.insert(next.begin(), g);
  };
  if (graph.pattern == Pattern::ring) {
    in_front(following);
    if (previous != following) in_front(previous);
  } else if (graph.pattern == Pattern::split_tree || graph.pattern == Pattern::balanced_tree) {
    in_front(previous);
    if (previous != following) in_front(following);
  } else {
    in_front(following);
  }
  return next;
}

void GraphSearch::to_next_gpu(const Walk& walk, int step, int gpu) {
  const int from = node_number(NodeType::gpu, gpu);
  if (walk.order != Order::free) {
    try_gpu(walk, step + 1, from, walk.order == Order::pci ? step + 1 : replayed(walk.graph, step));
    return;
  }
  const int sort_net = walk.to_net == -1 ? 0 : walk.to_net == step + 1 ? 1 : -1;
  work_ += gpus_;
  for (const int next : candidates(walk.graph, gpu, sort_net)) {
    try_gpu(walk, step + 1, from, next);
  }
}

// NVLS: every GPU sends to and receives from the switch once, the head twice.
void GraphSearch::to_switch(const Walk& walk, int head) {
  auto& graph = walk.graph;
  const int nvs = node_number(NodeType::nvs, 0);
  const auto share = [&](int gpu) { return gpu == head ? 2.0F : 1.0F; };
  int down = 0;
  bool enough = true;
  for (; down < gpus_ && enough; ++down) {
    enough = follow(graph, nvs, node_number(NodeType::gpu, down), share(down));
  }
  if (!enough) {
    --down;
  } else {
    int up = 0;
    for (; up < gpus_ && enough; ++up) {
      enough = follow(graph, node_number(NodeType::gpu, up), nvs, share(up));
    }
    if (!enough) {
      --up;
    } else {
      at_gpu({graph, walk.best, -1, -1, Order::free, walk.budget}, gpus_, head);
    }
    while (up-- > 0) follow(graph, node_number(NodeType::gpu, up), nvs, -share(up));
  }
  while (down-- > 0) follow(graph, nvs, node_number(NodeType::gpu, down), -share(down));
}

// CollNetDirect: the head exchanges with every GPU, each pair an equal part.
void GraphSearch::to_all_gpus(const Walk& walk, int head) {
  auto& graph = walk.graph;
  const float share = 1.0F / static_cast<float>(gpus_ - 1);
  const int center = node_number(NodeType::gpu, head);
  int out = 0;
  while (out < gpus_ && follow(graph, center, node_number(NodeType::gpu, out), share)) ++out;
  if (out == gpus_) {
    int in = 0;
    while (in < gpus_ && follow(graph, node_number(NodeType::gpu, in), center, share)) ++in;
    if (in == gpus_) {
      auto at = static_cast<std::size_t>(graph.channels * gpus_ + 1);
      for (int g = 0; g < gpus_; ++g) {
        if (g != head) graph.intra[at++] = g;
      }
      at_gpu({graph, walk.best, -1, -1, Order::free, walk.budget}, gpus_, head);
    }
    while (in-- > 0) follow(graph, node_number(NodeType::gpu, in), center, -share);
  }
  while (out-- > 0) follow(graph, center, node_number(NodeType::gpu, out), -share);
}

}  // namespace fabricast::nccl
