#include "emulator/nccl/symmetric.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include <fmt/format.h>

#include "emulator/base/contracts.hpp"
#include "emulator/base/scaled_number.hpp"
#include "emulator/schedule/collective.hpp"

namespace fabricast::nccl {
namespace {

constexpr double gib_per_second = (1 << 30) / 1e6;  // bytes/us
constexpr int most_blocks = 64;
constexpr double ll_bytes = 9;  // on the bus for each of the data: flags, and no unrolling
constexpr std::int64_t gib = std::int64_t{1} << 30;

enum class Access : std::uint8_t { ll, ll_multicast, direct, multicast };

struct Kernel {
  std::string_view name;
  Access access;
};
constexpr Kernel all_reduce_kernels[]{{"AGxLL_R", Access::ll},
                                      {"AGxLLMC_R", Access::ll_multicast},
                                      {"RSxLD_AGxST", Access::direct},
                                      {"RSxLDMC_AGxSTMC", Access::multicast}};
constexpr Kernel all_gather_kernels[]{{"LL", Access::ll},
                                      {"LLMC", Access::ll_multicast},
                                      {"ST", Access::direct},
                                      {"STMC", Access::multicast}};
constexpr Kernel reduce_scatter_kernels[]{
    {"LL", Access::ll}, {"LD", Access::direct}, {"LDMC", Access::multicast}};

std::span<const Kernel> kernels_of(Collective collective) {
  switch (collective) {
    case Collective::all_reduce:
      return all_reduce_kernels;
    case Collective::all_gather:
      return all_gather_kernels;
    case Collective::reduce_scatter:
      return reduce_scatter_kernels;
    default:
      return {};
  }
}

bool is_ll(Access access) { return access == Access::ll || access == Access::ll_multicast; }

// What the kernel does on the bus, in NCCL's words: bytes, and how many times what a block moves
// counts.
struct BusLoad {
  double bytes = 0;
  double multiplier = 1;
};

BusLoad load_of(Collective collective, Access access, double ranks, double bytes) {
  const bool all_reduce = collective == Collective::all_reduce;
  const double own = all_reduce ? bytes : bytes / ranks;
  switch (access) {
    case Access::ll:
      return {ll_bytes * ranks * own, 1};
    case Access::ll_multicast:
      return {ll_bytes * ranks * own, 1.1};
    case Access::direct:
      return {(all_reduce ? 2 / ranks : 1) * (ranks - 1) * own, 1};
    case Access::multicast:
      break;
  }
  if (all_reduce) return {own / ranks + own, ranks};
  return {(ranks - 1) * own, .55 * ranks};
}

// A smooth minimum of x and a ceiling.
double softmin(double x, double ceiling, double softness) {
  const double e = (std::exp(ceiling / softness) - 1) * std::exp(-x / softness);
  return ceiling - softness * std::log1p(e);
}

// A smooth maximum of 0 and x.
double softplus(double x) { return x >= 100 ? x : std::log1p(std::exp(x)); }

struct Constants {
  double latency_us, block_rate, peak_rate;  // bytes/us
};

Constants constants_of(int capability, Collective collective, Access access) {
  const bool all_reduce = collective == Collective::all_reduce;
  const bool in_switch = all_reduce && access == Access::multicast;
  if (capability < 100) {
    return {is_ll(access) ? 4.5 : 7.8, (all_reduce ? 65 : 44) * gib_per_second,
            (in_switch ? 480 : 320) * gib_per_second};
  }
  const double ll = collective == Collective::all_gather ? 8.5 : 11;
  return {is_ll(access) ? ll
          : all_reduce  ? 19.5
                        : 13.0,
          55 * gib_per_second, (in_switch ? 1000 : 600) * gib_per_second};
}

double time_of(const BusLoad& load, const Constants& constants, int blocks) {
  const double rate = softmin(blocks * constants.block_rate * load.multiplier, constants.peak_rate,
                              constants.block_rate);
  return constants.latency_us + softplus(load.bytes / rate - 1);
}

// NCCL_MIN_CTAS and NCCL_MAX_CTAS bound these kernels, NCCL_MIN_NCHANNELS does not.
int bound(const Communicator& of, const char* name, int otherwise) {
  const auto found = of.overrides.set.find(name);
  if (found == of.overrides.set.end()) return otherwise;
  return static_cast<int>(parse_integer(found->second));  // assign() has looked at it
}

void estimate(SymmetricCandidate& candidate, const Communicator& of, const Request& request,
              Access access) {
  const BusLoad load =
      load_of(request.collective, access, of.ranks, static_cast<double>(request.bytes));
  const Constants constants = constants_of(of.max_capability, request.collective, access);
  int most = most_blocks;
  if (access == Access::multicast) {
    const int in_all = of.max_capability < 100 ? 16 : 32;
    most = (in_all + of.ranks - 1) / of.ranks;
  }
  most = std::min(most, bound(of, "NCCL_MAX_CTAS", most_blocks));
  candidate.blocks = most;
  const double best = time_of(load, constants, most);
  candidate.time_us = best;
  for (int blocks = bound(of, "NCCL_MIN_CTAS", 1); blocks < most; ++blocks) {
    const double time = time_of(load, constants, blocks);
    if (time > 1.025 * best) continue;
    candidate.blocks = blocks;
    candidate.time_us = time;
    return;
  }
}

std::string why_not(const Communicator& of, const Request& request, Access access) {
  if (is_ll(access) && request.bytes >= 2 * gib) return "LL counts up to 2 GiB";
  if (access != Access::ll_multicast && access != Access::multicast) return "";
  if (!of.nvls_supported) return "needs NVSwitch multicast (SM90 or newer, more than two GPUs)";
  // Multicast reduces as NVLS does.
  const bool loads = access == Access::multicast && request.collective != Collective::all_gather;
  if (loads && is_fp8(request.type) && of.min_capability < 100) {
    return "the switch adds fp8 for SM100 and newer";
  }
  return "";
}

}  // namespace

std::string no_symmetric_kernel(const Communicator& of, const Request& request) {
  if (of.version < first_symmetric) return "they came with NCCL 2.27";
  if (kernels_of(request.collective).empty()) {
    return "there are kernels for all_reduce, all_gather and reduce_scatter";
  }
  if (of.nodes > 1) return fmt::format("the ranks are in {} NVLink domains", of.nodes);
  if (of.ranks < 2) return "one rank has nobody to talk to";
  if (!of.all_direct_nvlink) return "not every pair of GPUs has NVLink without a GPU between";
  if (request.collective != Collective::all_gather) {
    if (request.operation != Operation::sum) return "they add only";
    const bool adds = request.type == DataType::float32 || request.type == DataType::float16 ||
                      request.type == DataType::bfloat16 || is_fp8(request.type);
    if (!adds) return "they add float, half, bfloat16 and fp8 only";
  }
  if (request.bytes >= 64 * gib) return "they count up to 64 GiB";
  return "";
}

std::vector<SymmetricCandidate> symmetric_candidates(const Communicator& of,
                                                     const Request& request) {
  std::vector<SymmetricCandidate> all;
  const std::string none = no_symmetric_kernel(of, request);
  for (const Kernel& kernel : kernels_of(request.collective)) {
    SymmetricCandidate& candidate = all.emplace_back();
    candidate.kernel = kernel.name;
    candidate.reason = none.empty() ? why_not(of, request, kernel.access) : none;
    if (candidate.reason.empty()) estimate(candidate, of, request, kernel.access);
  }
  return all;
}

SymmetricCandidate choose_symmetric(const Communicator& of, const Request& request) {
  constexpr double of_a_block = .025;
  std::optional<SymmetricCandidate> best;
  const auto cost = [](const SymmetricCandidate& candidate) {
    return *candidate.time_us * (1 + of_a_block * candidate.blocks);
  };
  for (auto& candidate : symmetric_candidates(of, request)) {
    if (candidate.time_us && (!best || cost(candidate) < cost(*best))) best = candidate;
  }
  FABRICAST_EXPECT(best.has_value(), "no_symmetric_kernel() was asked first");
  return *best;
}

}  // namespace fabricast::nccl
