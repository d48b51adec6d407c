// The table of mechanisms and their priors. Values: NCCL v2.28.9-1 src/graph/tuning.cc and topo.h
// where a source says "tuner"; σ of ln(value) are judgement, as in docs/calibration.md.
#include "emulator/nccl/time_mechanism.hpp"

namespace fabricast {
namespace {

using enum MechanismScope;

constexpr std::array<MechanismSpec, mechanism_count> specs{{
    {"launch", "us", generation, 0.2, 0.2, 0.2,
     "what a host needs to enqueue one call on one GPU; hidden while the device works on the call "
     "before",
     "tuner, base of Ring LL"},
    {"kernel_start", "us", generation, 0.2, 0.2, 0.25, "start and end of a kernel on the device",
     "2 to 5 us a launch (uccl-project/uccl p2p-design.md); Blackwell: bases of sym_kernels.cc, "
     "SM100 over SM90"},
    {"graph_launch_ratio", "1", generation, 0.2, 0.1, 0.1, "the same in a CUDA graph, over eager",
     "11.8 us against 22.5 us on 4 H100 (waynehacking8/nccl-collectives-bench, quiet)"},
    {"launch_sharing", "1", generation, 0.1, 0.05, 0.8,
     "calls that are enqueued in a row: (GPUs of the host)^x, x = 1: one process, 0: one per GPU",
     "README of nccl-tests: one process on one host, one per GPU with MPI, and where a batch "
     "system or a framework starts it; the rest assumed"},
    {"link_hop_ll", "us", link, 0.3, 0.3, 0.15, "one LL hand-off inside a node",
     "tuner, NVLINK and PCI"},
    {"link_hop_ratio_ll128", "1", link, 0.3, 0.2, 0.1, "LL128 hand-off over LL's", "tuner"},
    {"link_hop_ratio_simple", "1", link, 0.3, 0.2, 0.1, "Simple hand-off over LL's", "tuner"},
    {"net_hop_ll", "us", network, 0.3, 0.4, 0.35, "one LL message between nodes",
     "tuner, NET, ring"},
    {"net_hop_ratio_ll128", "1", network, 0.3, 0.2, 0.1, "LL128 message over LL's", "tuner"},
    {"net_hop_ratio_simple", "1", network, 0.3, 0.3, 0.2, "Simple message over LL's", "tuner"},
    {"tree_net_hop", "1", network, 0.2, 0.2, 0.15,
     "LL and LL128 message of a tree, whose blocks reduce and broadcast side by side, over a "
     "ring's",
     "tuner, NET: 5.0 over 2.7, LL128 8.5 over 4.0, Simple the same"},
    {"net_message", "us", network, 0.5, 0.5, 0.3, "each message of a NIC's proxy",
     "tuner, network overhead: 1 us, AMD hosts 2 us"},
    {"net_rendezvous", "us", network, 0.7, 1.0, 0.5, "what a message beyond the eager size adds",
     "assumed: RDMA into announced buffers needs none; Slingshot's library asks first"},
    {"net_eager_bytes", "KiB", network, 0.5, 0.5, 0.5, "largest eager message on the wire",
     "assumed"},
    {"net_ll_check", "us/KiB", network, 0.4, 0.5, 0.4,
     "the proxy reads every line of an LL message before it sends",
     "tuner, LL cap of 20.4 GB/s over 16 channels, twice that on the wire"},
    {"link_efficiency", "1", link, 0.05, 0.1, 0.03, "usable part of a GPU's links",
     "topo.h, GB/s per link over nominal; PCIe: topo.cc"},
    {"channel_gbps", "GB/s", generation, 0.2, 0.15, 0.1, "bytes one channel moves",
     "tuner, LL128 cap of a search channel, which are two after doubling; Blackwell: v2.30.7-1, "
     "which no longer has twice Hopper's"},
    {"ll_efficiency", "1", generation, 0.3, 0.2, 0.1, "data rate under LL over Simple's",
     "tuner, LL caps on one node"},
    {"ll128_efficiency", "1", generation, 0.1, 0.1, 0.05, "data rate under LL128 over Simple's",
     "tuner"},
    {"tree_efficiency", "1", generation, 0.2, 0.15, 0.1,
     "link rate of the tree's chain over the ring's", "tuner"},
    {"nvls_latency", "us", generation, 0.3, 0.2, 0.15, "in-switch reduction beyond the start",
     "tuner, NVLS 25 us less the start"},
    {"nvls_efficiency", "1", generation, 0.05, 0.05, 0.03,
     "all_reduce rate through the switch over nominal", "tuner, graph of the search"},
    {"nvls_fill", "1", generation, 0.3, 0.3, 0.15,
     "loops over all heads that fill scatter, reduce and gather",
     "two further stages: NCCL v2.28.9-1 src/device/all_reduce.h"},
    {"nvls_loop", "us", generation, 0.3, 0.2, 0.1,
     "what each loop over all heads waits beyond its bytes", "a Simple hand-off (tuner, NVLINK)"},
    {"nic_efficiency", "1", network, 0.05, 0.15, 0.1, "usable part of the NICs",
     "0.90 (DeepEP) to 0.96 (arXiv:2605.04333) point to point; TCPX: assumed"},
    {"collnet_efficiency", "1", network, 0.2, 0.1, 0.1, "the same when switches reduce",
     "tuner, CollNetDirect"},
    {"net_scale_loss", "1", network, 0.3, 0.7, 0.5, "NIC rate falls as (nodes/2)^-x, rings",
     "assumed"},
    {"tree_scale_loss", "1", network, 0.3, 0.8, 0.3,
     "the same of trees, whose edges cross the whole network", "assumed"},
    {"ramp_bytes", "MiB", generation, 0.7, 0.5, 0.3,
     "size at which links reach half their rate, as a square root", "assumed"},
    {"net_ramp_bytes", "MiB", network, 0.7, 0.5, 0.3, "the same of NICs", "assumed"},
    {"p2p_link_efficiency", "1", link, 0.1, 0.1, 0.05, "links of send-receive over the ring's",
     "assumed"},
    {"p2p_link_message", "us", generation, 0.3, 0.4, 0.3, "each further peer inside the node",
     "assumed: a Simple hand-off shared by 8 peers at a time"},
    {"p2p_net_efficiency", "1", network, 0.05, 0.3, 0.2, "NICs of send-receive over the ring's",
     "assumed"},
    {"p2p_net_channel", "GB/s", network, 0.4, 0.3, 0.2,
     "bytes one channel sends to one peer beyond the node",
     "nccl issue 2409: 128 KiB in 10 to 12 us a step, at least one such in flight"},
    {"p2p_scale_loss", "1", network, 0.5, 0.5, 0.3, "NIC rate falls as (nodes/2)^-x, all to all",
     "assumed"},
    {"symmetric_latency", "us", generation, 0.3, 0.2, 0.2, "symmetric kernel beyond the start",
     "sym_kernels.cc, base of LL kernels"},
}};

// By generation: volta, ampere, ada, hopper, blackwell, cdna.
using ByGeneration = std::array<double, 6>;

double of(const ByGeneration& values, TimeGeneration generation) {
  return values.at(static_cast<std::size_t>(generation));
}

double link_efficiency_prior(const TimeShape& shape) {
  // topo.h: 20 of 25 GB/s (volta, ampere), 20.6 of 25, 40.1 of 50; topo.cc: 24 of 32 of PCIe.
  constexpr ByGeneration nvlink{0.8, 0.8, 0.8, 0.824, 0.802, 0.7};
  if (shape.link == TimeLink::pcie) return 0.75;
  if (shape.link == TimeLink::pcie_host) return 0.375;  // every byte crosses the host twice
  return of(nvlink, shape.generation);
}

double nic_efficiency_prior(const TimeShape& shape) {
  switch (shape.network) {
    case TimeNetwork::tcpx:
    case TimeNetwork::tcpxo:
      return 0.8;
    case TimeNetwork::efa:
      return 0.85;
    default:
      return 0.93;
  }
}

double net_hop_prior(const TimeShape& shape) {
  switch (shape.network) {
    // TCPX: kernel TCP and helper threads, TCPXO without the kernel: assumed. EFA: aws-ofi-nccl
    // src/platform-aws.c tells NCCL 75 us, of a Simple message.
    case TimeNetwork::tcpx:
      return 20;
    case TimeNetwork::tcpxo:
      return 7;
    case TimeNetwork::efa:
      return 10;
    default:
      return 2.7;
  }
}

}  // namespace

const MechanismSpec& mechanism_spec(Mechanism mechanism) { return specs.at(index_of(mechanism)); }

MechanismValues mechanism_priors(const TimeShape& shape) {
  const bool pcie = shape.link == TimeLink::pcie || shape.link == TimeLink::pcie_host;
  MechanismValues values{};
  const auto set = [&](Mechanism mechanism, double value) {
    values.at(index_of(mechanism)) = value;
  };
  set(Mechanism::launch, 6.6);
  set(Mechanism::kernel_start, of({3.5, 3.5, 3.5, 3.5, 8.5, 3.5}, shape.generation));
  set(Mechanism::graph_launch_ratio, 0.55);
  const bool one_process = shape.ranks == shape.host_ranks && !shape.process_per_gpu;
  set(Mechanism::launch_sharing, one_process ? 1.0 : 0.2);
  set(Mechanism::link_hop_ll, pcie ? 1.0 : of({0.9, 1.0, 1.0, 0.64, 1.0, 1.2}, shape.generation));
  set(Mechanism::link_hop_ratio_ll128, pcie ? 2.5 : 3.17);
  set(Mechanism::link_hop_ratio_simple, 5.67);
  set(Mechanism::net_hop_ll, net_hop_prior(shape));
  set(Mechanism::net_hop_ratio_ll128, 1.48);
  set(Mechanism::net_hop_ratio_simple, 5.2);
  set(Mechanism::tree_net_hop, 1.9);
  set(Mechanism::net_message, shape.software_matching ? 5.0 : 1.0);
  set(Mechanism::net_rendezvous, shape.network == TimeNetwork::slingshot ? 8 : 0.5);
  set(Mechanism::net_eager_bytes, 8);
  set(Mechanism::net_ll_check, 0.4);
  set(Mechanism::link_efficiency, link_efficiency_prior(shape));
  set(Mechanism::channel_gbps, of({10, 10, 10, 18.35, 20, 20}, shape.generation));
  set(Mechanism::ll_efficiency, 0.38);
  set(Mechanism::ll128_efficiency, 0.92);
  set(Mechanism::tree_efficiency, 0.85);
  set(Mechanism::nvls_latency, 21.5);
  set(Mechanism::nvls_efficiency, of({0.6, 0.6, 0.6, 0.604, 0.526, 0.6}, shape.generation));
  set(Mechanism::nvls_fill, 2);
  set(Mechanism::nvls_loop, of({5.1, 5.7, 5.7, 3.6, 5.7, 6.8}, shape.generation));
  set(Mechanism::nic_efficiency, nic_efficiency_prior(shape));
  set(Mechanism::collnet_efficiency, 0.45);
  set(Mechanism::net_scale_loss, 0.01);
  // Detours between groups cross two global links: half the rate (assumed).
  set(Mechanism::tree_scale_loss, shape.network == TimeNetwork::slingshot ? 0.5 : 0.03);
  set(Mechanism::ramp_bytes, 0.5);
  set(Mechanism::net_ramp_bytes, 0.5);
  set(Mechanism::p2p_link_efficiency, 0.95);
  set(Mechanism::p2p_link_message, 0.5);
  set(Mechanism::p2p_net_efficiency, 0.93);
  set(Mechanism::p2p_net_channel, 20);
  set(Mechanism::p2p_scale_loss, 0.05);
  set(Mechanism::symmetric_latency, of({4.5, 4.5, 4.5, 4.5, 11, 4.5}, shape.generation));
  return values;
}

std::string scope_key(Mechanism mechanism, const TimeShape& shape) {
  const std::string generation_name(to_string(shape.generation));
  switch (mechanism_spec(mechanism).scope) {
    case MechanismScope::generation: {
      // The host's work: Grace, or an x86 of the GPU's time.
      if (mechanism == Mechanism::launch && shape.grace_host) return "grace";
      return generation_name;
    }
    case MechanismScope::link:
      return generation_name + " " + std::string(to_string(shape.link));
    case MechanismScope::network:
      break;
  }
  const bool messages = mechanism == Mechanism::net_message;
  return std::string(to_string(shape.network)) +
         (messages && shape.software_matching ? " matched in software" : "");
}

}  // namespace fabricast
