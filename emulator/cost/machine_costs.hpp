// Parameters and link figures turned into the costs of one message: docs/semantics.md 3 in numbers.
//
// All the physics of the model is here; docs/calibration.md says it in a table. Times are rounded
// up to picoseconds, shares down to bytes per second, so that no link is ever modeled above
// capacity. Immutable; thread safe. Every function is O(link classes).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "emulator/base/units.hpp"
#include "emulator/cost/device_costs.hpp"
#include "emulator/cost/edge_class.hpp"
#include "emulator/cost/protocol.hpp"
#include "emulator/schedule/plan.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

// "nvlink.bandwidth", "nic.latency" ...: figures of links are keyed by kind.
std::string link_parameter(LinkKind kind, std::string_view figure);

class MachineCosts {
 public:
  // Throws UsageError when a parameter that this executor and machine need is missing.
  MachineCosts(const Topology& topology, const ParameterValues& values, ExecutorKind executor,
               Protocol protocol, const ExecutionPlan& plan);

  SimDuration launch() const { return launch_; }
  // o + b*g of a step whose edge (the one it sends over, else the one it receives from) is given.
  std::int64_t lane_ps(const EdgeClass& edge, std::int64_t bytes, const StepWork& work) const;
  // b/share; 0 for edges without links. On one device the share is of the memory that all lanes
  // read and write: the slot, and what the sending step reads of its own operand or stores.
  // `slower`: by link class, what a link of the route is slower by.
  using LinkFactors = std::array<double, EdgeClass::max_link_classes>;
  std::int64_t port_ps(const EdgeClass& edge, std::int64_t bytes, const StepWork& work,
                       const LinkFactors& slower) const;
  std::int64_t port_ps(const EdgeClass& edge, std::int64_t bytes, const StepWork& work) const {
    LinkFactors none;
    none.fill(1);
    return port_ps(edge, bytes, work, none);
  }
  std::int64_t link_latency_ps(std::size_t link_class) const {
    return links_[link_class].latency_ps;
  }
  // L, and L_credit for the route back; none where meetings have it (multimem_case.hpp).
  std::int64_t latency_ps(const EdgeClass& edge) const;
  // How long before the last byte of a message its receiver may start without waiting for a byte
  // later: LL and LL128 inside a node are polled line by line (semantics 3.9). A NIC's proxy sends
  // whole slots, and where the interpreter's lanes share data a step awaits its whole message.
  // Never longer than lane_ps() less the hand-off.
  std::int64_t streamed_ps(const EdgeClass& edge, std::int64_t bytes) const;
  // The same of a message that its receiver passes on by lines: `port_ps`, in which it arrives,
  // less the hand-off and a line. 0 where none are. On one GPU the port is the memory's, which the
  // copy from slot to slot has to wait for as well: there streamed_ps() is all.
  std::int64_t arriving_ps(const EdgeClass& edge, std::int64_t bytes, std::int64_t port_ps) const;
  // What one link of the class can carry. Where an efficiency says how much of it is usable (nccl):
  // the machine file's figure, whatever the profile says; for hosts, whose rate is a parameter like
  // any other, the profile's.
  Bandwidth nominal(std::size_t link_class) const;
  // What of it messages of the protocol can have: the rate that port_ps() divides among flows.
  Bandwidth usable(std::size_t link_class) const;

 private:
  void read_links(const Topology& topology, const ParameterValues& values, ExecutorKind executor);
  void read_nccl(const Topology& topology, const ParameterValues& values, bool through_switch);
  void read_generations(const Topology& topology);
  void read_cuda(const ParameterValues& values, const ExecutionPlan& plan);
  void read_peers(const Topology& topology, const ParameterValues& values,
                  const ExecutionPlan& plan);
  void read_order(const ExecutionPlan& plan);
  double copy_ps(const EdgeClass& edge, std::int64_t bytes, const StepWork& work) const;
  void read_host(const ParameterValues& values, const ExecutionPlan& plan);
  void read_mpi(const ParameterValues& values);

  struct Link {
    double capacity = 0;      // B/s
    double bandwidth = 0;     // B/s, nominal
    double efficiency = 1;    // usable part
    double switch_ratio = 1;  // of that, when the switch multicasts and reduces
    std::int64_t latency_ps = 0;
    double step = 1, copy = 1;  // hand-off and copy, as multiples of those of the first nodes' GPUs
  };
  // How much longer than on GPUs of the first nodes a step takes that crosses the edge's links.
  struct Pace {
    double step = 1, copy = 1;
  };
  Pace pace_of(const EdgeClass& edge) const;
  Protocol protocol_;
  std::size_t link_count_ = 0;
  std::array<Link, EdgeClass::max_link_classes> links_{};
  double device_bandwidth_ = 0;  // B/s read and written by all lanes together
  double domain_step_us_ = 0, network_step_us_ = 0, device_step_us_ = 0;
  std::int64_t small_message_ = 0;  // mpi: messages up to here are eager
  double small_step_us_ = 0;
  double copy_ps_per_byte_ = 0, reduce_ratio_ = 1;
  LineCosts lines_;              // of the interpreter under LL and LL128
  bool lanes_share_ = false;     // data, in the interpreter's schedule: steps go in passes
  std::int64_t line_bytes_ = 0;  // 0: messages are taken up whole
  double line_ps_per_byte_ = 0;  // at which they arrive
  SimDuration launch_;
  bool generations_ = false;  // GPUs are of several
  Pace slowest_;
};

}  // namespace fabricast
