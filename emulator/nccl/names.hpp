// NCCL's own vocabulary: algorithms, protocols, versions.
//
// Numbers of enumerators are NCCL's ids (src/include/nccl_tuner.h, 2.28.9), so that a tie between
// two estimates is decided as NCCL decides it: by the lower id. Pure functions, value types.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "emulator/schedule/collective.hpp"

namespace fabricast::nccl {

enum class Algorithm : std::uint8_t {
  tree,  // double binary tree over nodes, chain inside
  ring,
  collnet_direct,
  collnet_chain,
  nvls,       // in the NVSwitch
  nvls_tree,  // NVLS inside a node, double binary tree between nodes
  pat,        // parallel aggregated trees: one rank per node
};
inline constexpr std::size_t algorithm_count = 7;

enum class Protocol : std::uint8_t { ll, ll128, simple };
inline constexpr std::size_t protocol_count = 3;

// The five collectives that have a row in NCCL's tuner, in NCCL's order.
enum class Function : std::uint8_t { broadcast, reduce, all_gather, reduce_scatter, all_reduce };
inline constexpr std::size_t function_count = 5;

inline constexpr std::array<Algorithm, algorithm_count> all_algorithms{Algorithm::tree,
                                                                       Algorithm::ring,
                                                                       Algorithm::collnet_direct,
                                                                       Algorithm::collnet_chain,
                                                                       Algorithm::nvls,
                                                                       Algorithm::nvls_tree,
                                                                       Algorithm::pat};
inline constexpr std::array<Protocol, protocol_count> all_protocols{Protocol::ll, Protocol::ll128,
                                                                    Protocol::simple};

constexpr std::size_t index_of(Algorithm algorithm) { return static_cast<std::size_t>(algorithm); }
constexpr std::size_t index_of(Protocol protocol) { return static_cast<std::size_t>(protocol); }
constexpr std::size_t index_of(Function function) { return static_cast<std::size_t>(function); }

// NCCL's spelling: "NVLSTree", "LL128", "ReduceScatter".
std::string_view to_string(Algorithm algorithm);
std::string_view to_string(Protocol protocol);
std::string_view to_string(Function function);
// Case-insensitive, as NCCL reads NCCL_ALGO and NCCL_PROTO; nothing for other words.
std::optional<Algorithm> algorithm_from_name(std::string_view name);
std::optional<Protocol> protocol_from_name(std::string_view name);
std::optional<Function> function_from_name(std::string_view name);

// The row of the tuner; nothing for what NCCL builds from sends and receives (all_to_all, gather,
// scatter, send_recv).
std::optional<Function> function_of(Collective collective);

struct Version {
  int major = 2, minor = 28, patch = 9;

  auto operator<=>(const Version&) const = default;
};

inline constexpr Version default_version{2, 28, 9};

// "2.28.9", "2.28" (the newest patch with a table), "2.28.9-1", "2.28.9+cuda13.0". UsageError for
// what is no version of NCCL 2.
Version parse_version(std::string_view text);
std::string to_string(const Version& version);

enum class DataType : std::uint8_t {
  int8,
  uint8,
  int32,
  uint32,
  int64,
  uint64,
  float16,
  float32,
  float64,
  bfloat16,
  f8e4m3,
  f8e5m2
};
int size_of(DataType type);  // bytes
bool is_fp8(DataType type);
// Names of nccl-tests and of ours: "float", "half", "bfloat16", "fp8_e4m3" ... UsageError.
DataType data_type_from_name(std::string_view name);

enum class Operation : std::uint8_t { sum, prod, max, min, avg, pre_mul_sum };

}  // namespace fabricast::nccl
