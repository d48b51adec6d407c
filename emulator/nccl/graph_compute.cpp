#include "emulator/nccl/graph_compute.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <tuple>

#include "emulator/nccl/deep_call.hpp"
#include "emulator/nccl/graph_search.hpp"

namespace fabricast::nccl {
namespace {

// Rates to try in GB/s (src/graph/search.cc, 2.28.9; the two longer lists for SM100 are 2.30.7's).
constexpr std::array intra_speeds{40.0F, 30.0F, 20.0F, 18.0F, 15.0F, 12.0F, 10.0F,
                                  9.0F,  7.0F,  6.0F,  5.0F,  4.0F,  3.0F};
constexpr std::array inter_speeds{48.0F, 30.0F, 28.0F, 24.0F, 20.0F, 18.0F, 15.0F,
                                  12.0F, 10.0F, 9.0F,  7.0F,  6.0F,  5.0F,  4.0F,
                                  3.0F,  2.4F,  1.2F,  0.24F, 0.12F};
constexpr std::array intra_speeds_sm90{60.0F, 50.0F, 40.0F, 30.0F, 24.0F, 20.0F,
                                       15.0F, 12.0F, 11.0F, 6.0F,  3.0F};
constexpr std::array inter_speeds_sm90{48.0F, 45.0F, 42.0F, 40.0F, 30.0F, 24.0F,
                                       22.0F, 20.0F, 17.5F, 15.0F, 12.0F, 6.0F,
                                       3.0F,  2.4F,  1.2F,  0.24F, 0.12F};
constexpr std::array intra_speeds_sm100{90.0F, 80.0F, 70.0F, 60.0F, 50.0F, 40.0F,
                                        30.0F, 24.0F, 20.0F, 19.0F, 18.0F};
constexpr std::array inter_speeds_sm100{96.0F, 48.0F, 45.1F, 42.0F, 40.0F, 30.0F,
                                        24.0F, 22.0F, 20.0F, 17.5F, 15.0F, 12.0F,
                                        6.0F,  3.0F,  2.4F,  1.2F,  0.24F, 0.12F};
constexpr std::array intra_speeds_sm100_230{90.0F, 80.0F, 70.0F, 60.0F, 50.0F, 45.0F,
                                            40.0F, 30.0F, 24.0F, 20.0F, 19.0F, 18.0F};
constexpr std::array inter_speeds_sm100_230{96.0F, 86.0F, 80.0F, 48.0F, 45.1F, 42.0F, 40.0F,
                                            30.0F, 24.0F, 22.0F, 20.0F, 17.5F, 15.0F, 12.0F,
                                            6.0F,  3.0F,  2.4F,  1.2F,  0.24F, 0.12F};

std::span<const float> speeds_for(bool network, int capability, const Version& version) {
  if (capability >= 100 && version >= Version{2, 30, 0}) {
    if (network) return inter_speeds_sm100_230;
    return intra_speeds_sm100_230;
  }
  if (capability >= 100) {
    if (network) return inter_speeds_sm100;
    return intra_speeds_sm100;
  }
  if (capability >= 90) {
    if (network) return inter_speeds_sm90;
    return intra_speeds_sm90;
  }
  if (network) return inter_speeds;
  return intra_speeds;
}

// A level of the search takes less than 1 KiB, with sanitizers less than 4 KiB.
constexpr int gpus_of_plain_stack = 32;
constexpr std::size_t deep_stack = std::size_t{4096} << 14;

constexpr std::int64_t all_steps = 1 << 19;
constexpr int steps_of_attempt = 1 << 14;
constexpr int steps_of_same_channels = 1 << 8;
constexpr int max_nvls_heads = 32;
constexpr int max_direct_heads = 8;

PathType next_type(PathType type) {
  return static_cast<PathType>(static_cast<std::uint8_t>(type) + 1);
}

class Computation {
 public:
  Computation(const TopoGraph& topology, const GraphRequest& request, const Version& version,
              const Overrides& overrides);
  Graph run();

 private:
  bool prepare();
  void attempt();
  bool relax();       // the next, laxer attempt of the first pass; false: there is none
  bool slow_down();   // part of relax(): the next lower rate
  void duplicate();   // channels, where one thread block cannot drive the rate
  void start_over();  // from the best graph, for the second pass
  bool speed_up();    // the next, faster attempt of the second pass
  void fall_back();
  Graph result() const;

  const TopoGraph& topology_;
  GraphRequest request_;
  GraphSearch search_;
  const bool network_;
  const int gpus_;
  const int capability_;
  std::span<const float> speeds_;
  int cross_nic_ = 0;
  PathType min_intra_ = PathType::loc, min_inter_ = PathType::pix;
  PathType max_intra_ = PathType::sys, max_inter_ = PathType::sys;
  int try_same_channels_ = 1;
  bool amd_ = false;
  Draft best_, draft_;
  std::size_t speed_ = 0;
  std::int64_t left_ = all_steps;
  int budget_ = 0;
};

Computation::Computation(const TopoGraph& topology, const GraphRequest& request,
                         const Version& version, const Overrides& overrides)
    : topology_(topology),
      request_(request),
      search_(topology, overrides),
      network_(topology.count(NodeType::net) > 0),
      gpus_(topology.count(NodeType::gpu)),
      capability_(topology.min_capability()),
      speeds_(speeds_for(network_, capability_, version)) {
  const bool may_cross = request.pattern == Pattern::ring ||
                         request.pattern == Pattern::balanced_tree ||
                         request.pattern == Pattern::split_tree;
  cross_nic_ = topology.count(NodeType::net) > 1 && may_cross ? overrides.cross_nic : 0;
  const auto& cpu = topology.node(NodeType::cpu, 0);
  amd_ = cpu.arch == CpuArch::x86 && cpu.vendor == CpuVendor::amd;
}

// Limits and the first rate; false: this machine cannot have such a graph.
bool Computation::prepare() {
  best_.pattern = request_.pattern;
  best_.collective_net = request_.collective_net;
  best_.min_channels = request_.min_channels;
  best_.max_channels = request_.max_channels;
  best_.cross_nic = cross_nic_ == 1 ? 1 : 0;
  if (gpus_ > 1) std::tie(min_intra_, max_intra_) = topology_.gpu_path_range(NodeType::gpu);
  if (network_) {
    std::tie(min_inter_, max_inter_) = topology_.gpu_path_range(NodeType::net);
    max_intra_ = max_inter_;
  }
  best_.type_intra = min_intra_;
  best_.type_inter = min_inter_;
  try_same_channels_ = request_.pattern == Pattern::nvls ? 0 : 1;
  best_.same_channels = try_same_channels_;
  if (request_.pattern == Pattern::nvls) {
    if (topology_.count(NodeType::nvs) == 0 || capability_ < 90) return false;
    best_.max_channels = std::min(max_nvls_heads, gpus_);
  }
  if (request_.pattern == Pattern::collnet_direct) {
    best_.max_channels = std::min(max_direct_heads, gpus_);
  }
  if (gpus_ == 1 && best_.pattern != Pattern::ring) best_.pattern = Pattern::tree;
  if (!network_ && best_.pattern == Pattern::nvls) best_.min_channels = best_.max_channels;
  if (best_.pattern == Pattern::ring && topology_.split_nvlink() && best_.max_channels >= 2 &&
      best_.min_channels == 1) {
    best_.min_channels = 2;  // a tree over two NVLink domains needs two channels
  }
  draft_ = best_;
  float total = topology_.total_bw();
  if (gpus_ > 1 && best_.pattern != Pattern::ring) {
    total = static_cast<float>(total * (gpus_ * 1.0 / (gpus_ - 1)));
  }
  while ((speeds_[speed_] > topology_.max_bw() ||
          speeds_[speed_] * static_cast<float>(best_.min_channels) > total) &&
         speed_ < speeds_.size() - 1) {
    ++speed_;
  }
  draft_.bw_intra = draft_.bw_inter = speeds_[speed_];
  return true;
}

void Computation::attempt() {
  budget_ = draft_.same_channels == 1 ? steps_of_same_channels : steps_of_attempt;
  left_ -= budget_;
  budget_ = search_.attempt(draft_, best_, budget_);
}

bool Computation::slow_down() {
  if (speed_ < speeds_.size() - 1 &&
      (best_.channels == 0 || speeds_[speed_ + 1] / best_.bw_inter > .49)) {
    draft_.bw_inter = draft_.bw_intra = speeds_[++speed_];
    return true;
  }
  return false;
}

bool Computation::relax() {
  if (draft_.same_channels == 1 && !(amd_ && draft_.type_intra == PathType::sys)) {
    draft_.same_channels = 0;
    return true;
  }
  draft_.same_channels = try_same_channels_;
  left_ += budget_;
  if (left_ < 0 && best_.channels > 0) return false;
  if (capability_ >= 90 && draft_.pattern == Pattern::balanced_tree) {
    draft_.pattern = Pattern::tree;
    return true;
  }
  draft_.pattern = best_.pattern;
  const PathType widest = network_ ? draft_.type_inter : max_intra_;
  if (draft_.type_intra < widest && (best_.channels == 0 || draft_.type_intra < best_.type_intra)) {
    draft_.type_intra = next_type(draft_.type_intra);
    if (draft_.type_intra < PathType::dis) return true;
  }
  draft_.type_intra = min_intra_;
  if (network_ && draft_.type_inter < max_inter_ &&
      (best_.channels == 0 || draft_.type_inter < best_.type_inter ||
       draft_.type_inter < PathType::pxn)) {
    draft_.type_inter = next_type(draft_.type_inter);
    if (draft_.type_inter < PathType::dis) return true;
  }
  draft_.type_inter = min_inter_;
  if (cross_nic_ == 2 && draft_.cross_nic == 0 &&
      (best_.pattern == Pattern::ring || best_.pattern == Pattern::balanced_tree)) {
    draft_.cross_nic = 2;
    return true;
  }
  draft_.cross_nic = cross_nic_ == 1 ? 1 : 0;
  return slow_down();
}

void Computation::duplicate() {
  if (best_.channels == 0 || best_.pattern == Pattern::nvls || best_.bw_intra < 25.0) return;
  if (capability_ > 80 && best_.bw_intra < 50.0 && best_.channels > 4) return;
  const int channels = std::min(best_.channels * 2, best_.max_channels);
  best_.intra.resize(static_cast<std::size_t>(channels * gpus_));
  best_.inter.resize(static_cast<std::size_t>(channels) * 2);
  for (int c = best_.channels; c < channels; ++c) {
    const auto of = static_cast<std::size_t>(c - best_.channels);
    const auto width = static_cast<std::size_t>(gpus_);
    const auto at = static_cast<std::size_t>(c);
    std::copy_n(best_.intra.begin() + static_cast<std::ptrdiff_t>(of * width), width,
                best_.intra.begin() + static_cast<std::ptrdiff_t>(at * width));
    best_.inter[2 * at] = best_.inter[2 * of];
    best_.inter[2 * at + 1] = best_.inter[2 * of + 1];
  }
  const int times = (channels + best_.channels - 1) / best_.channels;
  best_.bw_intra /= static_cast<float>(times);
  best_.bw_inter /= static_cast<float>(times);
  best_.channels = channels;
}

void Computation::start_over() {
  budget_ = -1;
  duplicate();
  draft_ = best_;
  speed_ = 0;
  while (speeds_[speed_] > best_.bw_inter && speed_ < speeds_.size() - 1) ++speed_;
  draft_.bw_intra = draft_.bw_inter = speeds_[speed_];
  draft_.min_channels = best_.channels;
}

bool Computation::speed_up() {
  if (budget_ == 0 || speed_ == 0) return false;
  if (best_.pattern == Pattern::ring) {
    draft_.bw_intra = draft_.bw_inter = speeds_[--speed_];
    return true;
  }
  if (best_.pattern == Pattern::nvls && draft_.bw_inter == best_.bw_inter &&
      draft_.bw_inter < draft_.bw_intra * 2) {
    draft_.min_channels = draft_.max_channels = best_.channels;
    draft_.bw_inter = speeds_[--speed_];
    return true;
  }
  if (draft_.bw_intra == best_.bw_intra && draft_.bw_intra < draft_.bw_inter * 2) {
    draft_.bw_intra = speeds_[--speed_];
    return true;
  }
  return false;
}

void Computation::fall_back() {
  if (best_.channels > 0 || best_.collective_net || best_.pattern == Pattern::nvls) return;
  best_.intra.resize(static_cast<std::size_t>(gpus_));
  for (int g = 0; g < gpus_; ++g) best_.intra[static_cast<std::size_t>(g)] = g;
  best_.inter.assign(2, 0);
  best_.bw_intra = best_.bw_inter = 0.1F;
  best_.type_intra = best_.type_inter = PathType::sys;
  best_.channels = 1;
}

Graph Computation::result() const {
  Graph graph;
  graph.pattern = best_.pattern;
  graph.cross_nic = best_.cross_nic;
  graph.channels = best_.channels;
  graph.bw_intra = best_.bw_intra;
  graph.bw_inter = best_.bw_inter;
  graph.latency_inter = best_.latency_inter;
  graph.type_intra = best_.type_intra;
  graph.type_inter = best_.type_inter;
  graph.same_channels = best_.same_channels;
  graph.min_channels = best_.min_channels;
  graph.max_channels = best_.max_channels;
  graph.gpus = gpus_;
  const auto channels = static_cast<std::size_t>(best_.channels);
  for (std::size_t i = 0; i < channels * static_cast<std::size_t>(gpus_); ++i) {
    graph.intra.push_back(
        i < best_.intra.size() ? topology_.node(NodeType::gpu, best_.intra[i]).rank : 0);
  }
  graph.inter = best_.inter;
  graph.inter.resize(channels * 2);
  return graph;
}

Graph Computation::run() {
  if (!prepare()) return result();
  for (bool more = true; more;) {
    attempt();
    if (budget_ == -1) break;
    const float found = static_cast<float>(best_.channels) * best_.bw_inter;
    if (found >= topology_.total_bw()) break;
    more = relax();
  }
  start_over();
  while (speed_up()) attempt();
  fall_back();
  return result();
}

}  // namespace

Graph compute_graph(const TopoGraph& topology, const GraphRequest& request, const Version& version,
                    const Overrides& overrides) {
  Computation computation(topology, request, version, overrides);
  if (topology.count(NodeType::gpu) <= gpus_of_plain_stack) return computation.run();
  Graph graph;
  call_with_stack(deep_stack, [&] { graph = computation.run(); });
  return graph;
}

}  // namespace fabricast::nccl
