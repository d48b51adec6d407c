#include "emulator/cost/protocol.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/cost/generation_ratios.hpp"
#include "emulator/cost/offered.hpp"

namespace fabricast {
namespace {

constexpr std::array protocols{Protocol::none, Protocol::ll, Protocol::ll128, Protocol::simple,
                               Protocol::multimem};

bool is_interpreter(ExecutorKind executor) {
  return executor == ExecutorKind::cuda || executor == ExecutorKind::peers;
}

constexpr std::int64_t kib = 1024;
constexpr std::int64_t ll_slot = 32 * kib;       // 8 lines x 512 threads x 16 B, half of it data
constexpr std::int64_t ll128_slot = 576'000;     // 8 x 640 threads x 120 B
constexpr std::int64_t simple_slot = 512 * kib;  // 4 MiB over 8 steps
constexpr std::int64_t p2p_slot_one_node = 512 * kib;
constexpr std::int64_t p2p_slot_network = 128 * kib;
constexpr std::int64_t p2p_least_part = 64 * kib;  // per channel and peer, in both cases
constexpr std::int64_t least_traffic = 16 * kib;   // per channel
// Kernels for symmetric windows: a cell of 1 KiB for each of 16 warps (src/sym_kernels.cc).
constexpr std::int64_t memory_kernel_least = 16 * kib;
constexpr std::int32_t slots = 8;  // NCCL_STEPS

// Made of sends and receives: every pair of ranks has its own slots, and no LL128.
bool is_point_to_point(Collective collective) {
  switch (collective) {
    case Collective::all_to_all:
    case Collective::gather:
    case Collective::scatter:
    case Collective::send_recv:
      return true;
    case Collective::all_reduce:
    case Collective::all_gather:
    case Collective::reduce_scatter:
    case Collective::broadcast:
    case Collective::reduce:
      break;
  }
  return false;
}

// Compute capability 10.0 or newer.
bool is_sm100(std::string_view generation) {
  return generation == "blackwell" || generation == "rubin";
}

bool is_collnet(const std::string& algorithm) {
  return algorithm == "collnet_direct" || algorithm == "collnet_chain";
}

// In a ring a chunk is four of the eight steps, two slices of two; the others take step by step.
// Across domains nvls is ours (NCCL has NVLSTree), and rings between the switches' parts.
bool ring_pipelined(Collective collective, const std::string& algorithm, const RankSpace& space) {
  return algorithm != "tree" && algorithm != "pat" && algorithm != "nvls_tree" &&
         algorithm != "nvls_sharp" && !is_collnet(algorithm) &&
         (algorithm != "nvls" || space.domains() > 1) && collective != Collective::broadcast &&
         collective != Collective::reduce && !is_point_to_point(collective);
}

// src/enqueue.cc, calcCollChunking: chunks shrink while a channel's share is few of them.
std::int64_t nvls_chunk(const RankSpace& space, std::int64_t bytes, std::int32_t channels) {
  const std::int64_t heads = space.domain_size();
  const std::int64_t share = bytes / channels;
  std::int64_t chunk = 128 * kib;
  if (share < 64 * heads * chunk) chunk = 64 * kib;
  if (share < 8 * heads * chunk) chunk = 32 * kib;
  if (share < 2 * heads * chunk) chunk = 16 * kib;
  return chunk;
}

std::int64_t nvls_tree_chunk(const RankSpace& space, std::int64_t bytes, std::int32_t channels) {
  const std::int64_t heads = space.domain_size();
  const std::int64_t share = bytes / channels;
  std::int64_t chunk = space.domains() >= 4 ? 64 * kib : 128 * kib;
  if (share < 4 * heads * chunk) chunk = std::min(chunk, 64 * kib);
  if (share < heads * chunk) chunk = std::min(chunk, 32 * kib);
  return chunk;
}

// Deep trees get small chunks, so that their stages work at the same time.
std::int64_t tree_ll128_chunk(const RankSpace& space, std::int64_t bytes, std::int32_t channels) {
  const std::int64_t local = space.domain_size();
  const double stages =
      1 + std::floor(std::log2(space.domains())) + 0.1 * static_cast<double>(local);
  const std::int64_t share = bytes / channels;
  std::int64_t chunk = ll128_slot;
  const auto fewer_chunks_than = [&](double per_stage) {
    return static_cast<double>(share / chunk) < per_stage * stages / static_cast<double>(local);
  };
  while (fewer_chunks_than(64) && chunk > 128 * kib) chunk /= 2;
  while (fewer_chunks_than(16) && chunk > 32 * kib) chunk /= 2;
  return chunk;
}

std::int64_t pat_chunk(Collective collective, std::int64_t bytes, std::int32_t channels) {
  const std::int64_t chunks = collective == Collective::all_gather ? 32 : 16;
  std::int64_t chunk = simple_slot;
  while (chunk * chunks > bytes / channels && chunk > 64 * kib) chunk /= 2;
  return chunk;
}

// Of the whole message, unlike the others.
std::int64_t collnet_chunk(const std::string& algorithm, const RankSpace& space, std::int64_t bytes,
                           std::int32_t channels) {
  const bool chain = algorithm == "collnet_chain";
  const std::int64_t local = space.domain_size();
  const std::int64_t heads = chain ? 1 : local;
  const std::int64_t depth = chain ? local : local > 1 ? 2 : 1;
  std::int64_t chunk = chain ? 256 * kib : simple_slot;
  const auto rounds = [&] { return bytes / (channels * heads * chunk); };
  while (rounds() < depth * 64 && chunk > 128 * kib) chunk /= 2;
  while (rounds() < depth * 8 && chunk > 64 * kib) chunk /= 2;
  while (rounds() < depth * (chain ? 1 : 8) && chunk > 32 * kib) chunk /= 2;
  return chunk;
}

// Bytes a channel must have before NCCL opens another one.
std::int64_t least_per_channel(Collective collective, const std::string& algorithm,
                               Protocol protocol, std::int32_t ranks) {
  if (collective == Collective::send_recv) return p2p_least_part;
  if (is_point_to_point(collective)) return p2p_least_part * ranks;
  if (through_switches(algorithm)) return 1;  // always all of them
  if (is_collnet(algorithm)) return 640 * 512;
  if (algorithm == "one_shot") return memory_kernel_least / ranks + 1;  // all goes to everyone
  if (needs_windows(collective, algorithm)) return memory_kernel_least;
  std::int64_t threads_by_bytes = 0;
  switch (protocol) {
    case Protocol::ll:
      threads_by_bytes = 512 * 8 * (algorithm == "tree" ? 1 : ranks);
      break;
    case Protocol::ll128:
      threads_by_bytes = 640 * 8;
      break;
    case Protocol::none:
    case Protocol::simple:
    case Protocol::multimem:
      threads_by_bytes = 512 * 64;
      break;
  }
  const std::int64_t traffic_per_byte = collective == Collective::all_reduce ? 2 : 1;
  return std::max(threads_by_bytes, least_traffic / traffic_per_byte);
}

PlanLimits nccl_limits(Collective collective, const std::string& algorithm, Protocol protocol,
                       const RankSpace& space) {
  PlanLimits limits;
  limits.fifo_depth = slots;
  limits.max_slices = 1;
  if (needs_windows(collective, algorithm)) {  // no slots: all at once
    limits.max_chunk_bytes = limits.max_slice_bytes = std::int64_t{1} << 60;
    return limits;
  }
  if (protocol == Protocol::ll) {
    limits.max_chunk_bytes = limits.max_slice_bytes = ll_slot;
  } else if (protocol == Protocol::ll128) {
    limits.max_chunk_bytes = limits.max_slice_bytes = ll128_slot;
  } else if (is_point_to_point(collective)) {
    limits.max_chunk_bytes = limits.max_slice_bytes =
        space.domains() > 1 ? p2p_slot_network : p2p_slot_one_node;
  } else if (ring_pipelined(collective, algorithm, space)) {
    // A chunk is four steps and a slice two of the eight: four slices fit into the FIFO.
    limits.max_chunk_bytes = 4 * simple_slot;
    limits.max_slice_bytes = 2 * simple_slot;
    limits.max_slices = 2;
    limits.fifo_depth = slots / 2;
  } else {
    limits.max_chunk_bytes = limits.max_slice_bytes = simple_slot;
  }
  return limits;
}

}  // namespace

std::string_view to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::none:
      return "none";
    case Protocol::ll:
      return "ll";
    case Protocol::ll128:
      return "ll128";
    case Protocol::simple:
      return "simple";
    case Protocol::multimem:
      return "multimem";
  }
  return "?";
}

Protocol protocol_from_name(std::string_view name) {
  std::vector<std::string> known;
  for (const Protocol protocol : protocols) {
    if (to_string(protocol) == name) return protocol;
    known.emplace_back(to_string(protocol));
  }
  throw UsageError(unknown_name_message("protocol", name, known));
}

Protocol protocol_of_file(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return protocol_from_name(lower);
}

std::vector<Protocol> protocols_of(ExecutorKind executor) {
  if (executor == ExecutorKind::host || executor == ExecutorKind::mpi) return {Protocol::none};
  std::vector known{Protocol::ll, Protocol::ll128, Protocol::simple};
  if (executor == ExecutorKind::peers) known.push_back(Protocol::multimem);
  return known;
}

std::vector<Protocol> protocols_of(ExecutorKind executor, Collective collective) {
  auto known = protocols_of(executor);
  if (executor == ExecutorKind::nccl && is_point_to_point(collective)) {
    std::erase(known, Protocol::ll128);
  }
  return known;
}

std::vector<Protocol> protocols_of(ExecutorKind executor, Collective collective,
                                   const std::string& algorithm) {
  const bool simple_only =
      executor == ExecutorKind::nccl &&
      (through_switches(algorithm) || is_collnet(algorithm) || algorithm == "pat");
  if (simple_only) return {Protocol::simple};
  auto known = protocols_of(executor, collective);
  if (collective != Collective::all_reduce || algorithm != "nvls") {
    std::erase(known, Protocol::multimem);
  }
  if (executor == ExecutorKind::nccl && needs_windows(collective, algorithm)) {
    std::erase(known, Protocol::ll128);
  }
  return known;
}

std::vector<Protocol> usual_protocols(ExecutorKind executor) {
  if (is_interpreter(executor)) return {Protocol::simple};
  return protocols_of(executor);
}

std::vector<Protocol> usual_protocols(ExecutorKind executor, Collective collective,
                                      const std::string& algorithm) {
  if (is_interpreter(executor)) return usual_protocols(executor);
  return protocols_of(executor, collective, algorithm);
}

bool through_switches(const std::string& algorithm) {
  return algorithm == "nvls" || algorithm == "nvls_tree" || algorithm == "nvls_sharp";
}

std::int32_t in_switch_channels(const Topology& topology) {
  const auto generations = generations_of_ranks(topology);
  const bool sm100 =
      std::all_of(generations.begin(), generations.end(), [&topology](const std::string& of) {
        return is_sm100(of.empty() ? topology.gpu().generation : of);
      });
  if (!sm100) return 16;
  return topology.space().domains() == 1 ? 24 : 32;
}

WireFormat wire_format(Protocol protocol) {
  if (protocol == Protocol::ll) return {1, 2};
  if (protocol == Protocol::ll128) return {120, 128};
  return {1, 1};
}

std::int64_t wire_bytes(Protocol protocol, std::int64_t data_bytes) {
  const WireFormat format = wire_format(protocol);
  return (data_bytes * format.wire + format.data - 1) / format.data;
}

std::int64_t line_bytes(Protocol protocol) {
  if (protocol == Protocol::ll) return 8;
  if (protocol == Protocol::ll128) return 1920;
  return 0;
}

std::int64_t interpreter_line_bytes(Protocol protocol) {
  if (protocol == Protocol::ll) return 16;
  if (protocol == Protocol::ll128) return 960;
  return 0;
}

PlanLimits plan_limits(ExecutorKind executor, Collective collective, const std::string& algorithm,
                       Protocol protocol, const RankSpace& space, std::int64_t bytes,
                       std::int32_t channels) {
  PlanLimits limits;
  if (executor == ExecutorKind::nccl) {
    limits = nccl_limits(collective, algorithm, protocol, space);
    const std::int64_t least = least_per_channel(collective, algorithm, protocol, space.size());
    channels = static_cast<std::int32_t>(std::clamp<std::int64_t>(bytes / least, 1, channels));
    if (algorithm == "nvls_sharp" || (algorithm == "nvls" && space.domains() == 1)) {
      limits.max_chunk_bytes = limits.max_slice_bytes = nvls_chunk(space, bytes, channels);
    } else if (algorithm == "nvls_tree") {
      limits.max_chunk_bytes = limits.max_slice_bytes = nvls_tree_chunk(space, bytes, channels);
    } else if (is_collnet(algorithm)) {
      limits.max_chunk_bytes = limits.max_slice_bytes =
          collnet_chunk(algorithm, space, bytes, channels);
    } else if (algorithm == "tree" && protocol == Protocol::ll128) {
      limits.max_chunk_bytes = limits.max_slice_bytes = tree_ll128_chunk(space, bytes, channels);
    } else if (algorithm == "pat") {
      limits.max_chunk_bytes = limits.max_slice_bytes = pat_chunk(collective, bytes, channels);
    }
  }
  limits.channels = channels;
  return limits;
}

PlanLimits file_limits(ExecutorKind executor, Protocol protocol) {
  PlanLimits limits;
  if (executor != ExecutorKind::nccl) return limits;
  limits.fifo_depth = slots;
  limits.max_slices = 1;
  limits.max_chunk_bytes = protocol == Protocol::ll      ? ll_slot
                           : protocol == Protocol::ll128 ? ll128_slot
                                                         : simple_slot;
  limits.max_slice_bytes = limits.max_chunk_bytes;
  return limits;
}

}  // namespace fabricast
