#include "topologies/import/nccl_links.hpp"

#include <vector>

namespace fabricast {

std::string shape_of_links(std::span<const GpuLinks> gpus) {
  std::map<std::string, const GpuLinks*> by_bus_id;
  for (const auto& gpu : gpus) by_bus_id[gpu.bus_id] = &gpu;
  bool alike = true;
  int count = 0;
  for (const auto& gpu : gpus) {
    if (gpu.targets.empty()) return "";
    alike = alike && gpu.targets.size() + 1 == gpus.size();
    for (const auto& [target, links] : gpu.targets) {
      // A GPU that the file leaves out: this one is not joined with all of the others.
      if (!by_bus_id.contains(target)) return gpu.to_gpus.contains(target) ? "apart" : "";
      if (count == 0) count = links;
      alike = alike && links == count;
    }
  }
  if (alike) return "full_mesh";
  // Whom the first GPU reaches over links, in any number of steps.
  std::set<std::string> reached{by_bus_id.begin()->first};
  std::vector<std::string> next{by_bus_id.begin()->first};
  while (!next.empty()) {
    const GpuLinks& at = *by_bus_id.at(next.back());
    next.pop_back();
    for (const auto& [target, links] : at.targets) {
      if (reached.insert(target).second) next.push_back(target);
    }
  }
  return reached.size() == by_bus_id.size() ? "cube_mesh" : "apart";
}

}  // namespace fabricast
