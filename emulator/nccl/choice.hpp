// NCCL's choice: which algorithm, protocol, channels and threads it takes for a collective.
//
// Three steps, each a pure function:
//   1. a System: one node (or one NVLink domain of many hosts) as NCCL's topology sees it, from a
//      topology XML (read_system) or from a machine of ours (system_of);
//   2. a Communicator: `nodes` such nodes; the graph search, the channels and the tuner's table of
//      latencies and bandwidths. Costs milliseconds, whatever the number of nodes;
//   3. choose(): the candidates of one (collective, size, type) and the cheapest. O(1), < 10 us.
//
// The tuner's times are NCCL's own estimates, a chooser: they are not this project's prediction of
// the time. Sizes are nccl-tests sizes (max of total send and total receive bytes of one rank), as
// NCCL itself counts. Times are us, rates GB/s = 1e9 B/s. Thread safety: const after construction.
// Sources: NCCL 2.28.9 src/graph/{topo,paths,search,connect,tuning}.cc, src/enqueue.cc; the tables
// of other versions in tuner_tables.hpp. What is not modelled: docs/nccl-choice.md.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/nccl/graph.hpp"
#include "emulator/nccl/names.hpp"
#include "emulator/nccl/overrides.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast::nccl {

struct SystemDescription;

// One NCCL node. Immutable and shared; copying is cheap.
struct System {
  std::shared_ptr<const SystemDescription> description;
  int nodes = 1;  // as many as the machine has; 1 from an XML file
};

// UsageError "file:line:col: element: problem" for what is no topology NCCL could use.
System read_system(std::string_view xml, const std::string& file);
// The XML that this machine would dump, and what NCCL makes of it. UsageError for machines that
// have no GPU that NCCL runs on (hosts, AMD).
System system_of(const Topology& machine);
std::string system_xml(const Topology& machine);

using AlgorithmTable = std::array<std::array<double, protocol_count>, algorithm_count>;

// What initialisation decides once per communicator.
struct Communicator {
  Version version;
  Overrides overrides;
  int ranks = 1, nodes = 1, ranks_per_node = 1;
  int min_capability = 0, max_capability = 0;  // 90: SM90
  bool amd_cpu = false, intel_cpu = false, arm_cpu = false;
  bool mnnvl = false;  // the node is an NVLink domain of several hosts
  bool all_direct_nvlink = false;  // every pair of the node's GPUs, with no GPU between

  Graph ring, tree, nvls, collnet_chain, collnet_direct;
  // Found by the search; ring and tree graphs keep the smaller of the two.
  int raw_ring_channels = 0, raw_tree_channels = 0;
  int coll_channels = 0;   // after doubling and clamping
  int nvls_channels = 0;   // 0: no NVLS
  int total_channels = 0;  // the larger of these: what rings and trees may use
  int p2p_channels = 0;    // for sends and receives
  int p2p_channels_per_peer = 0;
  bool nvls_supported = false, collnet_supported = false;

  // The tuner's table by function: us, and GB/s of the algorithm (bytes / time); 0: disabled.
  std::array<AlgorithmTable, function_count> latency_us{}, bandwidth_gbps{};
  std::array<std::array<int, protocol_count>, algorithm_count> max_threads{}, thread_threshold{};
  // Why a bandwidth is 0: "needs NVSwitch multicast (SM90 or newer)"; empty where it is not.
  std::array<std::array<std::array<std::string, protocol_count>, algorithm_count>, function_count>
      disabled{};

  const Graph& graph_of(Algorithm algorithm) const;
};

// `nodes` times the system. UsageError where overrides leave nothing.
Communicator make_communicator(const System& system, int nodes, const Version& version = {},
                               const Overrides& overrides = {});

// All nodes of the machine.
Communicator make_communicator(const Topology& machine, const Version& version = {},
                               const Overrides& overrides = {});

struct Request {
  Collective collective = Collective::all_reduce;
  std::int64_t bytes = 0;
  DataType type = DataType::float32;
  Operation operation = Operation::sum;
};

struct Candidate {
  Algorithm algorithm{};
  Protocol protocol{};
  std::optional<double> time_us;  // NCCL's estimate; nothing: cannot be taken
  std::string reason;             // why it cannot
};

struct Choice {
  bool point_to_point = false;  // all_to_all, gather, scatter, send_recv: no algorithm is chosen
  Algorithm algorithm = Algorithm::ring;
  Protocol protocol = Protocol::simple;
  int channels = 0;        // thread blocks that work, after the reduction for small sizes
  int threads = 0;         // per block, the extra warps of Simple included
  double estimate_us = 0;  // NCCL's; 0 for point to point and for one rank
};

// The cheapest candidate. Allocation-free.
Choice choose(const Communicator& communicator, const Request& request);
// Every (algorithm, protocol) in NCCL's order with its time or why it has none; empty for
// point-to-point collectives.
std::vector<Candidate> candidates(const Communicator& communicator, const Request& request);
// The channels and threads that (algorithm, protocol) would get, for schedules of a forced one.
Choice choice_of(const Communicator& communicator, const Request& request, Algorithm algorithm,
                 Protocol protocol);

}  // namespace fabricast::nccl
