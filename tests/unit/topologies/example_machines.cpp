#include "tests/unit/topologies/example_machines.hpp"

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

namespace fabricast {
namespace {

std::string gpu_box(int gpus, std::string_view indent) {
  std::string text = fmt::format(
      "{0}kind: single_node\n"
      "{0}gpus: [{1}, assumed, test]\n"
      "{0}gpu:\n"
      "{0}  name: H100\n"
      "{0}  generation: hopper\n"
      "{0}  hbm: [80 GB, datasheet, test]\n"
      "{0}  hbm_bandwidth: [3.35 TB/s, datasheet, test]\n"
      "{0}  bf16: [989 TFLOPS, datasheet, test]\n"
      "{0}  fp8: [1979 TFLOPS, datasheet, test]\n"
      "{0}  power: [700 W, datasheet, test]\n"
      "{0}channels: [24, published, test]\n",
      indent, gpus);
  if (gpus > 1) {
    text += fmt::format(
        "{0}interconnect:\n"
        "{0}  kind: nvlink\n"
        "{0}  bandwidth: {{value: 450 GB/s, origin: datasheet, source: test}}\n"
        "{0}  latency: {{value: 150 ns, origin: assumed, source: test}}\n",
        indent);
  }
  return text;
}

}  // namespace

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  if (at == std::string::npos) {
    fmt::print(stderr, "the example machine has no \"{}\" to replace\n", from);
    std::abort();
  }
  return text.replace(at, from.size(), to);
}

std::string node_yaml(int gpus) { return "name: box\ntitle: A box\n" + gpu_box(gpus, ""); }

std::string tree_yaml(const TreeShape& shape) {
  std::string text = fmt::format(
      "name: tree\n"
      "title: Boxes under a tree\n"
      "kind: nested\n"
      "count: [{}, assumed, test]\n"
      "channels: [16, published, test]\n"
      "fabric:\n"
      "  kind: rail_fat_tree\n"
      "  name: infiniband\n"
      "  nic:\n"
      "    bandwidth: [400 Gbit/s, datasheet, test]\n"
      "    latency: [2.8 us, published, test]\n"
      "    per_node: [{}, datasheet, test]\n"
      "  tiers: [{}, assumed, test]\n"
      "  rails: [{}, assumed, test]\n"
      "  radix: [{}, datasheet, test]\n"
      "  oversubscription: [{}, assumed, test]\n"
      "  hop_latency: [450 ns, published, test]\n",
      shape.domains, shape.nics, shape.tiers, shape.rails, shape.radix, shape.oversubscription);
  if (shape.tiers == 3) {
    text +=
        fmt::format("  core_oversubscription: [{}, assumed, test]\n", shape.core_oversubscription);
  }
  return text + "node:\n" + gpu_box(shape.gpus, "  ");
}

}  // namespace fabricast
