// Priors of the inventory: value, sigma of ln(value), origin, citation, per GPU generation.
//
// NCCL's constants are those of its tuning model (github.com/NVIDIA/nccl, tag v2.28.9-1,
// src/graph/tuning.cc and topo.h): published, and used as priors, never as truth. Values of steps
// are whole hops; cost/prior_profile subtracts the machine's link latencies.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/profile/inventory.hpp"

namespace fabricast {
namespace {

constexpr std::string_view any_gpu = "gpu";  // ampere, hopper and blackwell alike
constexpr auto published = ParameterOrigin::published;
constexpr auto assumed = ParameterOrigin::assumed;

struct PriorRow {
  std::string_view id, generation;
  double value, sigma_ln;
  ParameterOrigin origin;
  std::string_view source;
};

constexpr std::string_view base_latency =
    "NCCL v2.28.9-1 src/graph/tuning.cc, base latency of Ring (the same for every generation)";
constexpr std::string_view ring_nvlink =
    "NCCL v2.28.9-1 src/graph/tuning.cc, NVLINK latency per Ring step: LL 0.6, LL128 1.9, Simple "
    "3.4";
constexpr std::string_view ring_pci =
    "NCCL v2.28.9-1 src/graph/tuning.cc, PCI latency per Ring step, whole hop";
constexpr std::string_view ring_net =
    "NCCL v2.28.9-1 src/graph/tuning.cc, NET latency per Ring step, whole hop";
constexpr std::string_view implied =
    "whole hop implied by small 8-GPU all_reduce in NVIDIA aiconfigurator @095f58a (nccl_perf): ";
constexpr std::string_view channel_cap =
    "NCCL v2.28.9-1 src/graph/tuning.cc, Ring LL128 cap per channel on one node";
constexpr std::string_view ll_cap =
    "NCCL v2.28.9-1 src/graph/tuning.cc, LL bus cap on one node, twice that on the wire, over the "
    "usable rate of topo.h: ";
constexpr std::string_view nvlink_rate =
    "NCCL v2.28.9-1 src/graph/topo.h, rate per NVLink over nominal: ";
constexpr std::string_view nvls_efficiency =
    "NCCL v2.28.9-1 src/graph/tuning.cc, NVLS efficiency of the link";
constexpr std::string_view no_interpreter =
    "no published figure for this project's interpreter; order of magnitude of ";
constexpr std::string_view nccl_hop_nvlink =
    "NCCL's whole hop over NVLink, another program's (v2.28.9-1 src/graph/tuning.cc, Ring: LL 0.6, "
    "LL128 1.9, Simple 3.4)";
constexpr std::string_view nccl_hop_pcie =
    "NCCL's whole hop over PCIe, another program's (v2.28.9-1 src/graph/tuning.cc, Ring: LL 1.0, "
    "Simple 5.7)";
constexpr std::string_view ring_ll128_cap =
    "NCCL's cap of one channel, which it has under Ring LL128 (one node)";
constexpr std::string_view ring_ll128_cap_blackwell =
    "NCCL's cap of one channel, which it has under Ring LL128 (one node; 2.25 to 2.28.9, 40 since)";
constexpr std::string_view lines_at_the_cap =
    "LL128's, NCCL's cap of one channel: as many bytes of lines under way, and no cap of LL's own";
constexpr std::string_view two_fences = "two fences, each a round trip over the link";
constexpr std::string_view any_host = "order of magnitude for a current server core; measure it";

// clang-format off
constexpr std::array rows{
    PriorRow{"launch.ll", any_gpu, 6.6, 0.25, published, base_latency},
    PriorRow{"launch.ll128", any_gpu, 14.0, 0.25, published, base_latency},
    PriorRow{"launch.simple", any_gpu, 8.4, 0.25, published, base_latency},
    PriorRow{"nvlink.step.ll", "ampere", 1.20, 0.20, published, "(22.6 - 6.6) us / 14 steps"},
    PriorRow{"nvlink.step.ll", "hopper", 0.64, 0.20, published, "(15.6 - 6.6) us / 14 steps"},
    PriorRow{"nvlink.step.ll", "blackwell", 1.33, 0.20, published, "(25.1 - 6.6) us / 14 steps"},
    PriorRow{"nvlink.step_ratio.ll128", any_gpu, 1.9 / 0.6, 0.30, published, ring_nvlink},
    PriorRow{"nvlink.step_ratio.simple", any_gpu, 3.4 / 0.6, 0.30, published, ring_nvlink},
    PriorRow{"pcie.step.ll", any_gpu, 1.0, 0.35, published, ring_pci},
    PriorRow{"pcie.step.ll128", any_gpu, 2.5, 0.35, published, ring_pci},
    PriorRow{"pcie.step.simple", any_gpu, 5.7, 0.35, published, ring_pci},
    PriorRow{"net.step.ll", any_gpu, 2.7, 0.40, published, ring_net},
    PriorRow{"net.step.ll128", any_gpu, 4.0, 0.40, published, ring_net},
    PriorRow{"net.step.simple", any_gpu, 14.0, 0.40, published, ring_net},
    PriorRow{"cta.copy_bw", "ampere", 20.0, 0.25, published, channel_cap},
    PriorRow{"cta.copy_bw", "hopper", 36.7, 0.25, published, channel_cap},
    PriorRow{"cta.copy_bw", "blackwell", 73.4, 0.25, published, channel_cap},
    PriorRow{"nvlink.efficiency", "ampere", 20.0 / 25.0, 0.05, published, "20.0 of 25 GB/s"},
    PriorRow{"nvlink.efficiency", "hopper", 20.6 / 25.0, 0.05, published, "20.6 of 25 GB/s"},
    PriorRow{"nvlink.efficiency", "blackwell", 40.1 / 50.0, 0.05, published, "40.1 of 50 GB/s"},
    PriorRow{"nvlink.efficiency_ratio.ll", "ampere", 2 * 87.7 / 240.0, 0.25, published, "2 x 87.7 / 240"},
    PriorRow{"nvlink.efficiency_ratio.ll", "hopper", 2 * 141.0 / 370.8, 0.25, published, "2 x 141 / 370.8"},
    PriorRow{"nvlink.efficiency_ratio.ll", "blackwell", 2 * 282.0 / 721.8, 0.25, published, "2 x 282 / 721.8"},
    PriorRow{"nvlink.efficiency_ratio.nvls", "hopper", 0.85, 0.10, published, nvls_efficiency},
    PriorRow{"nvlink.efficiency_ratio.nvls", "blackwell", 0.74, 0.10, published, nvls_efficiency},
    PriorRow{"nvlink.efficiency_ratio.nvls", any_gpu, 0.74, 0.30, assumed, "as on Blackwell"},
    PriorRow{"pcie.efficiency", any_gpu, 0.75, 0.10, published,
             "NCCL v2.28.9-1 src/graph/topo.cc: 24 of 32 GB/s for Gen4 x16"},
    PriorRow{"nic.efficiency", any_gpu, 0.93, 0.08, published,
             "0.90 (DeepEP, 45 of 50 GB/s) to 0.96 (arXiv:2605.04333) point to point"},
    PriorRow{"leaf_uplink.efficiency", any_gpu, 0.92, 0.15, published,
             "arXiv:2605.04333: 92 of 100 GB/s in NCCL on a sprayed fabric; plain ECMP is far lower"},
    PriorRow{"spine_uplink.efficiency", any_gpu, 0.92, 0.15, published,
             "arXiv:2605.04333: 92 of 100 GB/s in NCCL on a sprayed fabric; plain ECMP is far lower"},
    PriorRow{"cuda.launch", any_gpu, 10.0, 0.70, assumed, "a cooperative kernel launch"},
    PriorRow{"cuda.handoff.ll", any_gpu, 1.0, 0.70, assumed, "one trip through the L2 cache and the lines' own loads"},
    PriorRow{"cuda.handoff.ll128", any_gpu, 1.3, 0.70, assumed, "one trip through the L2 cache and the lines' own loads"},
    PriorRow{"cuda.handoff.simple", any_gpu, 2.5, 0.70, assumed,
             "three trips through the L2 cache and a fence"},
    PriorRow{"cuda.cta_copy_bw", "ampere", 20.0, 0.70, assumed, "NCCL's cap of one channel"},
    PriorRow{"cuda.cta_copy_bw", "hopper", 36.7, 0.70, assumed, "NCCL's cap of one channel"},
    PriorRow{"cuda.cta_copy_bw", "blackwell", 73.4, 0.70, assumed, "NCCL's cap of one channel"},
    PriorRow{"cuda.cta_hbm_ratio", any_gpu, 0.6, 0.40, assumed, "L2's latency over HBM's"},
    PriorRow{"cuda.reduce_ratio", any_gpu, 1.5, 0.40, assumed, "three memory streams against two"},
    PriorRow{"cuda.l2_bw", "ampere", 3600, 0.50, assumed, "twice HBM's rate"},
    PriorRow{"cuda.l2_bw", "hopper", 6000, 0.50, assumed, "twice HBM's rate"},
    PriorRow{"cuda.l2_bw", "blackwell", 14000, 0.50, assumed, "twice HBM's rate"},
    PriorRow{"cuda.hbm_bw", "ampere", 1800, 0.30, assumed, "0.9 of HBM's 2.0 TB/s"},
    PriorRow{"cuda.hbm_bw", "hopper", 3000, 0.30, assumed, "0.9 of HBM's 3.35 TB/s"},
    PriorRow{"cuda.hbm_bw", "blackwell", 7200, 0.30, assumed, "0.9 of HBM's 8 TB/s"},
    PriorRow{"cuda.l2_size", "ampere", 40, 0.50, assumed, "the data sheet's 40 MB"},
    PriorRow{"cuda.l2_size", "hopper", 50, 0.50, assumed, "the data sheet's 50 MB"},
    PriorRow{"cuda.l2_size", "blackwell", 126, 0.50, assumed, "the 126 MB that the driver reports"},
    PriorRow{"cuda.pcie_efficiency", any_gpu, 0.85, 0.20, assumed, "long writes with 256-byte payloads"},
    PriorRow{"cuda.line_ratio.ll", any_gpu, 0.5, 0.50, assumed, "two 16-byte pieces per thread under way, a copy has four"},
    PriorRow{"cuda.line_ratio.ll128", any_gpu, 0.5, 0.50, assumed, "two 16-byte pieces per thread under way, a copy has four"},
    PriorRow{"cuda.await_ratio.ll", any_gpu, 0.5, 0.50, assumed, "one memory stream against two"},
    PriorRow{"cuda.await_ratio.ll128", any_gpu, 0.5, 0.50, assumed, "one memory stream against two"},
    PriorRow{"cuda.order.ll", any_gpu, 1.0, 0.70, assumed, "two fences, each a trip through the L2 cache"},
    PriorRow{"cuda.order.ll128", any_gpu, 1.0, 0.70, assumed, "two fences, each a trip through the L2 cache"},
    PriorRow{"peer.launch", any_gpu, 15.0, 0.70, assumed, "a cooperative launch and the skew of processes"},
    PriorRow{"peer.nvlink.handoff.ll", any_gpu, 0.6, 0.70, assumed, nccl_hop_nvlink},
    PriorRow{"peer.nvlink.handoff.ll128", any_gpu, 1.9, 0.70, assumed, nccl_hop_nvlink},
    PriorRow{"peer.nvlink.handoff.simple", any_gpu, 3.4, 0.70, assumed, nccl_hop_nvlink},
    PriorRow{"peer.pcie.handoff.ll", any_gpu, 1.0, 0.70, assumed, nccl_hop_pcie},
    PriorRow{"peer.pcie.handoff.simple", any_gpu, 5.7, 0.70, assumed, nccl_hop_pcie},
    PriorRow{"peer.nvlink.cta_bw.ll", "ampere", 20.0, 0.70, assumed, lines_at_the_cap},
    PriorRow{"peer.nvlink.cta_bw.ll", "hopper", 36.7, 0.70, assumed, lines_at_the_cap},
    PriorRow{"peer.nvlink.cta_bw.ll", "blackwell", 73.4, 0.70, assumed, lines_at_the_cap},
    PriorRow{"peer.nvlink.cta_bw.ll128", "ampere", 20.0, 0.70, assumed, ring_ll128_cap},
    PriorRow{"peer.nvlink.cta_bw.ll128", "hopper", 36.7, 0.70, assumed, ring_ll128_cap},
    PriorRow{"peer.nvlink.cta_bw.ll128", "blackwell", 73.4, 0.70, assumed, ring_ll128_cap_blackwell},
    PriorRow{"peer.nvlink.cta_bw.simple", "ampere", 20.0, 0.70, assumed, ring_ll128_cap},
    PriorRow{"peer.nvlink.cta_bw.simple", "hopper", 36.7, 0.70, assumed, ring_ll128_cap},
    PriorRow{"peer.nvlink.cta_bw.simple", "blackwell", 73.4, 0.70, assumed, ring_ll128_cap_blackwell},
    PriorRow{"peer.pcie.cta_bw.ll", any_gpu, 10.0, 0.70, assumed, "half of what Simple's long writes reach"},
    PriorRow{"peer.pcie.cta_bw.simple", any_gpu, 20.0, 0.70, assumed, "most of a Gen4 x16 slot by one CTA"},
    PriorRow{"peer.nvlink.efficiency.ll", any_gpu, 0.6, 0.30, assumed,
             "NCCL's usable rate and what its LL reaches of it: 0.8 x 0.75"},
    PriorRow{"peer.nvlink.efficiency.ll128", any_gpu, 0.8, 0.15, assumed, "NCCL's usable rate: 20.0 to 20.6 of 25 GB/s"},
    PriorRow{"peer.nvlink.efficiency.simple", any_gpu, 0.8, 0.15, assumed, "NCCL's usable rate: 20.0 to 20.6 of 25 GB/s"},
    PriorRow{"peer.pcie.efficiency.ll", any_gpu, 0.4, 0.50, assumed, "writes of 16 bytes with headers of 24 each"},
    PriorRow{"peer.pcie.efficiency.simple", any_gpu, 0.75, 0.20, assumed, "NCCL's figure for Gen4 x16: 24 of 32 GB/s"},
    PriorRow{"peer.nvlink.await_ratio.ll", any_gpu, 0.3, 0.70, assumed, "one stream of the own memory against one over a link"},
    PriorRow{"peer.nvlink.await_ratio.ll128", any_gpu, 0.3, 0.70, assumed, "one stream of the own memory against one over a link"},
    PriorRow{"peer.pcie.await_ratio.ll", any_gpu, 0.3, 0.70, assumed, "one stream of the own memory against one over a link"},
    PriorRow{"peer.nvlink.reduce_ratio", any_gpu, 1.3, 0.40, assumed, "one more stream of the own memory"},
    PriorRow{"peer.pcie.reduce_ratio", any_gpu, 1.1, 0.40, assumed, "one more stream of the own memory, beside a slower link"},
    PriorRow{"peer.nvlink.order.ll", any_gpu, 2.0, 0.70, assumed, two_fences},
    PriorRow{"peer.nvlink.order.ll128", any_gpu, 2.0, 0.70, assumed, two_fences},
    PriorRow{"peer.pcie.order.ll", any_gpu, 3.0, 0.70, assumed, two_fences},
    PriorRow{"peer.meeting.multimem", any_gpu, 1.5, 0.70, assumed, "a store to all GPUs and the look at one's own counter"},
    PriorRow{"peer.nvlink.cta_bw.multimem", any_gpu, 20.0, 0.70, assumed,
             "32 KiB under way in a CTA for a trip of 1.5 us through the switch"},
    PriorRow{"peer.nvlink.efficiency.multimem", any_gpu, 0.65, 0.25, assumed,
             "NCCL's usable rate x its NVLS efficiency: 0.82 x 0.85 (Hopper), 0.80 x 0.74 (Blackwell)"},
    PriorRow{"host.launch", "host", 5.0, 1.0, assumed, any_host},
    PriorRow{"host.step", "host", 0.5, 1.0, assumed, any_host},
    PriorRow{"host.copy_bw.cache", "host", 12.0, 0.70, assumed, any_host},
    PriorRow{"host.copy_bw.memory", "host", 5.0, 0.70, assumed, any_host},
    PriorRow{"host.cache_size", "host", 32.0, 0.70, assumed, any_host},
    PriorRow{"host.reduce_ratio", "host", 1.5, 0.40, assumed, "three memory streams against two"},
    PriorRow{"mpi.launch", "host", 2.0, 1.0, assumed, any_host},
    PriorRow{"mpi.step.eager", "host", 0.4, 0.70, assumed,
             "0.11 to 0.54 us half round trips up to 4 KiB, Open MPI 4.1.4 vader on one EPYC machine"},
    PriorRow{"mpi.step.rendezvous", "host", 2.0, 0.70, assumed,
             "2 us half round trip at 4 KiB to 64 KiB, Open MPI 4.1.4 vader on one EPYC machine"},
    PriorRow{"mpi.copy_bw", "host", 6.0, 0.70, assumed,
             "5.9 GB/s beyond the caches, Open MPI 4.1.4 vader on one EPYC machine"},
    PriorRow{"mpi.reduce_ratio", "host", 1.5, 0.40, assumed, "three memory streams against two"},
};
// clang-format on

// Citations that several rows share are written once above and completed here.
std::string source_of(const PriorRow& row) {
  const auto with = [&row](std::string_view lead) { return fmt::format("{}{}", lead, row.source); };
  if (row.id == "nvlink.step.ll") return with(implied);
  if (row.id == "nvlink.efficiency_ratio.ll") return with(ll_cap);
  if (row.id == "nvlink.efficiency") return with(nvlink_rate);
  if (row.id.starts_with("cuda.") || row.id.starts_with("peer.")) return with(no_interpreter);
  return std::string(row.source);
}

}  // namespace

const std::vector<std::string>& parameter_generations() {
  static const std::vector<std::string> names{"ampere", "hopper", "blackwell", "host"};
  return names;
}

namespace {

struct Kinship {
  std::string_view generation, nearest;
};
// Generations without figures of their own, and whose stand in.
constexpr std::array kin{Kinship{"volta", "ampere"}, Kinship{"turing", "ampere"},
                         Kinship{"ada", "ampere"}, Kinship{"rubin", "blackwell"},
                         Kinship{"other", "hopper"}};
// What a borrowed figure is less certain by.
constexpr double kinship_sigma_ln = 0.3;

const PriorRow* find_row(const std::string& id, std::string_view generation) {
  for (const PriorRow& row : rows) {
    const bool applies =
        row.generation == generation || (row.generation == any_gpu && generation != "host");
    if (row.id == id && applies) return &row;
  }
  return nullptr;
}

}  // namespace

Prior prior_of(const ParameterSpec& spec, const std::string& generation) {
  FABRICAST_EXPECT(!spec.of_machine, "the machine file is the prior of its own figures");
  const auto borrowed = std::find_if(kin.begin(), kin.end(), [&generation](const Kinship& k) {
    return k.generation == generation;
  });
  const auto& known = parameter_generations();
  if (borrowed == kin.end() && std::find(known.begin(), known.end(), generation) == known.end()) {
    throw UsageError(unknown_name_message("GPU generation", generation, known));
  }
  if (const PriorRow* row = find_row(spec.id, generation)) {
    return {row->value, row->sigma_ln, row->origin, source_of(*row)};
  }
  if (borrowed != kin.end()) {
    if (const PriorRow* row = find_row(spec.id, borrowed->nearest)) {
      return {row->value, std::hypot(row->sigma_ln, kinship_sigma_ln), assumed,
              fmt::format("no figure for {}: as on {}: {}", generation, borrowed->nearest,
                          source_of(*row))};
    }
  }
  throw UsageError(
      fmt::format("parameter {} has no prior for generation \"{}\" (executor {} does "
                  "not run there) choose another executor or machine",
                  spec.id, generation, to_string(spec.executor)));
}

}  // namespace fabricast
