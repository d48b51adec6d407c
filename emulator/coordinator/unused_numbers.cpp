#include "emulator/coordinator/unused_numbers.hpp"

#include <cstdint>

#include "topologies/builders/built_topology.hpp"

namespace fabricast {
namespace {

// Collectives move bytes: what a GPU computes, stores and draws matters to other questions.
void list_processor(const MachineSpec& spec, const std::string& prefix, ExecutorKind executor,
                    std::vector<std::string>& out) {
  if (spec.processor) {
    out.push_back(prefix + "processor.memory");
    // Only threads of one process share a cache whose size decides the regime.
    if (executor != ExecutorKind::host && spec.processor->llc_mb.value != 0) out.push_back(prefix + "processor.llc");
    return;
  }
  const auto list = [&](const Sourced& number, const char* key) {
    if (number.value != 0) out.push_back(prefix + "gpu." + key);
  };
  list(spec.gpu.hbm_gb, "hbm");
  list(spec.gpu.hbm_tb_per_s, "hbm_bandwidth");
  list(spec.gpu.bf16_tflops, "bf16");
  list(spec.gpu.fp8_tflops, "fp8");
  list(spec.gpu.power_w, "power");
}

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

void list_fabric(const FabricSpec& fabric, std::int64_t domains, std::vector<std::string>& out) {
  if (fabric.tiers < 2 || fabric.kind == "dragonfly") return;
  const std::int64_t groups = ceil_div(domains, fabric.domains_per_leaf);
  if (groups == 1 && fabric.rails == 1) {
    out.insert(out.end(), {"fabric.oversubscription", "fabric.hop_latency"});
  }
  if (fabric.tiers == 3 && ceil_div(groups, fabric.groups_per_pod) == 1) {
    out.emplace_back("fabric.core_oversubscription");
  }
}

}  // namespace

std::vector<std::string> unused_numbers(const Topology& whole, const Topology& used,
                                        ExecutorKind executor) {
  const auto* all = dynamic_cast<const BuiltTopology*>(&whole);
  const auto* part = dynamic_cast<const BuiltTopology*>(&used);
  if (all == nullptr || part == nullptr) return {};
  const bool nested = all->spec().fabric.has_value();
  std::vector<std::string> out;
  list_processor(all->spec(), nested ? "node." : "", executor, out);
  if (!nested) return out;
  if (const auto& fabric = part->spec().fabric) {
    out.emplace_back("node.channels");
    list_fabric(*fabric, static_cast<std::int64_t>(part->spec().domains.value), out);
  } else {  // --ranks within one domain
    out.insert(out.end(), {"count", "channels", "fabric"});
  }
  return out;
}

}  // namespace fabricast
