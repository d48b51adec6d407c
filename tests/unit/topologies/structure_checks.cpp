#include "tests/unit/topologies/structure_checks.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "topologies/model/machine_file.hpp"

namespace fabricast {

const BuiltTopology& built(const Machine& machine) {
  return dynamic_cast<const BuiltTopology&>(*machine);
}

std::string domain_yaml(int members, double gb_per_s, const std::string& shape) {
  return fmt::format(
      "name: t\ntitle: t\nkind: single_node\ngpus: [{}, assumed, t]\n"
      "gpu: {{name: G, generation: other}}\n"
      "interconnect:\n  kind: nvlink\n  bandwidth: [{} GB/s, assumed, t]\n"
      "  latency: [1 us, assumed, t]\n{}"
      "channels: [8, assumed, t]\n",
      members, gb_per_s, shape);
}

Machine nested(int domains, int gpus, const std::string& fabric, const std::string& interconnect) {
  const std::string links =
      gpus == 1 ? ""
                : fmt::format(
                      "  interconnect: {{kind: nvlink, bandwidth: [70 GB/s, assumed, t], "
                      "latency: [1 us, assumed, t]{}}}\n",
                      interconnect);
  return parse_machine(
      fmt::format("name: t\ntitle: t\nkind: nested\ncount: [{}, assumed, t]\n"
                  "channels: [4, assumed, t]\n"
                  "node:\n  kind: single_node\n  gpus: [{}, assumed, t]\n"
                  "  gpu: {{name: G, generation: other}}\n  channels: [4, assumed, t]\n"
                  "{}"
                  "fabric:\n  name: ethernet\n  nic: {{bandwidth: [10 GB/s, assumed, t], "
                  "latency: [2 us, assumed, t]}}\n  hop_latency: [0.5 us, assumed, t]\n{}",
                  domains, gpus, links, fabric),
      "t");
}

std::string names(const Topology& machine, std::int64_t a, std::int64_t b) {
  std::string all;
  const Route route = machine.route(rank(a), rank(b));
  for (const LinkId link : route.span()) all += machine.link_name(link) + "; ";
  return all;
}

namespace {

// Pairs over every link, one by one.
std::vector<std::int64_t> counted_pairs(const Topology& machine) {
  std::vector<std::int64_t> pairs(static_cast<std::size_t>(machine.links()), 0);
  for (std::int32_t a = 0; a < machine.ranks(); ++a) {
    for (std::int32_t b = 0; b < machine.ranks(); ++b) {
      const Route route = machine.route(rank(a), rank(b));
      for (const LinkId link : route.span()) ++pairs[link.value()];
    }
  }
  return pairs;
}

}  // namespace

void expect_pairs_in_closed_form(const Topology& machine) {
  const auto pairs = counted_pairs(machine);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const LinkId link = LinkId::from(static_cast<std::int64_t>(i));
    const std::int64_t known = machine.pairs_on(link);
    if (known < 0) continue;  // a tree's
    ASSERT_EQ(known, pairs[i]) << machine.title() << ": " << machine.link_name(link);
  }
}

}  // namespace fabricast
