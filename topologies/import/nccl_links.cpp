#include "topologies/import/nccl_links.hpp"

#include <vector>

namespace fabricast {

bool drop_links_out(std::span<GpuLinks> gpus) {
  bool dropped = false;
  std::set<std::string> here;
  for (const auto& gpu : gpus) here.insert(gpu.bus_id);
  for (auto& gpu : gpus) {
    for (const auto& target : gpu.to_gpus) {
      if (!here.contains(target)) dropped = gpu.targets.erase(target) > 0 || dropped;
    }
  }
  return dropped;
}

int count_of(const GpuLinks& gpu) {
  int count = 0;
  for (const auto& [target, links] : gpu.targets) count += links;
  return count;
}

std::string shape_of_links(std::span<const GpuLinks> gpus) {
  std::map<std::string, const GpuLinks*> by_bus_id;
  for (const auto& gpu : gpus) by_bus_id[gpu.bus_id] = &gpu;
  bool alike = true;
  int count = 0;
  for (const auto& gpu : gpus) {
    if (gpu.targets.empty()) return gpu.to_gpus.empty() ? "" : "apart";  // all lead elsewhere
    alike = alike && gpu.targets.size() + 1 == gpus.size();
    for (const auto& [target, links] : gpu.targets) {
      if (!by_bus_id.contains(target)) return "";
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
