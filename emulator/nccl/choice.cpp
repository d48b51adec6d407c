#include "emulator/nccl/choice.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/nccl/tuner.hpp"

namespace fabricast::nccl {
namespace {

constexpr int max_nvls_ranks = 32;  // heads: all_gather and reduce_scatter need one per rank
constexpr int max_direct_ranks = 8;
constexpr int fp8_ring_ranks = 8;  // longer rings of FP8 sums lose precision
constexpr float fp8_ring_factor = 1024.0F;
constexpr int warp = 32;

bool nvls_reduces(DataType type, Operation operation) {
  const bool extremum = operation == Operation::min || operation == Operation::max;
  if (operation != Operation::sum && !extremum) return false;
  switch (type) {
    case DataType::int32:
    case DataType::uint32:
    case DataType::int64:
    case DataType::uint64:
    case DataType::float16:
    case DataType::bfloat16:
      return true;
    case DataType::float32:
    case DataType::float64:
      return !extremum;
    case DataType::int8:
    case DataType::uint8:
    case DataType::f8e4m3:
    case DataType::f8e5m2:
      break;
  }
  return false;
}

// Why this call cannot take the algorithm although the communicator could; nullptr: it can.
const char* unfit(const Communicator& of, const Request& request, Function function,
                  Algorithm algorithm) {
  const bool nvls = algorithm == Algorithm::nvls || algorithm == Algorithm::nvls_tree;
  if (nvls) {
    if (!of.nvls_supported) return "one rank per node: a multicast needs two GPUs";
    if (function != Function::all_reduce && of.ranks_per_node > max_nvls_ranks) {
      return "more than 32 ranks per node: NVLS has 32 heads";
    }
    if (function != Function::all_gather && !nvls_reduces(request.type, request.operation)) {
      return "the switch does not reduce this type and operation";
    }
  }
  if (algorithm == Algorithm::collnet_direct && of.ranks_per_node > max_direct_ranks) {
    return "more than 8 ranks per node";
  }
  if (algorithm == Algorithm::pat && function == Function::reduce_scatter &&
      (request.operation == Operation::avg || request.operation == Operation::pre_mul_sum)) {
    return "does not scale the result";
  }
  return nullptr;
}

float time_of(const Communicator& of, const Request& request, Function function,
              Algorithm algorithm, Protocol protocol) {
  float time = estimate_us(of, function, algorithm, protocol, request.bytes);
  if (is_fp8(request.type) && algorithm == Algorithm::ring && of.ranks > fp8_ring_ranks) {
    time *= fp8_ring_factor;
  }
  return time;
}

// Channels and threads after the reduction for small sizes.
void set_blocks(const Communicator& of, const Request& request, Choice& choice) {
  const std::size_t a = index_of(choice.algorithm);
  const std::size_t p = index_of(choice.protocol);
  std::int64_t channels = of.total_channels;
  std::int64_t threads = of.max_threads[a][p];
  std::int64_t threshold = of.thread_threshold[a][p];
  const bool nvls = choice.algorithm == Algorithm::nvls || choice.algorithm == Algorithm::nvls_tree;
  if (choice.algorithm == Algorithm::collnet_direct) {
    const std::int64_t heads = of.collnet_direct.channels;
    bool less = true;
    for (std::int64_t at = 16; at >= 1 && less; at /= 2) {
      while ((less = request.bytes < channels * threads * heads * threshold) && channels > at) {
        if (channels == at + at / 2) threshold /= 2;
        --channels;
      }
    }
  } else if (nvls) {
    channels = of.nvls_channels;
  } else {
    while (channels >= 2 && request.bytes < channels * threads * threshold) --channels;
    while (threads > 0 && threads % 128 == 0 && request.bytes < channels * threads * threshold) {
      threads /= 2;
    }
  }
  if (choice.algorithm == Algorithm::ring && choice.protocol == Protocol::simple) threads += warp;
  threads = std::max<std::int64_t>(threads, 3 * warp);
  if (choice.algorithm == Algorithm::tree || choice.algorithm == Algorithm::pat) threads = 640;
  choice.channels = static_cast<int>(channels);
  choice.threads = static_cast<int>(threads);
}

Choice point_to_point(const Communicator& of) {
  Choice choice;
  choice.point_to_point = true;
  choice.channels = of.p2p_channels;
  choice.threads = 640;
  return choice;
}

}  // namespace

Choice choice_of(const Communicator& of, const Request& request, Algorithm algorithm,
                 Protocol protocol) {
  const auto function = function_of(request.collective);
  if (!function) return point_to_point(of);
  Choice choice;
  choice.algorithm = algorithm;
  choice.protocol = protocol;
  if (of.ranks > 1) {
    choice.estimate_us = std::max(0.0F, time_of(of, request, *function, algorithm, protocol));
  }
  set_blocks(of, request, choice);
  return choice;
}

Choice choose(const Communicator& of, const Request& request) {
  const auto function = function_of(request.collective);
  if (!function) return point_to_point(of);
  if (of.ranks == 1) return choice_of(of, request, Algorithm::ring, Protocol::simple);
  float least = 3'600'000'000.0F;
  bool any = false;
  Choice choice;
  for (const auto algorithm : all_algorithms) {
    if (unfit(of, request, *function, algorithm) != nullptr) continue;
    for (const auto protocol : all_protocols) {
      const float time = time_of(of, request, *function, algorithm, protocol);
      if (!(time >= 0 && time < least)) continue;
      least = time;
      any = true;
      choice.algorithm = algorithm;
      choice.protocol = protocol;
    }
  }
  if (!any) {
    throw UsageError(fmt::format(
        "no algorithm and protocol is left for {} (NCCL_ALGO \"{}\", NCCL_PROTO \"{}\"); NCCL "
        "would stop here",
        to_string(*function), of.overrides.algo, of.overrides.proto));
  }
  choice.estimate_us = least;
  set_blocks(of, request, choice);
  return choice;
}

std::vector<Candidate> candidates(const Communicator& of, const Request& request) {
  std::vector<Candidate> list;
  const auto function = function_of(request.collective);
  if (!function) return list;
  for (const auto algorithm : all_algorithms) {
    const char* reason = unfit(of, request, *function, algorithm);
    for (const auto protocol : all_protocols) {
      Candidate candidate{algorithm, protocol, std::nullopt, ""};
      candidate.reason = of.disabled[index_of(*function)][index_of(algorithm)][index_of(protocol)];
      if (candidate.reason.empty() && reason != nullptr) candidate.reason = reason;
      if (candidate.reason.empty() && of.ranks > 1) {
        candidate.time_us = time_of(of, request, *function, algorithm, protocol);
      }
      list.push_back(std::move(candidate));
    }
  }
  return list;
}

}  // namespace fabricast::nccl
