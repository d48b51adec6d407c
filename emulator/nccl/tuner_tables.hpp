// The constants of NCCL's tuner, by version: data with its source.
//
// Latencies in us, bandwidths in GB/s. Read from src/graph/tuning.cc of the tag that each table
// names. A version between two tables has the older one. Value types.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "emulator/nccl/names.hpp"

namespace fabricast::nccl {

enum class Hardware : std::uint8_t { nvlink, pci, network };
inline constexpr std::size_t hardware_kinds = 3;

// Rows of caps: by the lowest compute capability of all GPUs.
enum class Generation : std::uint8_t { volta, ampere, hopper, blackwell };
inline constexpr std::size_t generations = 4;
Generation generation_of(int capability);

using ProtocolRow = std::array<float, protocol_count>;            // LL, LL128, Simple
using LatencyTable = std::array<ProtocolRow, algorithm_count>;    // by algorithm
using CapTable = std::array<std::array<double, 3>, generations>;  // by nodes: 1, 2, more
using CorrectionTable = std::array<std::array<float, 24>, protocol_count>;

struct TunerTable {
  Version since;
  std::string_view source;
  LatencyTable base{};
  std::array<LatencyTable, hardware_kinds> hardware{};
  CapTable ll{}, ring_ll128{}, tree_ll128{}, tree{}, nvls_tree{};
  std::array<float, generations> nvls_efficiency{};
  bool nvls_by_efficiency = true;        // false: the model before 2.28, 5/6 of the bus bandwidth
  bool ring_ll_half = true;              // false: 2.20 and before, a quarter or a third
  bool inter_steps_less_one = true;      // false: a ring crosses 2 N times, not 2 (N - 1)
  bool single_rank_tree_latency = true;  // one rank per node: the tree's network latency
  float pat_factor = 0.75F;              // 0: no PAT
  CorrectionTable correction{};          // of a tree's bandwidth, by log2(bytes / 64)
  int corrections = 23;
  bool correct_nvls_tree = false;  // SM100 and newer with x86 CPUs
};

// Newest first.
std::span<const TunerTable> tuner_tables();
const TunerTable& tuner_table(const Version& version);

}  // namespace fabricast::nccl
