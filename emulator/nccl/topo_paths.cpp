#include "emulator/nccl/topo_paths.hpp"

#include <algorithm>

#include "emulator/base/error.hpp"

namespace fabricast::nccl {
namespace {

PathType farther(PathType a, PathType b) { return std::max(a, b); }

// C2C to the CPU and PCIe from there is a kind of its own.
PathType merged(PathType a, PathType b) {
  const auto [near, far] = std::minmax(a, b);
  return far == PathType::phb && near == PathType::c2c ? PathType::p2c : far;
}

}  // namespace

TopoPath& TopoPaths::at(const TopoNode& from, NodeType base, int index) {
  return graph_.paths_[graph_.path_index(from, base, index)];
}

// The neighbour over `link`, when the way over `number` is its first or a shorter, wider one.
void TopoPaths::improve(int number, int link_number, int base, std::vector<int>& next) {
  const auto& node = graph_.node(number);
  const auto& link = graph_.links_[static_cast<std::size_t>(link_number)];
  const auto& remote = graph_.node(link.remote);
  const auto& root = graph_.node(base);
  const auto& path = at(node, root.type, root.index);
  // A GPU is passed only over NVLink to another GPU, and only one.
  if (number != base && node.type == NodeType::gpu &&
      (link.type != PathType::nvl || remote.type != NodeType::gpu || path.count() > 1)) {
    return;
  }
  auto& far = at(remote, root.type, root.index);
  const float bw = std::min(path.bw, link.bw);
  if (!((far.bw == 0 || far.count() > path.count()) && far.bw < bw)) return;
  if (link.reverse < 0) {
    throw UsageError(
        "a link of the topology has no link back (an nvlink of one GPU names a GPU that does not "
        "name it); NCCL refuses such a file");
  }
  std::vector<int> links{link.reverse};
  links.insert(links.end(), path.links.begin(), path.links.end());
  far.links = std::move(links);
  far.bw = bw;
  PathType type = link.type == PathType::net ? PathType::loc : link.type;
  if (node.type == NodeType::pci && remote.type == NodeType::pci) type = PathType::pxb;
  if (link.type == PathType::pix && (node.type == NodeType::cpu || remote.type == NodeType::cpu)) {
    type = PathType::phb;
  }
  if (node.type == NodeType::gpu && path.type == PathType::nvl && type == PathType::nvl &&
      far.count() > 1) {
    type = PathType::nvb;
  }
  far.type = farther(path.type, type);
  if (std::find(next.begin(), next.end(), link.remote) == next.end()) next.push_back(link.remote);
}

void TopoPaths::reach_from(int base) {
  const auto& root = graph_.node(base);
  auto& self = at(root, root.type, root.index);
  self = {{}, local_bw, PathType::loc};
  std::vector<int> list{base};
  while (!list.empty()) {
    std::vector<int> next;
    for (const int number : list) {
      count_work(graph_.node(number).links.size());
      for (const int link : graph_.node(number).links) improve(number, link, base, next);
    }
    list = std::move(next);
  }
}

// from -> via -> to, whatever was there before.
void TopoPaths::through(NodeType via, int via_index, NodeType from, int from_index, NodeType to,
                        int to_index) {
  const auto& source = graph_.node(from, from_index);
  const auto& middle = graph_.node(via, via_index);
  const TopoPath first = at(source, via, via_index);
  const TopoPath second = at(middle, to, to_index);
  auto& path = at(source, to, to_index);
  path.links = first.links;
  path.links.insert(path.links.end(), second.links.begin(), second.links.end());
  path.type = via == NodeType::gpu ? PathType::pxn : merged(first.type, second.type);
  path.bw = std::min(first.bw, second.bw);
}

int TopoPaths::nearest_cpu(int gpu_index) const {
  int nearest = -1;
  int fewest = 0;
  for (int c = 0; c < graph_.count(NodeType::cpu); ++c) {
    const int hops = graph_.path(gpu(gpu_index), NodeType::cpu, c).count();
    if (hops > 0 && (fewest == 0 || hops < fewest)) {
      nearest = c;
      fewest = hops;
    }
  }
  return nearest;
}

bool TopoPaths::peer_to_peer(int from, int to) const {
  const auto& first = gpu(from);
  if (first.host() != gpu(to).host() && graph_.count(NodeType::nvs) == 0) return false;
  PathType level = PathType::pxb;
  const auto& cpu = graph_.node(NodeType::cpu, 0);
  if (cpu.arch == CpuArch::x86 && cpu.vendor == CpuVendor::amd &&
      graph_.count(NodeType::gpu) <= 2) {
    level = PathType::sys;
  }
  if (overrides_.p2p_level) level = static_cast<PathType>(*overrides_.p2p_level);
  return graph_.path(first, NodeType::gpu, to).type <= level;
}

void TopoPaths::avoid_peer_to_peer() {
  const int gpus = graph_.count(NodeType::gpu);
  for (int to = 0; to < gpus; ++to) {
    for (int from = 0; from < gpus; ++from) {
      if (peer_to_peer(from, to)) continue;
      const int cpu = nearest_cpu(to);
      if (cpu >= 0) through(NodeType::cpu, cpu, NodeType::gpu, from, NodeType::gpu, to);
    }
  }
}

void TopoPaths::mark_c2c_to_nic() {
  for (int n = 0; n < graph_.count(NodeType::net); ++n) {
    const auto& net = graph_.node(NodeType::net, n);
    for (int g = 0; g < graph_.count(NodeType::gpu); ++g) {
      const int cpu = nearest_cpu(g);
      if (cpu < 0) continue;
      if (merged(graph_.path(gpu(g), NodeType::cpu, cpu).type,
                 graph_.path(net, NodeType::cpu, cpu).type) != PathType::p2c) {
        continue;
      }
      auto& out = at(gpu(g), NodeType::net, n).type;
      auto& in = at(net, NodeType::gpu, g).type;
      out = std::min(PathType::p2c, out);
      in = std::min(PathType::p2c, in);
    }
  }
}

// An NVL72 rack needs 10^6; a stranger's file must not run for hours.
void TopoPaths::count_work(std::size_t steps) const {
  work_ += steps;
  if (work_ > static_cast<std::size_t>(overrides_.search_limit)) {
    throw UsageError("too many devices and links to compute paths between them");
  }
}

// The GPU that prefers this NIC; -1: none does.
int TopoPaths::preferred_gpu(int net) const {
  const auto near = graph_.nearest(NodeType::net, net, NodeType::gpu);
  const auto devices =
      static_cast<std::size_t>(graph_.count(NodeType::net) + graph_.count(NodeType::gpu));
  count_work(devices);
  for (int channel = 0; channel < max_channels; ++channel) {
    for (const int g : near) {
      count_work(devices);
      if (graph_.local_net(g, channel) == net) return g;
    }
    if (near.empty() || channel > graph_.count(NodeType::net)) break;  // it repeats from here
  }
  return -1;
}

// PXN: to a NIC through the GPU beside it.
void TopoPaths::use_relay_gpu(int net, int gpu_index) {
  if (overrides_.pxn_disable) return;
  const int relay = preferred_gpu(net);
  if (relay == gpu_index || relay == -1) return;
  const auto& peer = gpu(relay);
  const auto& self = gpu(gpu_index);
  const auto& by_peer = graph_.path(peer, NodeType::net, net);
  const auto& own = graph_.path(self, NodeType::net, net);
  const PathType most = pxn_c2c_ ? PathType::p2c : PathType::pxb;
  if (by_peer.type <= most && graph_.path(peer, NodeType::gpu, gpu_index).type <= PathType::nvl &&
      peer.host() == self.host() && (by_peer.bw > own.bw || own.type > PathType::pxn)) {
    through(NodeType::gpu, relay, NodeType::gpu, gpu_index, NodeType::net, net);
  }
}

int TopoPaths::relay_of(int gpu_index, int net) const {
  const auto& path = graph_.path(gpu(gpu_index), NodeType::net, net);
  for (const int l : path.links) {
    const auto& node = graph_.node(graph_.links_[static_cast<std::size_t>(l)].remote);
    if (node.type == NodeType::gpu) return node.index;
    if (node.type != NodeType::nvs) break;
  }
  return gpu_index;
}

bool TopoPaths::direct_rdma(int net, int gpu_index) const {
  if (!graph_.node(NodeType::net, net).gdr || !gpu(gpu_index).gdr) return false;
  const int level = overrides_.net_gdr_level.value_or(static_cast<int>(PathType::pxb));
  PathType distance = graph_.path(gpu(gpu_index), NodeType::net, net).type;
  if (distance == PathType::pxn) {
    const int relay = relay_of(gpu_index, net);
    distance = graph_.path(gpu(relay), NodeType::net, net).type;
  }
  if (distance == PathType::p2c) distance = PathType::c2c;  // NCCL_NET_GDR_C2C=1
  return static_cast<int>(distance) <= level;
}

void TopoPaths::check_reachable() const {
  const int gpus = graph_.count(NodeType::gpu);
  const int nets = graph_.count(NodeType::net);
  for (int g = 0; g < gpus; ++g) {
    if (nearest_cpu(g) < 0) throw UsageError("a GPU of the topology has no CPU above it");
    for (int p = 0; p < gpus; ++p) {
      if (graph_.path(gpu(g), NodeType::gpu, p).type >= PathType::net) {
        throw UsageError(
            "GPUs of the topology cannot reach each other (no NVLink, PCIe or socket link between "
            "them): NCCL would treat them as different nodes; give one file per node");
      }
    }
    bool any = nets == 0;
    for (int n = 0; n < nets && !any; ++n) {
      any = graph_.path(gpu(g), NodeType::net, n).type < PathType::dis;
    }
    if (!any) throw UsageError("a GPU of the topology has no way to any NIC; NCCL cannot start");
  }
}

void TopoPaths::compute() {
  for (const auto type : {NodeType::cpu, NodeType::gpu, NodeType::net, NodeType::nvs}) {
    for (const int number : graph_.of(type)) reach_from(number);
  }
  avoid_peer_to_peer();
  check_reachable();
  mark_c2c_to_nic();
  for (int n = 0; n < graph_.count(NodeType::net); ++n) {
    for (int g = 0; g < graph_.count(NodeType::gpu); ++g) {
      use_relay_gpu(n, g);
      if (graph_.path(gpu(g), NodeType::net, n).type < PathType::phb && !direct_rdma(n, g)) {
        const int cpu = nearest_cpu(g);
        through(NodeType::cpu, cpu, NodeType::net, n, NodeType::gpu, g);
        through(NodeType::cpu, cpu, NodeType::gpu, g, NodeType::net, n);
      }
    }
  }
  for (int n = 0; n < graph_.count(NodeType::net); ++n) {
    graph_.nodes_[static_cast<std::size_t>(graph_.of(NodeType::net)[static_cast<std::size_t>(n)])]
        .local_gpu = preferred_gpu(n);
  }
}

}  // namespace fabricast::nccl
