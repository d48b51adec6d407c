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

}  // namespace

std::vector<std::string> machine_warnings(const Topology& topology) {
  std::vector<std::string> warnings;
  for (const auto& link : topology.link_classes()) {
    warn_about(link.name + " bandwidth", link.bandwidth, warnings);
    warn_about(link.name + " latency", link.latency, warnings);
  }
  warn_about("channels", topology.channels(), warnings);
  const auto& gpu = topology.gpu();
  if (gpu.generation != "host") {
    warn_about("gpu.hbm", gpu.hbm_gb, warnings);
    warn_about("gpu.hbm_bandwidth", gpu.hbm_tb_per_s, warnings);
    warn_about("gpu.bf16", gpu.bf16_tflops, warnings);
    if (gpu.generation != "ampere") warn_about("gpu.fp8", gpu.fp8_tflops, warnings);
    warn_about("gpu.power", gpu.power_w, warnings);
  }
  const auto* built = dynamic_cast<const BuiltTopology*>(&topology);
  if (built != nullptr && built->spec().fabric) {
    const auto& fabric = *built->spec().fabric;
    warn_about("fabric.nic.latency", fabric.nic_latency, warnings);
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
