#include "emulator/profile/inventory.hpp"

#include <algorithm>

#include "emulator/base/contracts.hpp"

namespace fabricast {
namespace {

using enum ParameterSense;
using enum ExecutorKind;

constexpr const char* small_sizes = "latency of small messages at two or more rank counts";
constexpr const char* large_sizes = "time of messages that fill every channel";
constexpr const char* one_channel = "time against bytes on one channel; the copy micro-benchmark";

ParameterSpec row(std::string id, std::string unit, ParameterSense sense, ExecutorKind executor,
                  Scope scope, std::string mechanism, std::string identified_by,
                  std::string base = {}) {
  return {std::move(id),        std::move(unit),          sense,           executor, scope,
          std::move(mechanism), std::move(identified_by), std::move(base), false,    {}};
}

void add_nccl(std::vector<ParameterSpec>& specs) {
  const Scope generation = Scope::gpu_generation;
  for (const std::string protocol : {"ll", "ll128", "simple"}) {
    specs.push_back(row("launch." + protocol, "us", cost, nccl, generation,
                        "kernel launch, argument fetch and exit of one collective", small_sizes));
  }
  specs.push_back(row("nvlink.step.ll", "us", cost, nccl, generation,
                      "flag hand-off and start of the copy per LL message over NVLink, beyond the "
                      "links' latency",
                      small_sizes));
  for (const std::string protocol : {"ll128", "simple"}) {
    specs.push_back(row("nvlink.step_ratio." + protocol, "1", cost, nccl, Scope::universal,
                        "hand-off of a " + protocol + " message relative to an LL one",
                        "the same small collective under both protocols", "nvlink.step.ll"));
  }
  for (const std::string protocol : {"ll", "ll128", "simple"}) {
    specs.push_back(row("pcie.step." + protocol, "us", cost, nccl, Scope::link_class,
                        "hand-off per message over PCIe, beyond the links' latency", small_sizes));
  }
  for (const std::string protocol : {"ll", "ll128", "simple"}) {
    specs.push_back(row("net.step." + protocol, "us", cost, nccl, Scope::fabric,
                        "hand-off per network message: GPU to proxy thread to NIC and back to the "
                        "GPU, beyond the route's latency",
                        "small messages over two or more nodes"));
  }
  specs.push_back(row("cta.copy_bw", "GB/s", rate, nccl, generation,
                      "wire bytes per second one channel (one CTA) can move", one_channel));
  specs.push_back(row("nvlink.efficiency", "1", rate, nccl, generation,
                      "usable part of an NVLink port's nominal rate", large_sizes,
                      "nvlink.bandwidth"));
  specs.push_back(row("nvlink.efficiency_ratio.ll", "1", rate, nccl, generation,
                      "usable NVLink rate under LL's 8-byte stores relative to long ones",
                      "large messages under LL", "nvlink.bandwidth"));
  specs.push_back(row("nvlink.efficiency_ratio.nvls", "1", rate, nccl, generation,
                      "usable NVLink rate when the switch multicasts and reduces, relative to "
                      "point-to-point",
                      "large all_reduce through the switch", "nvlink.bandwidth"));
  specs.push_back(row("pcie.efficiency", "1", rate, nccl, Scope::link_class,
                      "usable part of PCIe's nominal rate", large_sizes, "pcie.bandwidth"));
  specs.push_back(row("nic.efficiency", "1", rate, nccl, Scope::fabric,
                      "usable part of a NIC's nominal rate", "large messages over two nodes",
                      "nic.bandwidth"));
  for (const std::string tier : {"leaf_uplink", "spine_uplink"}) {
    specs.push_back(row(tier + ".efficiency", "1", rate, nccl, Scope::fabric,
                        "usable part of a trunk: how evenly packets are sprayed over it",
                        "large messages across leaves or pods", tier + ".bandwidth"));
  }
}

// What messages of lines cost the interpreter beyond Simple's parameters (device_costs.hpp).
void add_lines_of_device(std::vector<ParameterSpec>& specs) {
  const Scope device = Scope::device_model;
  for (const std::string protocol : {"ll", "ll128"}) {
    const auto add = [&](ParameterSpec spec) {
      spec.protocol = protocol;
      specs.push_back(std::move(spec));
    };
    add(row("cuda.line_ratio." + protocol, "1", rate, cuda, device,
            "wire bytes per second that one CTA moves as " + protocol +
                " lines, relative to the bytes per second of its copy",
            "suite lines, lines that are there already, on few CTAs", "cuda.cta_copy_bw"));
    add(row("cuda.await_ratio." + protocol, "1", cost, cuda, device,
            "time per byte of looking through a message of " + protocol +
                " lines before a step begins, relative to moving it (schedules with several roles)",
            "suite lines, looked through and moved against moved", "cuda.cta_copy_bw"));
    add(row("cuda.order." + protocol, "us", cost, cuda, device,
            "fences and barriers of a step whose lanes share data, beyond the hand-off "
            "(schedules with several roles)",
            "suite hand_off, ordered messages against others"));
  }
}

void add_cuda(std::vector<ParameterSpec>& specs) {
  const Scope device = Scope::device_model;
  specs.push_back(row("cuda.launch", "us", cost, cuda, device,
                      "cooperative launch of the interpreter and its completion",
                      "suite launch; latency of small messages at two or more rank counts"));
  for (const std::string protocol : {"ll", "ll128", "simple"}) {
    specs.push_back(row("cuda.handoff." + protocol, "us", cost, cuda, device,
                        "flag hand-off between two CTAs of one device, per message",
                        "suite hand_off; latency of small messages at two or more rank counts"));
  }
  specs.push_back(row("cuda.cta_copy_bw", "GB/s", rate, cuda, device,
                      "bytes per second one CTA of the interpreter can move while L2 holds them",
                      "suite reduce_copy on few CTAs; time against bytes on one channel"));
  specs.push_back(row("cuda.cta_hbm_ratio", "1", rate, cuda, device,
                      "copy rate of one CTA from and to HBM relative to L2",
                      "suite reduce_copy on few CTAs, beyond L2 against inside it",
                      "cuda.cta_copy_bw"));
  specs.push_back(row("cuda.reduce_ratio", "1", cost, cuda, device,
                      "time per byte of reduce-copy relative to copy",
                      "suite reduce_copy, two sources against one", "cuda.cta_copy_bw"));
  specs.push_back(row("cuda.l2_bw", "GB/s", rate, cuda, device,
                      "bytes read and written per second by all CTAs together, in L2",
                      "suite memory inside L2; large messages with many CTAs"));
  specs.push_back(row("cuda.hbm_bw", "GB/s", rate, cuda, device,
                      "bytes read and written per second by all CTAs together, in HBM",
                      "suite memory beyond L2; large messages with many CTAs"));
  specs.push_back(row("cuda.l2_size", "MiB", rate, cuda, device,
                      "bytes of all ranks' buffers that stay in L2 between two iterations",
                      "the knee of time against bytes; suite memory around L2's size"));
  specs.push_back(row("cuda.pcie_efficiency", "1", rate, cuda, Scope::link_class,
                      "usable part of the nominal rate of the device's own PCIe slot, one way; no "
                      "collective of the interpreter crosses it: for rule pcie-copy-efficiency",
                      "suite pcie, copies of pinned memory", "pcie.bandwidth"));
  add_lines_of_device(specs);
}

// The interpreter between GPUs: NVLink where there is, else PCIe; a rate and a hand-off per
// protocol.
void add_peers_over(const std::string& link, Scope scope, std::vector<ParameterSpec>& specs) {
  const std::string lead = "peer." + link + ".";
  const bool whole_lines = link == "nvlink";  // LL128 is refused where lines may be split
  const auto add = [&](const std::string& protocol, ParameterSpec spec) {
    spec.protocol = protocol;
    specs.push_back(std::move(spec));
  };
  for (const std::string protocol : {"ll", "ll128", "simple"}) {
    if (protocol == "ll128" && !whole_lines) continue;
    add(protocol,
        row(lead + "handoff." + protocol, "us", cost, peers, scope,
            "hand-off of a message to another GPU over " + link + ", beyond the links' latency",
            protocol == "simple" ? "small send_recv between GPUs, and chains of it"
                                 : "small broadcast by ring under " + protocol +
                                       " (send_recv has two roles, so fences beside it)"));
    add(protocol, row(lead + "cta_bw." + protocol, "GB/s", rate, peers, scope,
                      "wire bytes per second that one CTA moves to another GPU over " + link,
                      protocol == "simple" ? "send_recv of growing size on one channel"
                                           : "broadcast by ring of growing size on one channel"));
    add(protocol, row(lead + "efficiency." + protocol, "1", rate, peers, scope,
                      "usable part of one GPU's nominal " + link + " rate, one way",
                      "large send_recv and collectives on as many channels as fill the link",
                      link + ".bandwidth"));
    if (protocol == "simple") continue;
    add(protocol, row(lead + "await_ratio." + protocol, "1", cost, peers, scope,
                      "time per byte of looking through a message before a step begins, relative "
                      "to moving it to another GPU (schedules with several roles)",
                      "large send_recv or all_reduce by tree under " + protocol +
                          ", the rate known from broadcast by ring",
                      lead + "cta_bw." + protocol));
    add(protocol, row(lead + "order." + protocol, "us", cost, peers, scope,
                      "fences at system scope over " + link +
                          " and barriers of a step whose lanes share data (schedules with several "
                          "roles)",
                      "small send_recv or all_reduce by tree under " + protocol +
                          ", the hand-off known from broadcast by ring"));
  }
  specs.push_back(
      row(lead + "reduce_ratio", "1", cost, peers, scope,
          "1 + time per byte of reading an operand relative to moving a byte on the wire "
          "(under simple: of reducing a message on its way relative to passing it on)",
          "all_reduce against all_gather between GPUs", lead + "cta_bw"));
}

void add_peers(std::vector<ParameterSpec>& specs) {
  const Scope generation = Scope::gpu_generation;
  specs.push_back(
      row("peer.launch", "us", cost, peers, generation,
          "from the common start of all GPUs to their first steps, and their completion",
          "small send_recv and collectives at several rank counts"));
  add_peers_over("nvlink", generation, specs);
  add_peers_over("pcie", Scope::link_class, specs);
  const auto of_switch = [&](ParameterSpec spec) {
    spec.protocol = "multimem";
    specs.push_back(std::move(spec));
  };
  of_switch(row("peer.meeting.multimem", "us", cost, peers, generation,
                "one meeting of all GPUs: a multicast reduction into everybody's counter, and the "
                "wait for the last one (each all_reduce has two)",
                "small all_reduce by multimem, the launch known from send_recv"));
  of_switch(row("peer.nvlink.cta_bw.multimem", "GB/s", rate, peers, generation,
                "bytes per second that one CTA has reduced by the switch and stores for all",
                "all_reduce by multimem on few CTAs"));
  of_switch(row("peer.nvlink.efficiency.multimem", "1", rate, peers, generation,
                "usable part of one GPU's nominal NVLink rate under multimem loads and stores",
                "large all_reduce by multimem on as many CTAs as fill the link",
                "nvlink.bandwidth"));
}

void add_host(std::vector<ParameterSpec>& specs) {
  const Scope scope = Scope::host;
  specs.push_back(row("host.launch", "us", cost, host, scope,
                      "start of all lanes from the common barrier", small_sizes));
  specs.push_back(row("host.step", "us", cost, host, scope,
                      "queue hand-off between two threads, per message", small_sizes));
  specs.push_back(row("host.copy_bw.cache", "GB/s", rate, host, scope,
                      "copy rate of one core while the working set fits the last-level cache",
                      "time against bytes below the cache size"));
  specs.push_back(row("host.copy_bw.memory", "GB/s", rate, host, scope,
                      "copy rate of one core from and to memory",
                      "time against bytes well above the cache size"));
  specs.push_back(row("host.cache_size", "MiB", rate, host, scope,
                      "bytes of all lanes' buffers that stay in cache between two iterations",
                      "the knee of time against bytes"));
  specs.push_back(row("host.reduce_ratio", "1", cost, host, scope,
                      "time per byte of reduce-copy relative to copy",
                      "all_reduce or reduce_scatter against all_gather", "host.copy_bw"));
}

void add_mpi(std::vector<ParameterSpec>& specs) {
  const Scope scope = Scope::host;
  specs.push_back(row("mpi.launch", "us", cost, mpi, scope,
                      "start of all processes from the common barrier", small_sizes));
  specs.push_back(row("mpi.step.eager", "us", cost, mpi, scope,
                      "library call per message of at most 4 KiB", small_sizes));
  specs.push_back(row("mpi.step.rendezvous", "us", cost, mpi, scope,
                      "library call and handshake per larger message",
                      "time against bytes around 4 KiB"));
  specs.push_back(row("mpi.copy_bw", "GB/s", rate, mpi, scope,
                      "bytes per second one process can move", large_sizes));
  specs.push_back(row("mpi.reduce_ratio", "1", cost, mpi, scope,
                      "time per byte of reduce-copy relative to copy",
                      "all_reduce or reduce_scatter against all_gather", "mpi.copy_bw"));
}

void add_links(std::vector<ParameterSpec>& specs) {
  for (const std::string kind :
       {"nvlink", "pcie", "shared_memory", "nic", "leaf_uplink", "spine_uplink"}) {
    const bool network = kind == "nic" || kind.ends_with("uplink");
    const Scope scope = network ? Scope::fabric : Scope::link_class;
    // Only the product of a rate and its efficiency shows in a time.
    const bool stated = kind != "shared_memory";
    ParameterSpec bandwidth =
        row(kind + ".bandwidth", "GB/s", rate, nccl, scope,
            "nominal rate of one " + kind + " link or trunk per direction",
            stated ? "under nccl stated by the machine file, never fitted: " + kind +
                         ".efficiency is; for hosts, " + large_sizes
                   : large_sizes);
    ParameterSpec latency = row(kind + ".latency", "us", cost, nccl, scope,
                                "time through one " + kind + " link, one way", small_sizes);
    bandwidth.of_machine = latency.of_machine = true;
    specs.push_back(std::move(bandwidth));
    specs.push_back(std::move(latency));
  }
}

std::vector<ParameterSpec> make_inventory() {
  std::vector<ParameterSpec> specs;
  add_links(specs);
  add_nccl(specs);
  add_cuda(specs);
  add_peers(specs);
  add_host(specs);
  add_mpi(specs);
  return specs;
}

}  // namespace

const std::vector<ParameterSpec>& parameter_inventory() {
  static const std::vector<ParameterSpec> specs = make_inventory();
  return specs;
}

const ParameterSpec& parameter_spec(const std::string& id) {
  const auto& specs = parameter_inventory();
  const auto found = std::find_if(specs.begin(), specs.end(),
                                  [&id](const ParameterSpec& spec) { return spec.id == id; });
  FABRICAST_EXPECT(found != specs.end(), "an id of the inventory");
  return *found;
}

double machine_figure_sigma(ParameterOrigin origin, bool is_latency) {
  switch (origin) {
    case ParameterOrigin::datasheet:
      return is_latency ? 0.10 : 0.02;
    case ParameterOrigin::measured:
      return is_latency ? 0.10 : 0.05;
    case ParameterOrigin::published:
      return is_latency ? 0.20 : 0.05;
    case ParameterOrigin::assumed:
      return is_latency ? 0.40 : 0.30;
  }
  return 0.40;
}

}  // namespace fabricast
