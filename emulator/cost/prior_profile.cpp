// The profile of a machine before any measurement.
//
// Published step times are whole hops, the machine file holds the hop's links: the difference is
// the prior of the hand-off, so that nothing is counted twice (docs/calibration.md says the rule).
#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/cost/forward_model.hpp"
#include "emulator/cost/offered.hpp"
#include "emulator/profile/inventory.hpp"
#include "emulator/profile/judgement.hpp"
#include "topologies/builders/built_topology.hpp"

namespace fabricast {
namespace {

// What the hand-off over the network is at least: the proxy's overhead per step in NCCL's model
// (v2.28.9-1 src/graph/tuning.cc, netOverhead 1.0 us, three times that for Simple).
constexpr double proxy_overhead_us = 1.0;
constexpr double proxy_overhead_simple_us = 3.0;

ParameterOrigin origin_of(Origin origin) {
  switch (origin) {
    // Measured by others and written down: for this program it is a published figure.
    case Origin::measured:
    case Origin::published:
      return ParameterOrigin::published;
    case Origin::datasheet:
      return ParameterOrigin::datasheet;
    case Origin::assumed:
      return ParameterOrigin::assumed;
  }
  return ParameterOrigin::assumed;
}

class PriorBuilder {
 public:
  PriorBuilder(const Topology& topology, ExecutorKind executor,
               const std::vector<Protocol>& protocols)
      : topology_(topology), generation_(topology.gpu().generation), protocols_(protocols) {
    profile_.machine = topology.name();
    profile_.executor = executor;
    profile_.discrepancy_ln = judgement::unmeasured_discrepancy;
    profile_.discrepancy_source = "assumed: nothing was measured on this machine";
  }

  CalibrationProfile build() {
    if (profile_.executor != ExecutorKind::cuda) add_links();
    switch (profile_.executor) {
      case ExecutorKind::nccl:
        add_nccl();
        break;
      case ExecutorKind::peers:
        add_peers();
        break;
      case ExecutorKind::cuda:
      case ExecutorKind::host:
      case ExecutorKind::mpi:
        add_all_of_executor();
        break;
    }
    return std::move(profile_);
  }

 private:
  bool has(LinkKind kind) const {
    const auto& classes = topology_.link_classes();
    return std::any_of(classes.begin(), classes.end(),
                       [kind](const LinkClass& c) { return c.kind == kind; });
  }

  void add(const ParameterSpec& spec, const Prior& prior, const std::string& scope_key) {
    ParameterValue parameter;
    parameter.spec = spec;
    parameter.spec.executor = profile_.executor;
    parameter.scope_key = scope_key;
    parameter.prior = prior;
    parameter.value = prior.value;
    parameter.sigma_ln = prior.sigma_ln;
    parameter.origin = prior.origin;
    parameter.source = prior.source;
    profile_.parameters.push_back(std::move(parameter));
  }

  std::string scope_key(const ParameterSpec& spec) const {
    switch (spec.scope) {
      case Scope::universal:
        return "any";
      case Scope::gpu_generation:
        return generation_;
      case Scope::device_model:
        return topology_.gpu().name;
      case Scope::link_class:
      case Scope::fabric:
        return fmt::format("{}@{}", topology_.fabric(), topology_.name());
      case Scope::host:
        return topology_.name();
    }
    return topology_.name();
  }

  void add_figure(const LinkClass& link, std::string_view figure, const Sourced& sourced) {
    const ParameterOrigin origin = origin_of(sourced.origin);
    const bool is_latency = figure == "latency";
    // A figure of zero (a latency nobody knows) has no logarithm; a nanosecond (or MB/s) stands for
    // it.
    const double value = std::max(sourced.value, 1e-3);
    double sigma = machine_figure_sigma(origin, is_latency);
    // A nominal rate and the efficiency that multiplies it cannot be told apart by any time: the
    // rate is what the file states, and the efficiency carries the doubt about both.
    const bool has_efficiency =
        profile_.executor == ExecutorKind::nccl || profile_.executor == ExecutorKind::peers;
    if (!is_latency && has_efficiency) {
      rate_sigma_[link_parameter(link.kind, "bandwidth")] = sigma;
      sigma = 0;
    }
    add(parameter_spec(link_parameter(link.kind, figure)), {value, sigma, origin, sourced.source},
        fmt::format("{}@{}", link.name, topology_.name()));
  }

  void add_links() {
    std::vector<LinkKind> seen;
    for (const LinkClass& link : topology_.link_classes()) {
      // Parameters are keyed by kind: the first class of a kind has them, others scale with what
      // the machine file says of both.
      if (std::find(seen.begin(), seen.end(), link.kind) != seen.end()) continue;
      seen.push_back(link.kind);
      add_figure(link, "bandwidth", link.bandwidth);
      add_figure(link, "latency", link.latency);
    }
  }

  void add_all_of_executor() {
    for (const ParameterSpec& spec : parameter_inventory()) {
      if (spec.of_machine || spec.executor != profile_.executor || !is_wanted(spec)) continue;
      Prior prior = prior_of(spec, generation_);
      if (spec.id == "host.cache_size") prior = cache_size(prior);
      add(spec, prior, scope_key(spec));
    }
  }

  bool is_wanted(const ParameterSpec& spec) const {
    return spec.protocol.empty() || protocols_.empty() ||
           std::any_of(protocols_.begin(), protocols_.end(),
                       [&spec](Protocol p) { return to_string(p) == spec.protocol; });
  }

  // The processor's last-level cache, where the machine file has it.
  Prior cache_size(const Prior& otherwise) const {
    const auto* built = dynamic_cast<const BuiltTopology*>(&topology_);
    if (built == nullptr || !built->spec().processor) return otherwise;
    const Sourced& llc = built->spec().processor->llc_mb;
    const ParameterOrigin origin = origin_of(llc.origin);
    // Other tenants take their part of it, and a virtual machine is told of all: a wide sigma.
    return {llc.value * 1e6 / (1024.0 * 1024.0), 0.7, origin, llc.source};
  }

  void add_nccl() {
    for (const ParameterSpec& spec : parameter_inventory()) {
      if (spec.of_machine || spec.executor != ExecutorKind::nccl || !used(spec.id)) continue;
      Prior prior = prior_of(spec, generation_);
      if (spec.id.starts_with("nvlink.step_ratio.")) {
        prior = ratio(spec, prior);
      } else if (spec.id.find(".step.") != std::string::npos) {
        prior = hand_off(spec.id, prior);
      } else if (spec.id.ends_with(".efficiency")) {
        widen_by_rate(spec, prior);
      }
      add(spec, prior, scope_key(spec));
    }
  }

  void widen_by_rate(const ParameterSpec& spec, Prior& prior) const {
    const double of_rate = rate_sigma_.at(spec.base);
    prior.sigma_ln = std::hypot(prior.sigma_ln, of_rate);
    prior.source += fmt::format("; sigma with the nominal rate's own, {:.2f}", of_rate);
  }

  // Of the link that joins the GPUs only.
  void add_peers() {
    const std::string other = has(LinkKind::nvlink) ? "peer.pcie." : "peer.nvlink.";
    for (const ParameterSpec& spec : parameter_inventory()) {
      if (spec.of_machine || spec.executor != ExecutorKind::peers || !is_wanted(spec)) continue;
      if (spec.id.starts_with(other)) continue;
      if (!spec.protocol.empty() &&
          !why_no_protocol(topology_, ExecutorKind::peers, protocol_from_name(spec.protocol))
               .empty()) {
        continue;
      }
      Prior prior = prior_of(spec, generation_);
      if (spec.base.ends_with(".bandwidth")) widen_by_rate(spec, prior);
      if (spec.id.find(".handoff.") != std::string::npos) prior = hand_off(spec.id, prior);
      add(spec, prior, scope_key(spec));
    }
  }

  bool used(const std::string& id) const {
    if (id == "nvlink.efficiency_ratio.nvls") return reduces_in_switch(topology_);
    for (const LinkKind kind : {LinkKind::nvlink, LinkKind::pcie, LinkKind::leaf_uplink,
                                LinkKind::spine_uplink, LinkKind::nic}) {
      if (id.starts_with(fmt::format("{}.", to_string(kind)))) return has(kind);
    }
    return !id.starts_with("net.") || has(LinkKind::nic);
  }

  // Latency of the nearest hop of this kind, by the machine file.
  double route_us(bool network) const {
    const std::int32_t l = topology_.space().domain_size();
    std::int32_t peer = network ? l : 1;
    while (network && peer < topology_.ranks() &&
           topology_.node_of(RankId::from(peer)) == topology_.node_of(RankId(0))) {
      peer += l;
    }
    if (peer >= topology_.ranks()) return 0;
    double us = 0;
    const Route route = topology_.route(RankId(0), RankId::from(peer));
    for (const LinkId link : route.span()) {
      us += topology_.link_classes()[topology_.link_class(link).value()].latency.value;
    }
    return us;
  }

  static double least_us(const std::string& id, double hop) {
    if (!id.starts_with("net.")) return judgement::least_part_of_hop * hop;
    return id.ends_with("simple") ? proxy_overhead_simple_us : proxy_overhead_us;
  }

  Prior hand_off(const std::string& id, const Prior& hop) const {
    const double links = route_us(id.starts_with("net."));
    const double step = std::max(hop.value - links, least_us(id, hop.value));
    return {step, hop.sigma_ln * std::max(1.0, hop.value / step), hop.origin,
            fmt::format("{}; hop {:.4g} us less {:.4g} us of links, at least {:.4g} us", hop.source,
                        hop.value, links, least_us(id, hop.value))};
  }

  Prior ratio(const ParameterSpec& spec, const Prior& of_hops) const {
    const Prior hop = prior_of(parameter_spec("nvlink.step.ll"), generation_);
    const Prior step = hand_off("nvlink.step.ll", hop);
    const double links = route_us(false);
    const double whole = hop.value * of_hops.value;
    const double value = std::max(whole - links, least_us(spec.id, whole)) / step.value;
    return {value, of_hops.sigma_ln, of_hops.origin,
            fmt::format("{}; both hops less {:.4g} us of links", of_hops.source, links)};
  }

  const Topology& topology_;
  std::string generation_;
  const std::vector<Protocol>& protocols_;
  CalibrationProfile profile_;
  std::map<std::string, double> rate_sigma_;  // of stated nominal rates, by id
};

}  // namespace

CalibrationProfile prior_profile(const Topology& topology, ExecutorKind executor,
                                 const std::vector<Protocol>& protocols) {
  return PriorBuilder(topology, executor, protocols).build();
}

}  // namespace fabricast
