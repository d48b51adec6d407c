// Machines whose nodes are of several sizes: a domain is a part of a node.
#include <gtest/gtest.h>

#include <string>

#include "emulator/base/error.hpp"
#include "topologies/builders/rail_fat_tree.hpp"
#include "topologies/builders/structure.hpp"
#include "topologies/draw/machine_svg.hpp"
#include "topologies/model/machine_cost.hpp"
#include "topologies/model/machine_file.hpp"
#include "topologies/model/rank_selection.hpp"

namespace fabricast {
namespace {

std::shared_ptr<const Topology> machine_of(const std::string& first, const std::string& other,
                                           const std::string& more = "") {
  return parse_machine(
      "name: m\ntitle: m\nkind: nested\nnode: " + first +
          "\ncount: [3, assumed, t]\nfabric: infiniband-ndr\nothers:\n  - {node: " + other +
          ", count: [2, assumed, t]}\n" + more,
      "m.yaml");
}

std::string box(int gpus) {
  return "{kind: single_node, gpus: [" + std::to_string(gpus) +
         ", assumed, t], channels: [8, assumed, t], gpu: {name: A, generation: ampere}, "
         "interconnect: {kind: nvlink, bandwidth: [300 GB/s, assumed, t], latency: [150 ns, "
         "assumed, t]}}";
}

const MachineSpec& spec_of(const Topology& machine) {
  return dynamic_cast<const BuiltTopology&>(machine).spec();
}

bool by_network(const Topology& machine, std::int32_t a, std::int32_t b) {
  const Route route = machine.route(RankId::from(a), RankId::from(b));
  for (const LinkId link : route.span()) {
    if (machine.link_classes()[machine.link_class(link).value()].kind == LinkKind::nic) return true;
  }
  return false;
}

TEST(DividedNodes, PartsOfARackMeetAtItsSwitch) {
  const auto machine = machine_of("gb200-nvl72", "gb200-nvl36");
  EXPECT_EQ(machine->space(), RankSpace({36, 8}));
  EXPECT_EQ(spec_of(*machine).domain.domains_per_node, 2);
  EXPECT_EQ(spec_of(*machine).others[0].domain.domains_per_node, 1);
  EXPECT_EQ(machine->kinds(), 1) << "equal links and NICs";
  for (const auto& [a, b, network] : {std::tuple{0, 71, false},
                                      {35, 36, false},
                                      {71, 72, true},
                                      {215, 216, true},
                                      {216, 251, false},
                                      {251, 252, true},
                                      {0, 287, true}}) {
    EXPECT_EQ(by_network(*machine, a, b), network) << a << ' ' << b;
    EXPECT_EQ(machine->node_of(RankId::from(a)) != machine->node_of(RankId::from(b)), network);
  }
  const RankSelection some(machine, {RankId(0), RankId(40), RankId(80)});
  EXPECT_EQ(some.node_of(RankId(0)), some.node_of(RankId(1)));
  EXPECT_NE(some.node_of(RankId(0)), some.node_of(RankId(2)));
  EXPECT_EQ(machine->link_name(machine->route(RankId(40), RankId(0)).links[0]),
            "rack part 1 tray 1 gpu 4 nvlink up");
  const std::string picture = machine_svg(*machine);
  for (const auto* part : {"72 NICs", "36 NICs", "rack parts 0 to 5, B200; 2 of them in one"})
    EXPECT_NE(picture.find(part), std::string::npos) << part;
}

TEST(DividedNodes, APartWithNodesOfOneSizeIsTheMachineOfThese) {
  const auto machine = machine_of("gb200-nvl72", "gb200-nvl36");
  ASSERT_TRUE(machine->has_parts_of_nodes());
  EXPECT_TRUE(spec_of(*machine).has_parts_of_nodes());
  EXPECT_EQ(spec_of(*machine).domain.noun, "rack part");
  EXPECT_EQ(spec_of(*machine).node_noun(), "rack");
  const auto racks = with_ranks(machine, 144);
  EXPECT_EQ(racks->space(), RankSpace({72, 2}));
  EXPECT_FALSE(racks->has_parts_of_nodes());
  EXPECT_FALSE(spec_of(*racks).has_parts_of_nodes());
  EXPECT_EQ(spec_of(*racks).fabric->nics, 72);
  EXPECT_EQ(spec_of(*racks).domain.noun, "rack");
  EXPECT_EQ(with_ranks(machine, 72)->space(), RankSpace({72}));
  EXPECT_EQ(with_ranks(machine, 50)->space(), RankSpace({50}));
  EXPECT_EQ(with_ranks(machine, 108)->space(), RankSpace({36, 3})) << "half a rack is left";
}

TEST(DividedNodes, PowerAndBisectionAreThoseOfWholeNodes) {
  const auto machine = machine_of("gb200-nvl72", "gb200-nvl36");
  const MachineSpec& spec = spec_of(*machine);
  const double rack_kw = spec_of(*load_machine("gb200-nvl72")).cost.domain_power_kw->value;
  EXPECT_NEAR(running_cost(spec, 72).watts, rack_kw * 1e3 * spec.cost.facility_overhead->value, 1);
  EXPECT_NEAR(running_cost(spec, 144).watts, 2 * running_cost(spec, 72).watts, 1);
  // The middle of eight parts is between two racks: 4 x 36 NICs of 50 GB/s on one side.
  EXPECT_EQ(structure_of(dynamic_cast<const BuiltTopology&>(*machine)).bisection_gb_per_s,
            4 * 36 * 50);
  const auto rack = with_ranks(machine, 72);
  EXPECT_EQ(structure_of(dynamic_cast<const BuiltTopology&>(*rack)).bisection_gb_per_s, 36 * 900);
  // Of three racks the middle part is in the second one, which is not cut.
  const auto three = with_ranks(machine, 216);
  EXPECT_EQ(structure_of(dynamic_cast<const BuiltTopology&>(*three)).bisection_gb_per_s,
            2 * 36 * 50);
}

TEST(DividedNodes, NicsAndLeavesAreSaidOfWholeNodes) {
  const std::string fabric =
      "fabric:\n  kind: rail_fat_tree\n  name: roce\n  rails: [2, assumed, t]\n"
      "  nic: {bandwidth: [400 Gbit/s, assumed, t], latency: [3 us, assumed, t], per_node: [4, "
      "assumed, t]}\n"
      "  radix: [64, assumed, t]\n  hop_latency: [0.5 us, assumed, t]\n"
      "  domains_per_leaf: [2, assumed, t]\n";
  const std::string yaml = "name: m\ntitle: m\nkind: nested\nnode: " + box(8) +
                           "\ncount: [4, assumed, t]\nothers: [{node: " + box(4) +
                           ", count: [2, assumed, t]}]\nchannels: [4, assumed, t]\n" + fabric;
  const auto machine = parse_machine(yaml, "m.yaml");
  EXPECT_EQ(machine->space(), RankSpace({4, 10}));
  EXPECT_EQ(spec_of(*machine).fabric->nics, 2);
  EXPECT_EQ(spec_of(*machine).fabric->domains_per_leaf, 4);
  const auto& tree = dynamic_cast<const RailFatTree&>(*machine);
  EXPECT_EQ(tree.leaf_of(RankId(15)), tree.leaf_of(RankId(7)));
  EXPECT_NE(tree.leaf_of(RankId(16)), tree.leaf_of(RankId(8)));
}

TEST(DividedNodes, WhatCannotBeDividedIsRefused) {
  const auto refusal = [](const std::string& yaml) -> std::string {
    try {
      parse_machine(yaml, "m.yaml");
    } catch (const UsageError& error) {
      return error.what();
    }
    return "read";
  };
  const auto beside = [](const std::string& first, const std::string& others) {
    return "name: m\ntitle: m\nkind: nested\nnode: " + first +
           "\ncount: [4, assumed, t]\nchannels: [4, assumed, t]\nothers:\n" + others;
  };
  const std::string fabric = "fabric: infiniband-ndr\n";
  const std::string two_sites =
      "fabric:\n  kind: rail_fat_tree\n  name: roce\n  radix: [64, assumed, t]\n"
      "  nic: {bandwidth: [400 Gbit/s, assumed, t], latency: [3 us, assumed, t]}\n"
      "  hop_latency: [0.5 us, assumed, t]\n"
      "  sites: {count: [2, assumed, t], distance_km: [10, assumed, t],\n"
      "    bandwidth: [1 Tbit/s, assumed, t]}\n";
  const std::string rails_apart =
      "fabric:\n  kind: rail_only\n  name: roce\n  radix: [64, assumed, t]\n"
      "  nic: {bandwidth: [400 Gbit/s, assumed, t], latency: [3 us, assumed, t]}\n"
      "  hop_latency: [0.5 us, assumed, t]\n";
  const std::string uneven =
      "fabric:\n  kind: single_switch\n  name: roce\n"
      "  nic: {bandwidth: [400 Gbit/s, assumed, t], latency: [3 us, assumed, t], per_node: [1, "
      "assumed, t]}\n";
  const std::string four = "  - {node: " + box(4) + ", count: [2, assumed, t]}\n";
  const std::pair<std::string, std::string> cases[] = {
      {beside("hgx-h100", "  - {node: gb200-nvl72, count: [2, assumed, t]}\n") + fabric,
       "trays of 4 gpus where the first nodes have no trays"},
      {beside(box(8), "  - {node: " + box(3) + ", count: [2, assumed, t]}\n") + fabric,
       "m.yaml:8:3: others: nodes of such sizes have parts of 1 gpu in common, and a part is two "
       "at least"},
      {beside(box(8), four) + two_sites,
       "m.yaml:8:3: others: nodes of several sizes at several "
       "sites"},
      {beside(box(8), four) + rails_apart, "nodes of several sizes on rails that nothing joins"},
      {beside(box(4), "  - {node: " + box(8) + ", count: [2, assumed, t]}\n") + fabric,
       "m.yaml:8:5: others[0]: nodes of 8 gpus behind others that do not make up whole ones"},
      {beside(box(8), "  - {node: " + box(4) + ", count: [3, assumed, t]}\n  - {node: " + box(8) +
                          ", count: [1, assumed, t]}\n") +
           fabric,
       "others[1]: nodes of 8 gpus behind others"},
      {beside(box(8), four) + uneven, "1 NICs cannot be shared evenly by the 2 parts of 4 gpus"},
  };
  for (const auto& [yaml, said] : cases) {
    const std::string message = refusal(yaml);
    EXPECT_NE(message.find(said), std::string::npos) << said << " not in: " << message;
  }
}

}  // namespace
}  // namespace fabricast
