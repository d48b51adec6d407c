#include <fmt/format.h>

#include "topologies/builders/built_topology.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

void warn_about(const std::string& name, const Sourced& number, std::vector<std::string>& out) {
  if (number.value == 0) {
    out.push_back(fmt::format("{} is not given; what depends on it cannot be predicted", name));
  } else if (number.origin == Origin::assumed) {
    out.push_back(fmt::format("{} = {:.10g} {} is assumed ({}); calibrate it or cite a source",
                              name, number.value, number.unit, number.source));
  }
}

void warn_about_gpu(const std::string& name, const GpuModel& gpu, std::vector<std::string>& out) {
  if (gpu.generation == "host") return;
  warn_about(name + ".hbm", gpu.hbm_gb, out);
  warn_about(name + ".hbm_bandwidth", gpu.hbm_tb_per_s, out);
  warn_about(name + ".bf16", gpu.bf16_tflops, out);
  if (gpu.generation != "ampere" && gpu.generation != "volta") {
    warn_about(name + ".fp8", gpu.fp8_tflops, out);
  }
  warn_about(name + ".power", gpu.power_w, out);
}

}  // namespace

std::vector<std::string> machine_problems(const Topology& topology) {
  std::vector<std::string> problems;
  const auto* built = dynamic_cast<const BuiltTopology*>(&topology);
  if (built == nullptr || !built->spec().fabric) return problems;
  const auto& fabric = *built->spec().fabric;
  const auto look_at = [&](const GpuModel& gpu, const Sourced& nic) {
    const double slots = gpu.pcie_gb_per_s.value;
    if (slots <= 0 || nic.value <= slots * topology.space().domain_size() / fabric.nics * 1.0001) {
      return;
    }
    problems.push_back(fmt::format(
        "a NIC of {:.10g} GB/s is more than the PCIe slots of its {} GPU{} carry ({:.10g} GB/s); "
        "give fewer Gbit/s, or the slots' rate as gpu.pcie",
        nic.value, topology.space().domain_size() / fabric.nics,
        topology.space().domain_size() == fabric.nics ? "" : "s", slots));
  };
  look_at(topology.gpu(), fabric.nic_bandwidth);
  for (const DomainPart& part : built->spec().others) look_at(part.gpu, part.nic_bandwidth);
  return problems;
}

std::vector<std::string> machine_warnings(const Topology& topology) {
  std::vector<std::string> warnings;
  for (const auto& link : topology.link_classes()) {
    warn_about(link.name + " bandwidth", link.bandwidth, warnings);
    warn_about(link.name + " latency", link.latency, warnings);
  }
  warn_about("channels", topology.channels(), warnings);
  warn_about_gpu("gpu", topology.gpu(), warnings);
  const auto* built = dynamic_cast<const BuiltTopology*>(&topology);
  if (built != nullptr) {
    const auto& spec = built->spec();
    for (const DomainPart& part : spec.others) {
      if (part.gpu.name != spec.gpu.name) warn_about_gpu(part.gpu.name, part.gpu, warnings);
      warn_about("others count", part.domains, warnings);
    }
    if (spec.announced) warnings.push_back("announced, not on sale: its figures are plans");
    if ((spec.domain.shape == "all_to_all" || spec.domain.shape == "cube_mesh") &&
        topology.space().domain_size() > 1) {
      warnings.push_back(
          fmt::format("the links of a {} are one pipe to a switch here, in reality {}: one pair "
                      "alone has less, "
                      "and all-to-all may have less",
                      spec.domain.member, spec.domain.shape));
    }
    for (const auto& doubt : spec.doubts) warnings.push_back("doubt: " + doubt);
  }
  if (built != nullptr && built->spec().fabric) {
    const auto& fabric = *built->spec().fabric;
    warn_about("fabric.nic.latency", fabric.nic_latency, warnings);
    if (fabric.site_bandwidth)
      warn_about("fabric.sites.distance_km", *fabric.site_latency, warnings);
    if (fabric.radix) warn_about("fabric.radix", *fabric.radix, warnings);
    if (fabric.tiers >= 2 && built->spec().domains.value <= fabric.domains_per_leaf) {
      warnings.push_back(
          fmt::format("all {} {}s fit under the leaves of one group; the spine "
                      "carries only messages that change rail",
                      built->spec().domains.value, built->spec().domain.noun));
    }
  }
  return warnings;
}

}  // namespace fabricast
