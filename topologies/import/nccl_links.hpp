// The NVLinks that a topology file of NCCL gives its GPUs, and the shape that they make.
//
// Bus ids are in lower case. Complexity: linear in the links. Thread safety: pure function.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>

namespace fabricast {

struct GpuLinks {
  std::string bus_id;
  std::map<std::string, int> targets;  // links by bus id of what they lead to
  std::set<std::string> to_gpus;       // those of them that are GPUs by their PCI class
  bool switched = true;                // all lead to switches by their PCI class
};

// Without links to GPUs that are not among these (half of a box, say): NCCL leaves them out too.
bool drop_links_out(std::span<GpuLinks> gpus);

// All links of a GPU together.
int count_of(const GpuLinks& gpu);

// Of links that lead to GPUs and not to a switch: "full_mesh" (of each to each other, equally
// many), "cube_mesh" (otherwise, but joining all), "apart"; else "".
std::string shape_of_links(std::span<const GpuLinks> gpus);

}  // namespace fabricast
