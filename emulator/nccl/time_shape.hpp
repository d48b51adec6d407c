// What the time model must know of a machine and of one job on it: a few numbers, no topology.
//
// Rates are GB/s = 1e9 B/s per direction, nominal. `nodes` are NCCL's nodes: an NVL72 rack is one.
// Times of the model are microseconds (time_model.hpp). Plain data, thread safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "emulator/schedule/collective.hpp"

namespace fabricast {

enum class TimeGeneration : std::uint8_t { volta, ampere, ada, hopper, blackwell, cdna };
// How GPUs of one node reach each other. pcie_host: through host memory (peer access is off).
enum class TimeLink : std::uint8_t { nvswitch, nvlink_mesh, pcie, pcie_host, infinity_fabric };
enum class TimeNetwork : std::uint8_t {
  none,
  infiniband,
  roce,
  efa,
  slingshot,
  tcpx,
  tcpxo,
  ethernet
};

std::string_view to_string(TimeGeneration generation);
std::string_view to_string(TimeLink link);
std::string_view to_string(TimeNetwork network);

enum class TimeAlgorithm : std::uint8_t {
  ring,
  tree,
  nvls,
  nvls_tree,
  collnet,
  symmetric,
  point_to_point,
  pat
};
enum class TimeProtocol : std::uint8_t { ll, ll128, simple };

std::string_view to_string(TimeAlgorithm algorithm);
std::string_view to_string(TimeProtocol protocol);

struct TimeShape {
  TimeGeneration generation = TimeGeneration::hopper;
  TimeLink link = TimeLink::nvswitch;
  TimeNetwork network = TimeNetwork::none;
  std::int32_t ranks = 1;
  std::int32_t nodes = 1;
  std::int32_t host_ranks = 8;  // of one host, whose driver launches their kernels
  double link_gbps = 0;         // of one GPU to its node, all its links together
  double nic_gbps = 0;          // of all NICs that a node's ranks use, together
  double one_nic_gbps = 0;      // of one NIC
  bool graph_launch = false, symmetric = false;
  bool grace_host = false;         // GPU and CPU in one package
  bool process_per_gpu = false;    // on a single host, too: as batch systems start MPI jobs
  bool software_matching = false;  // the network library matches messages on the CPU

  std::int32_t ranks_per_node() const { return ranks / nodes; }
};

struct TimeCase {
  TimeShape shape;
  Collective collective = Collective::all_reduce;
  double bytes = 0;  // the nccl-tests size
};

// What NCCL runs for one case.
struct TimeChoice {
  TimeAlgorithm algorithm = TimeAlgorithm::ring;
  TimeProtocol protocol = TimeProtocol::simple;
  double channels = 1;
  double peer_channels = 1;  // of sends and receives, for one peer
};

}  // namespace fabricast
