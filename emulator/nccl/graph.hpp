// What NCCL's search finds for one node: channels, their order of GPUs, their entry and exit NICs.
//
// Rates are GB/s = 1e9 B/s of one channel. Value types. Source: NCCL 2.28.9 src/graph/search.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace fabricast::nccl {

// In order of distance; the numbers are NCCL's.
enum class PathType : std::uint8_t {
  loc,
  nvl,  // NVLink
  nvb,  // NVLink through another GPU
  c2c,
  pix,  // one PCIe switch
  pxb,  // several PCIe switches
  p2c,  // C2C to the CPU, PCIe from there
  pxn,  // to a NIC through another GPU
  phb,  // through the CPU
  sys,  // between CPUs
  net,
  dis,  // no path
};
std::string_view to_string(PathType type);  // "NVL"

enum class Pattern : std::uint8_t {
  none = 0,
  balanced_tree = 1,  // NIC traffic over the first two GPUs
  split_tree = 2,     // one GPU up, the other down
  tree = 3,           // all on one GPU
  ring = 4,
  nvls = 5,
  collnet_direct = 6,
};

struct Graph {
  Pattern pattern = Pattern::none;
  int cross_nic = 0;
  int channels = 0;                   // 0: nothing found, the algorithm cannot be used
  double bw_intra = 0, bw_inter = 0;  // GB/s per channel
  double latency_inter = 0;           // us
  PathType type_intra = PathType::loc, type_inter = PathType::pix;
  int same_channels = 0;
  int min_channels = 1, max_channels = 0;
  int gpus = 0;  // per node
  // channels x gpus: local GPU index in the order of the channel. NVLS: the head is the first one.
  std::vector<int> intra;
  // channels x 2: id of the entry and of the exit NIC (host << 56 | dev in a fused file).
  std::vector<std::int64_t> inter;

  std::span<const int> order(int channel) const {
    return std::span(intra).subspan(
        static_cast<std::size_t>(channel) * static_cast<std::size_t>(gpus),
        static_cast<std::size_t>(gpus));
  }
};

}  // namespace fabricast::nccl
