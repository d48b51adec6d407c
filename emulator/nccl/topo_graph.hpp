// The graph NCCL searches: devices, links with rates, and paths between GPUs, CPUs, NICs, switches.
//
// Built for one version and one set of overrides, because both change rates and paths. Orders of
// nodes and links are NCCL's: they decide which of several equal rings it finds. Rates are GB/s in
// single precision, as NCCL keeps them: its comparisons depend on the rounding. Complexity of
// building: O(devices * (GPUs + NICs) * links of a device). Const after construction. Source: NCCL
// 2.28.9 src/graph/topo.{h,cc}, paths.cc.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "emulator/nccl/graph.hpp"
#include "emulator/nccl/names.hpp"
#include "emulator/nccl/overrides.hpp"
#include "emulator/nccl/system_description.hpp"

namespace fabricast::nccl {

enum class NodeType : std::uint8_t { gpu, pci, nvs, cpu, nic, net };
inline constexpr std::size_t node_types = 6;

// Kinds of links have the numbers of the paths that they alone make.
struct TopoLink {
  PathType type = PathType::loc;
  int remote = -1;   // node
  int reverse = -1;  // link back, of the same type; -1: none
  float bw = 0;
};

struct TopoNode {
  NodeType type = NodeType::pci;
  std::int64_t id = 0;  // host << 56 | bus id, NUMA node or NIC number
  int index = 0;        // among the nodes of its type
  std::vector<int> links;
  // gpu
  int dev = 0, rank = 0, capability = 0;
  bool gdr = false;  // gpu and net
  // cpu
  CpuArch arch = CpuArch::other;
  CpuVendor vendor = CpuVendor::other;
  CpuModel model = CpuModel::other;
  // net
  std::uint64_t asic = 0;
  int port = 0;
  float bw = 0, latency = 0;
  bool collective = false;
  int local_gpu = -1;
  // pci
  std::uint64_t device = 0;

  int host() const { return static_cast<int>(id >> 56); }
};

struct TopoPath {
  std::vector<int> links;
  float bw = 0;
  PathType type = PathType::dis;

  int count() const { return static_cast<int>(links.size()); }
};

inline constexpr float local_bw = 5000.0F;  // inside one GPU
inline constexpr int max_channels = 64;     // of a communicator

class TopoGraph {
 public:
  // With NICs when the communicator has several nodes; NCCL drops them otherwise. UsageError where
  // NCCL would give up (a GPU without a way to the others or to a NIC, a link without its reverse).
  TopoGraph(const SystemDescription& system, bool with_nets, const Version& version,
            const Overrides& overrides);

  const TopoNode& node(NodeType type, int index) const {
    return nodes_[static_cast<std::size_t>(of(type)[static_cast<std::size_t>(index)])];
  }
  const TopoNode& node(int number) const { return nodes_[static_cast<std::size_t>(number)]; }
  const std::vector<int>& of(NodeType type) const {
    return of_type_[static_cast<std::size_t>(type)];
  }
  int count(NodeType type) const { return static_cast<int>(of(type).size()); }
  const std::vector<TopoLink>& links() const { return links_; }
  // Bases of paths are GPUs, CPUs, NICs (net) and switches (nvs).
  const TopoPath& path(const TopoNode& from, NodeType base, int index) const {
    return paths_[path_index(from, base, index)];
  }
  int hosts() const { return hosts_; }
  float max_bw() const { return max_bw_; }
  float total_bw() const { return total_bw_; }
  int min_capability() const { return min_capability_; }

  // Smallest and largest type of path from GPUs to nodes of a type.
  std::pair<PathType, PathType> gpu_path_range(NodeType type) const;
  // Two NVLink domains in one node.
  bool split_nvlink() const;
  // Nodes of `result` nearest to a node: those of the highest rate, of these the nearest type.
  std::vector<int> nearest(NodeType type, int index, NodeType result) const;
  // The NIC that GPU `gpu` prefers for a channel.
  int local_net(int gpu, int channel) const;
  // NICs to try, the preferred ones of the GPUs first; gpu -1: of all GPUs.
  std::vector<int> select_nets(PathType type_inter, int gpu, bool scatter) const;
  float nvlink_bw(int capability) const;
  // NICs needed to fill the GPU's own link to its CPU.
  int nets_by_bandwidth(int gpu) const;

 private:
  friend class TopoBuilder;
  friend class TopoPaths;

  std::size_t path_index(const TopoNode& from, NodeType base, int index) const;
  void set_speeds(bool with_nets);

  Version version_;
  std::vector<TopoNode> nodes_;
  std::array<std::vector<int>, node_types> of_type_;
  std::vector<TopoLink> links_;
  std::vector<TopoPath> paths_;
  std::array<std::size_t, node_types> base_offset_{};
  std::size_t bases_ = 0;
  int hosts_ = 0;
  int min_capability_ = 0;
  float max_bw_ = 0, total_bw_ = 0;
};

}  // namespace fabricast::nccl
