// The search for channels: one pattern, one rate, one set of permitted paths.
//
// Depth first, as NCCL does it, with its order of candidates and its budget of steps, because the
// first solution found within the budget is the answer. A step is a visit of a GPU. Bounded: every
// attempt ends after its budget, and all attempts together after Overrides::search_limit links
// followed (UsageError). Source: NCCL 2.28.9 src/graph/search.cc.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "emulator/nccl/graph.hpp"
#include "emulator/nccl/overrides.hpp"
#include "emulator/nccl/topo_graph.hpp"

namespace fabricast::nccl {

// A graph under construction: rates in single precision, GPUs by index in the TopoGraph.
struct Draft {
  Pattern pattern = Pattern::ring;
  int cross_nic = 0, same_channels = 1;
  int channels = 0, min_channels = 1, max_channels = 1;
  int hops = 0;
  bool collective_net = false;
  float bw_intra = 0, bw_inter = 0, latency_inter = 0;
  PathType type_intra = PathType::loc, type_inter = PathType::pix;
  std::vector<int> intra;           // gpus per channel
  std::vector<std::int64_t> inter;  // 2 per channel
};

class GraphSearch {
 public:
  GraphSearch(const TopoGraph& topology, const Overrides& overrides);

  // Tries to improve `best` with graphs of the rates, pattern and path types of `draft`. Returns
  // what is left of `budget` steps; -1: nothing better exists.
  int attempt(Draft& draft, Draft& best, int budget);

 private:
  enum class Order { free, pci, replay };

  // One try of all candidates at a place of the search.
  struct Walk {
    Draft& graph;
    Draft& best;
    int to_net;    // step after which the channel goes back to the network; -1: never
    int to_first;  // step after which it goes back to its first GPU; -1: never
    Order order;
    int& budget;
  };

  void next_channel(Draft& graph, Draft& best, int& budget);
  void from_network(Draft& graph, Draft& best, int to_net, int to_first, int& budget);
  void from_net(Walk walk, int net);
  void head_from_net(Walk walk, int net, int nets);
  void try_gpu(const Walk& walk, int step, int from_node, int gpu);
  void at_gpu(const Walk& walk, int step, int gpu);
  void complete(const Walk& walk);
  void back_to_network(const Walk& walk, int step, int gpu);
  void to_next_gpu(const Walk& walk, int step, int gpu);
  void to_switch(const Walk& walk, int head);
  void to_all_gpus(const Walk& walk, int head);
  std::vector<int> candidates(const Draft& graph, int gpu, int sort_net) const;
  std::vector<int> sorted_candidates(const Draft& graph, int gpu, int sort_net) const;
  bool better(const Draft& graph, const Draft& than) const;

  // Takes (mult > 0) or gives back (mult < 0) the rate of a path; false: there is not enough.
  bool follow(Draft& graph, int from_node, int to_node, float mult);
  int take(const TopoPath& path, const TopoNode& from, int steps, float bw);
  const std::vector<int>& nets_for(PathType type_inter, int gpu);
  int replayed(const Draft& graph, int step) const;
  int node_number(NodeType type, int index) const {
    return topology_.of(type)[static_cast<std::size_t>(index)];
  }
  int net_index(std::int64_t id) const;
  void change_port(const TopoNode& net, float by);

  const TopoGraph& topology_;
  const bool scatter_;
  const std::int64_t max_work_;
  const int gpus_;
  std::vector<float> bw_;            // what is left of each link
  std::vector<float> net_bw_;        // and of each NIC
  std::vector<std::uint64_t> used_;  // by GPU: channels
  std::vector<float> pci_bw_;        // of each GPU's own link
  std::map<std::pair<int, int>, std::vector<int>> nets_;
  std::int64_t work_ = 0;
};

}  // namespace fabricast::nccl
