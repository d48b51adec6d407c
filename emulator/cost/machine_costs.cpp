#include "emulator/cost/machine_costs.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"
#include "emulator/cost/generation_ratios.hpp"
#include "emulator/cost/multimem_case.hpp"
#include "emulator/schedule/lowered.hpp"
#include "emulator/schedule/partition.hpp"

namespace fabricast {
namespace {

// Open MPI's btl_vader_eager_limit (ompi_info -a, version 4.1): larger messages shake hands.
constexpr std::int64_t mpi_eager_bytes = 4096;

// GB/s -> ps per byte.
double ps_per_byte(double gb_per_s) { return 1e12 / (gb_per_s * bytes_per_gb); }

// The class that a kind's parameters are about; others of the kind scale with their figures.
const LinkClass& first_of_kind(const Topology& topology, LinkKind kind) {
  const auto& classes = topology.link_classes();
  return *std::find_if(classes.begin(), classes.end(),
                       [kind](const LinkClass& c) { return c.kind == kind; });
}

// The links that join GPUs of one domain: NVLink where there is, else PCIe.
const LinkClass& path_between_gpus(const Topology& topology) {
  const auto& classes = topology.link_classes();
  const auto nvlink = std::find_if(classes.begin(), classes.end(),
                                   [](const LinkClass& c) { return c.kind == LinkKind::nvlink; });
  if (nvlink != classes.end()) return *nvlink;
  const auto pcie = std::find_if(classes.begin(), classes.end(),
                                 [](const LinkClass& c) { return c.kind == LinkKind::pcie; });
  if (pcie != classes.end()) return *pcie;
  throw UsageError(fmt::format(
      "machine \"{}\" joins its GPUs by neither NVLink nor PCIe (the interpreter reaches a peer's "
      "memory over these) choose another machine or executor",
      topology.name()));
}

std::string peer_parameter(LinkKind kind, std::string_view figure, Protocol protocol) {
  return fmt::format("peer.{}.{}.{}", to_string(kind), figure, to_string(protocol));
}

}  // namespace

std::string link_parameter(LinkKind kind, std::string_view figure) {
  return fmt::format("{}.{}", to_string(kind), figure);
}

MachineCosts::MachineCosts(const Topology& topology, const ParameterValues& values,
                           ExecutorKind executor, Protocol protocol, const ExecutionPlan& plan)
    : protocol_(protocol) {
  if (executor != ExecutorKind::cuda) read_links(topology, values, executor);
  switch (executor) {
    case ExecutorKind::nccl:
      read_nccl(topology, values, is_switched(*plan.channels.front().schedule));
      break;
    case ExecutorKind::cuda:
      read_cuda(values, plan);
      break;
    case ExecutorKind::peers:
      read_peers(topology, values, plan);
      break;
    case ExecutorKind::host:
      read_host(values, plan);
      break;
    case ExecutorKind::mpi:
      read_mpi(values);
      break;
  }
}

void MachineCosts::read_links(const Topology& topology, const ParameterValues& values,
                              ExecutorKind executor) {
  link_count_ = topology.link_classes().size();
  for (std::size_t c = 0; c < link_count_; ++c) {
    const LinkClass& given = topology.link_classes()[c];
    const LinkKind kind = given.kind;
    const LinkClass& first = first_of_kind(topology, kind);
    Link& link = links_[c];
    link.bandwidth = parameter_value(values, link_parameter(kind, "bandwidth")) * bytes_per_gb *
                     (given.bandwidth.value / first.bandwidth.value);
    link.capacity = link.bandwidth;
    const double scale = &given == &first ? 1.0 : given.latency.value / first.latency.value;
    link.latency_ps =
        duration_from_us(parameter_value(values, link_parameter(kind, "latency")) * scale).value();
    if (executor == ExecutorKind::nccl) {
      link.capacity = topology.link_classes()[c].bandwidth.value * bytes_per_gb;
      const double ratio = kind == LinkKind::nvlink && protocol_ == Protocol::ll
                               ? parameter_value(values, "nvlink.efficiency_ratio.ll")
                               : 1.0;
      link.efficiency =
          std::min(1.0, parameter_value(values, link_parameter(kind, "efficiency")) * ratio);
    }
    if (executor == ExecutorKind::peers && &path_between_gpus(topology) == &first) {
      link.capacity = given.bandwidth.value * bytes_per_gb;
      link.efficiency =
          std::min(1.0, parameter_value(values, peer_parameter(kind, "efficiency", protocol_)));
    }
  }
}

void MachineCosts::read_nccl(const Topology& topology, const ParameterValues& values,
                             bool through_switch) {
  const std::string p(to_string(protocol_));
  launch_ = duration_from_us(parameter_value(values, "launch." + p));
  const auto& classes = topology.link_classes();
  const auto has = [&classes](LinkKind kind) {
    return std::any_of(classes.begin(), classes.end(),
                       [kind](const LinkClass& c) { return c.kind == kind; });
  };
  if (has(LinkKind::nvlink)) {
    const double ratio =
        protocol_ == Protocol::ll ? 1.0 : parameter_value(values, "nvlink.step_ratio." + p);
    domain_step_us_ = parameter_value(values, "nvlink.step.ll") * ratio;
  }
  if (has(LinkKind::pcie)) domain_step_us_ = parameter_value(values, "pcie.step." + p);
  if (has(LinkKind::nic)) network_step_us_ = parameter_value(values, "net.step." + p);
  if (through_switch) {
    const double ratio = parameter_value(values, "nvlink.efficiency_ratio.nvls");
    for (Link& link : links_) link.switch_ratio = ratio;
  }
  read_generations(topology);
  const WireFormat format = wire_format(protocol_);
  copy_ps_per_byte_ = ps_per_byte(parameter_value(values, "cta.copy_bw")) *
                      static_cast<double>(format.wire) / static_cast<double>(format.data);
  line_bytes_ = line_bytes(protocol_);
  line_ps_per_byte_ = copy_ps_per_byte_;
}

// Parameters are those of the first nodes' GPUs; what others are slower by, or faster, is what the
// inventory's priors say of both. The last GPU to start and to end is waited for: of those that
// have a rank, which a job's may all be of one kind.
void MachineCosts::read_generations(const Topology& topology) {
  const auto& classes = topology.link_classes();
  if (std::all_of(classes.begin(), classes.end(),
                  [](const LinkClass& link) { return link.generation.empty(); })) {
    return;
  }
  generations_ = true;
  const auto present = generations_of_ranks(topology);
  double launch = present.contains("") ? 1 : 0;
  slowest_ = present.contains("") ? Pace{} : Pace{0, 0};
  for (std::size_t c = 0; c < link_count_; ++c) {
    const LinkClass& link = classes[c];
    if (is_trunk(link.kind)) links_[c].step = links_[c].copy = 0;  // no GPU is at it
    if (link.generation.empty()) continue;
    const LinkClass& first = first_of_kind(topology, link.kind);
    const GenerationRatios ratios =
        generation_ratios(topology.gpu().generation, first, link, protocol_);
    links_[c].step = ratios.step;
    links_[c].copy = 1 / ratios.copy_bandwidth;
    links_[c].efficiency = std::min(1.0, links_[c].efficiency * ratios.efficiency);
    links_[c].switch_ratio *= ratios.in_switch;
    if (!present.contains(link.generation)) continue;
    launch = std::max(launch, ratios.launch);
    slowest_.copy = std::max(slowest_.copy, links_[c].copy);
  }
  launch_ = SimDuration(static_cast<std::int64_t>(static_cast<double>(launch_.value()) * launch));
}

MachineCosts::Pace MachineCosts::pace_of(const EdgeClass& edge) const {
  if (!generations_) return {};
  if (edge.kind == EdgeKind::local) return slowest_;  // whoever copies
  Pace pace{0, 0};
  for (std::size_t c = 0; c < link_count_; ++c) {
    if (edge.hops[c] == 0) continue;
    pace.step = std::max(pace.step, links_[c].step);
    pace.copy = std::max(pace.copy, links_[c].copy);
  }
  return pace;
}

// Buffers of all ranks and slots of all connections lie in one memory. A lane has a connection to
// each neighbour of its ring or tree: two per lane stand for all schedules.
void MachineCosts::read_cuda(const ParameterValues& values, const ExecutionPlan& plan) {
  constexpr double connections_per_lane = 2;
  const DeviceCosts costs = device_costs(values);
  launch_ = duration_from_us(costs.launch_us);
  device_step_us_ = parameter_value(values, fmt::format("cuda.handoff.{}", to_string(protocol_)));
  reduce_ratio_ = costs.reduce_ratio;
  const BufferSizes buffers = buffer_sizes(plan);
  double working_set =
      static_cast<double>(buffers.input + buffers.output) * plan.element_bytes * plan.ranks();
  for (const ChannelPlan& channel : plan.channels) {
    working_set += connections_per_lane * plan.ranks() * channel.schedule->roles *
                   channel.schedule->fifo_depth *
                   static_cast<double>(wire_bytes(protocol_, plan.slice_bytes));
  }
  copy_ps_per_byte_ = costs.copy_ps_per_byte(working_set);
  device_bandwidth_ = 1e12 / costs.memory_ps_per_byte(working_set);
  lines_ = line_costs(values, protocol_, copy_ps_per_byte_);
  read_order(plan);
}

// GPUs of one domain, one rank each (why_not_offered refuses others): the rate of a CTA counts what
// it puts on the wire.
void MachineCosts::read_peers(const Topology& topology, const ParameterValues& values,
                              const ExecutionPlan& plan) {
  const LinkKind kind = path_between_gpus(topology).kind;
  const auto of = [&](std::string_view figure) {
    return parameter_value(values, peer_parameter(kind, figure, protocol_));
  };
  launch_ = duration_from_us(parameter_value(values, "peer.launch"));
  copy_ps_per_byte_ = ps_per_byte(of("cta_bw"));
  if (protocol_ == Protocol::multimem) {
    domain_step_us_ = parameter_value(values, "peer.meeting.multimem");
    return;
  }
  domain_step_us_ = of("handoff");
  reduce_ratio_ = parameter_value(values, fmt::format("peer.{}.reduce_ratio", to_string(kind)));
  if (interpreter_line_bytes(protocol_) == 0) return;
  const WireFormat format = wire_format(protocol_);
  lines_.ps_per_byte =
      copy_ps_per_byte_ * static_cast<double>(format.wire) / static_cast<double>(format.data);
  lines_.await_ps_per_byte = lines_.ps_per_byte * of("await_ratio");
  lines_.order_us = of("order");
  read_order(plan);
}

// Of the interpreter, after lines_: a message is taken up line by line, or step by step in passes.
void MachineCosts::read_order(const ExecutionPlan& plan) {
  if (lines_.ps_per_byte == 0) return;
  lanes_share_ =
      std::any_of(plan.channels.begin(), plan.channels.end(),
                  [](const ChannelPlan& channel) { return channel.schedule->roles > 1; });
  line_bytes_ = lanes_share_ ? 0 : interpreter_line_bytes(protocol_);
  line_ps_per_byte_ = lines_.ps_per_byte;
}

void MachineCosts::read_host(const ParameterValues& values, const ExecutionPlan& plan) {
  launch_ = duration_from_us(parameter_value(values, "host.launch"));
  domain_step_us_ = network_step_us_ = parameter_value(values, "host.step");
  // The buffers of all lanes of one host compete for its cache; what does not fit comes from
  // memory.
  const BufferSizes buffers = buffer_sizes(plan);
  const double working_set = static_cast<double>(buffers.input + buffers.output) *
                             plan.element_bytes * plan.space.domain_size();
  const double cache = parameter_value(values, "host.cache_size") * bytes_per_mib;
  const double cached = 1 / std::hypot(1.0, working_set / cache);
  copy_ps_per_byte_ = cached * ps_per_byte(parameter_value(values, "host.copy_bw.cache")) +
                      (1 - cached) * ps_per_byte(parameter_value(values, "host.copy_bw.memory"));
  reduce_ratio_ = parameter_value(values, "host.reduce_ratio");
}

void MachineCosts::read_mpi(const ParameterValues& values) {
  launch_ = duration_from_us(parameter_value(values, "mpi.launch"));
  domain_step_us_ = network_step_us_ = parameter_value(values, "mpi.step.rendezvous");
  small_message_ = mpi_eager_bytes;
  small_step_us_ = parameter_value(values, "mpi.step.eager");
  copy_ps_per_byte_ = ps_per_byte(parameter_value(values, "mpi.copy_bw"));
  reduce_ratio_ = parameter_value(values, "mpi.reduce_ratio");
}

double MachineCosts::copy_ps(const EdgeClass& edge, std::int64_t bytes,
                             const StepWork& work) const {
  const auto size = static_cast<double>(bytes);
  if (lines_.ps_per_byte == 0 || edge.kind == EdgeKind::local) {
    return size * copy_ps_per_byte_ * (work.reduces ? reduce_ratio_ : 1);
  }
  double per_byte = lines_.ps_per_byte;
  // Never less than the lines alone: what streamed_ps() gives back must have been charged.
  if (work.reduces) per_byte += copy_ps_per_byte_ * std::max(0.0, reduce_ratio_ - 1);
  if (lanes_share_ && work.receives) per_byte += lines_.await_ps_per_byte;
  if (lanes_share_ && work.stores && work.sends) per_byte += copy_ps_per_byte_;
  return size * per_byte;
}

std::int64_t MachineCosts::lane_ps(const EdgeClass& edge, std::int64_t bytes,
                                   const StepWork& work) const {
  double us = 0;
  const Pace pace = pace_of(edge);
  switch (edge.kind) {
    case EdgeKind::idle:
      return 0;
    case EdgeKind::local:
      break;
    case EdgeKind::domain:
      us = domain_step_us_ * pace.step;
      break;
    case EdgeKind::network:
      us = network_step_us_;
      break;
    case EdgeKind::device:
      us = device_step_us_;
      break;
  }
  if (protocol_ == Protocol::multimem) {
    const double ps = moves_share(work) ? copy_ps(edge, bytes, work) : us * 1e6;
    return static_cast<std::int64_t>(std::ceil(ps));
  }
  if (bytes <= small_message_ && edge.kind != EdgeKind::local) us = small_step_us_;
  if (lanes_share_ && edge.kind != EdgeKind::local) us += lines_.order_us;
  return static_cast<std::int64_t>(std::ceil(us * 1e6 + copy_ps(edge, bytes, work) * pace.copy));
}

std::int64_t MachineCosts::port_ps(const EdgeClass& edge, std::int64_t bytes, const StepWork& work,
                                   const LinkFactors& slower) const {
  if (protocol_ == Protocol::multimem && !moves_share(work)) return 0;
  double share = 0;  // B/s of wire bytes; 0: nothing shared is crossed
  const auto narrow = [&share](double candidate) {
    share = share == 0 ? candidate : std::min(share, candidate);
  };
  for (std::size_t c = 0; c < link_count_; ++c) {
    if (edge.flows[c] <= 0) continue;
    narrow(links_[c].bandwidth * links_[c].efficiency *
           (edge.in_switch ? links_[c].switch_ratio : 1) /
           (static_cast<double>(edge.flows[c]) / one_flow) / slower[c]);
  }
  if (edge.device_flows > 0) narrow(device_bandwidth_ / edge.device_flows);
  if (share == 0) return 0;
  const Bandwidth whole(std::max<std::int64_t>(1, static_cast<std::int64_t>(share)));
  std::int64_t moved = wire_bytes(protocol_, bytes);
  if (edge.device_flows > 0) {
    // The operand is read, the result stored, and read back where lanes share data: only what is
    // stored is sent then (move_message.hpp, run_ordered).
    const int operand = work.reduces || !work.receives ? 1 : 0;
    const int stored = !work.stores ? 0 : lanes_share_ ? 2 : 1;
    // The slot is written and read, and read once more where a step looks through it first.
    moved = (lanes_share_ ? 3 : 2) * moved + (operand + stored) * bytes;
  }
  return transfer_time(Bytes(moved), whole).value();
}

std::int64_t MachineCosts::latency_ps(const EdgeClass& edge) const {
  if (protocol_ == Protocol::multimem) return 0;  // in the meetings
  std::int64_t ps = 0;
  for (std::size_t c = 0; c < link_count_; ++c) ps += edge.hops[c] * links_[c].latency_ps;
  return ps;
}

std::int64_t MachineCosts::streamed_ps(const EdgeClass& edge, std::int64_t bytes) const {
  const bool inside = edge.kind == EdgeKind::domain || edge.kind == EdgeKind::device;
  if (!inside || line_bytes_ == 0 || bytes <= line_bytes_) return 0;
  return static_cast<std::int64_t>(static_cast<double>(bytes - line_bytes_) * line_ps_per_byte_ *
                                   pace_of(edge).copy);
}

std::int64_t MachineCosts::arriving_ps(const EdgeClass& edge, std::int64_t bytes,
                                       std::int64_t port_ps) const {
  if (edge.kind != EdgeKind::domain || line_bytes_ == 0 || bytes <= line_bytes_) return 0;
  const double hand_off = domain_step_us_ * pace_of(edge).step * 1e6;
  const double all = std::max(0.0, static_cast<double>(port_ps) - std::ceil(hand_off));
  return static_cast<std::int64_t>(all * static_cast<double>(bytes - line_bytes_) /
                                   static_cast<double>(bytes));
}

Bandwidth MachineCosts::usable(std::size_t link_class) const {
  FABRICAST_EXPECT(link_class < link_count_, "a link class of this machine");
  const Link& link = links_[link_class];
  return Bandwidth(static_cast<std::int64_t>(link.bandwidth * link.efficiency));
}

Bandwidth MachineCosts::nominal(std::size_t link_class) const {
  FABRICAST_EXPECT(link_class < link_count_, "a link class of this machine");
  return Bandwidth(static_cast<std::int64_t>(links_[link_class].capacity));
}

}  // namespace fabricast
