#include "emulator/nccl/topo_graph.hpp"

#include <algorithm>

#include "emulator/base/error.hpp"
#include "emulator/nccl/topo_builder.hpp"
#include "emulator/nccl/topo_paths.hpp"

namespace fabricast::nccl {
namespace {

constexpr std::array path_bases{NodeType::gpu, NodeType::cpu, NodeType::net, NodeType::nvs};

int mirrored_bits(int value, int power_of_two) {
  int mirror = 0;
  for (int bit = 1, back = power_of_two >> 1; bit < power_of_two; bit <<= 1, back >>= 1) {
    if ((value & bit) != 0) mirror |= back;
  }
  return mirror;
}

void add_once(std::vector<int>& list, int item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

}  // namespace

TopoGraph::TopoGraph(const SystemDescription& system, bool with_nets, const Version& version,
                     const Overrides& overrides)
    : version_(version), hosts_(system.hosts), min_capability_(system.min_capability) {
  TopoBuilder(*this, with_nets).build(system);
  if (with_nets && count(NodeType::net) == 0) {
    throw UsageError(system.name +
                     ": names no network device (a <net> with a dev); several nodes "
                     "need one");
  }
  for (const auto type : path_bases) {
    base_offset_[static_cast<std::size_t>(type)] = bases_;
    bases_ += of(type).size();
  }
  paths_.resize(nodes_.size() * bases_);
  try {
    TopoPaths(*this, version, overrides).compute();
  } catch (const UsageError& error) {
    throw UsageError(system.name + ": " + error.what());
  }
  set_speeds(with_nets);
}

std::size_t TopoGraph::path_index(const TopoNode& from, NodeType base, int index) const {
  const auto number = static_cast<std::size_t>(&from - nodes_.data());
  return number * bases_ + base_offset_[static_cast<std::size_t>(base)] +
         static_cast<std::size_t>(index);
}

// GB/s of one NVLink (src/graph/topo.h; 20.0 for SM90 in 2.18, 40.0 for SM100 before 2.27).
float TopoGraph::nvlink_bw(int capability) const {
  if (capability >= 100) return version_ < Version{2, 27, 0} ? 40.0F : 40.1F;
  if (capability >= 90) return version_ < Version{2, 19, 0} ? 20.0F : 20.6F;
  if (capability == 86) return 12.0F;
  if (capability >= 70) return 20.0F;
  return capability >= 60 ? 18.0F : 20.0F;
}

void TopoGraph::set_speeds(bool with_nets) {
  const int gpus = count(NodeType::gpu);
  if (!with_nets && gpus == 1) {
    max_bw_ = total_bw_ = local_bw;
    return;
  }
  const NodeType target = with_nets ? NodeType::net : NodeType::gpu;
  for (int g = 0; g < gpus; ++g) {
    const auto& gpu = node(NodeType::gpu, g);
    for (int i = 0; i < count(target); ++i) {
      const auto& to = path(gpu, target, i);
      if (to.count() > 0) max_bw_ = std::max(max_bw_, to.bw);
    }
    float nvlink = 0;
    float pci = 0;
    for (const int l : gpu.links) {
      const auto& link = links_[static_cast<std::size_t>(l)];
      if (link.type == PathType::nvl) nvlink += link.bw;
      if (link.type == PathType::pix) pci = link.bw;
    }
    total_bw_ = std::max(total_bw_, std::max(pci, nvlink));
  }
}

std::pair<PathType, PathType> TopoGraph::gpu_path_range(NodeType type) const {
  PathType least = PathType::sys;
  PathType most = PathType::loc;
  for (int g = 0; g < count(NodeType::gpu); ++g) {
    for (int i = 0; i < count(type); ++i) {
      if (type == NodeType::gpu && i == g) continue;
      const auto kind = path(node(NodeType::gpu, g), type, i).type;
      least = std::min(least, kind);
      most = std::max(most, kind);
    }
  }
  return {least, most};
}

bool TopoGraph::split_nvlink() const {
  const int gpus = count(NodeType::gpu);
  std::vector<int> domain(static_cast<std::size_t>(gpus));
  std::vector<int> members(domain.size(), 0);
  for (int g = 0; g < gpus; ++g) domain[static_cast<std::size_t>(g)] = g;
  for (int g = 0; g < gpus; ++g) {
    for (int p = g + 1; p < gpus; ++p) {
      if (path(node(NodeType::gpu, g), NodeType::gpu, p).type == PathType::nvl) {
        domain[static_cast<std::size_t>(p)] = domain[static_cast<std::size_t>(g)];
      }
    }
  }
  for (const int of_gpu : domain) ++members[static_cast<std::size_t>(of_gpu)];
  return std::count_if(members.begin(), members.end(), [](int n) { return n > 1; }) == 2;
}

std::vector<int> TopoGraph::nearest(NodeType type, int index, NodeType result) const {
  std::vector<int> found;
  float most = 0;
  PathType least = PathType::dis;
  const auto& from = node(type, index);
  for (int i = 0; i < count(result); ++i) {
    const auto& to = path(from, result, i);
    if (to.bw > most || (to.bw == most && to.type < least)) {
      most = to.bw;
      least = to.type;
      found.clear();
    }
    if (to.bw == most && to.type == least) found.push_back(i);
  }
  if (least == PathType::dis) found.clear();
  return found;
}

int TopoGraph::local_net(int gpu, int channel) const {
  const auto nets = nearest(NodeType::gpu, gpu, NodeType::net);
  const int count_nets = static_cast<int>(nets.size());
  if (count_nets == 0) return -1;
  const int gpus =
      std::max(1, static_cast<int>(nearest(NodeType::net, nets.front(), NodeType::gpu).size()));
  int at = node(NodeType::gpu, gpu).dev;
  if ((count_nets & (count_nets - 1)) == 0) at = mirrored_bits(at, count_nets);
  at += channel % ((count_nets + gpus - 1) / gpus);
  return nets[static_cast<std::size_t>(at % count_nets)];
}

int TopoGraph::nets_by_bandwidth(int gpu) const {
  float own = 0;
  for (const int l : node(NodeType::gpu, gpu).links) {
    const auto& link = links_[static_cast<std::size_t>(l)];
    if (node(link.remote).type == NodeType::cpu) own = link.bw;
  }
  float total = 0;
  int needed = 0;
  for (const int n : nearest(NodeType::gpu, gpu, NodeType::net)) {
    if (!(total < own)) break;
    total += path(node(NodeType::gpu, gpu), NodeType::net, n).bw;
    ++needed;
  }
  return needed;
}

std::vector<int> TopoGraph::select_nets(PathType type_inter, int gpu, bool scatter) const {
  std::vector<int> nets;
  std::vector<int> gpus;
  for (int g = 0; g < count(NodeType::gpu); ++g) {
    if (gpu == -1 || gpu == g) gpus.push_back(g);
  }
  std::vector<std::vector<int>> preferred;  // by GPU: by channel, up to the first repetition
  for (const int g : gpus) {
    std::vector<int> of_gpu;
    for (int channel = 0; channel < max_channels; ++channel) {
      const int net = local_net(g, channel);
      if (!of_gpu.empty() && net == of_gpu.front()) break;
      of_gpu.push_back(net);
    }
    preferred.push_back(std::move(of_gpu));
  }
  if (hosts_ > 1 && scatter) {
    for (std::size_t channel = 0; channel < static_cast<std::size_t>(max_channels); ++channel) {
      for (const auto& of_gpu : preferred) {
        if (channel < of_gpu.size()) add_once(nets, of_gpu[channel]);
      }
    }
  } else {
    for (const auto& of_gpu : preferred) {
      for (const int net : of_gpu) add_once(nets, net);
    }
  }
  for (int type = 0; type <= static_cast<int>(type_inter); ++type) {
    for (const int g : gpus) {
      for (int n = 0; n < std::min(count(NodeType::net), max_channels); ++n) {
        if (static_cast<int>(path(node(NodeType::gpu, g), NodeType::net, n).type) == type) {
          add_once(nets, n);
        }
      }
    }
  }
  return nets;
}

}  // namespace fabricast::nccl
