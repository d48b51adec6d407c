// Machines whose nodes are of several kinds: `others` in a machine file.
#include <gtest/gtest.h>

#include <string>

#include "emulator/base/error.hpp"
#include "tests/unit/topologies/example_machines.hpp"
#include "topologies/builders/structure.hpp"
#include "topologies/draw/machine_svg.hpp"
#include "topologies/export/infragraph_yaml.hpp"
#include "topologies/model/machine_cost.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

// Six boxes of four GPUs with NICs of 400G, and two with what `others` says of them.
std::shared_ptr<const Topology> boxes(const std::string& others) {
  return parse_machine(tree_yaml({.domains = 6, .radix = 32}) + others, "m.yaml");
}

const BuiltTopology& built(const std::shared_ptr<const Topology>& machine) {
  return dynamic_cast<const BuiltTopology&>(*machine);
}

const LinkClass& class_of(const Topology& machine, LinkId link) {
  return machine.link_classes()[machine.link_class(link).value()];
}

std::string refusal(const std::string& yaml) {
  try {
    parse_machine(yaml, "m.yaml");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "read";
}

TEST(UnlikeNodes, SlowerNicsAreAClassOfTheirOwn) {
  const auto machine = boxes(
      "others:\n  - count: [2, assumed, test]\n"
      "    nic: {bandwidth: [200 Gbit/s, datasheet, test], latency: [4 us, published, test]}\n");
  EXPECT_EQ(machine->space(), RankSpace({4, 8}));
  EXPECT_EQ(machine->kinds(), 2);
  EXPECT_EQ(machine->kind_of(RankId(23)), 0);
  EXPECT_EQ(machine->kind_of(RankId(24)), 1);
  const Route route = machine->route(RankId(5), RankId(30));
  const LinkClass& fast = class_of(*machine, route.links[0]);
  const LinkClass& slow =
      class_of(*machine, route.links[static_cast<std::size_t>(route.count) - 1]);
  EXPECT_EQ(fast.name, "nic");
  EXPECT_EQ(fast.bandwidth.value, 50);
  EXPECT_EQ(fast.latency.value, 1.4);
  EXPECT_EQ(slow.name, "nic_2");
  EXPECT_EQ(slow.kind, LinkKind::nic);
  EXPECT_EQ(slow.bandwidth.value, 25);
  EXPECT_EQ(slow.latency.value, 2);
  const Route inside = machine->route(RankId(28), RankId(30));
  EXPECT_EQ(machine->link_class(inside.links[0]), LinkClassId(0)) << "the same NVLinks";
  EXPECT_EQ(built(machine).spec().domains.value, 8);
  // Four boxes of four NICs; the other half has two of them at half the rate.
  EXPECT_EQ(structure_of(built(machine)).bisection_gb_per_s, 2 * 4 * 50 + 2 * 4 * 25);
  EXPECT_EQ(structure_of(built(machine)).diameter_us, 2 + 2 * 0.45 + 2);
}

TEST(UnlikeNodes, RackTypesByName) {
  const auto machine = load_machine("gb300-gb200x140");
  const MachineSpec& spec = built(machine).spec();
  EXPECT_EQ(machine->ranks(), 10'080);
  EXPECT_EQ(spec.first_domains(), 100);
  ASSERT_EQ(spec.others.size(), 1u);
  EXPECT_EQ(spec.gpu.name, "B300");
  EXPECT_EQ(spec.others[0].gpu.name, "B200");
  EXPECT_EQ(spec.others[0].nic_bandwidth.value, 50);
  EXPECT_NE(machine->yaml().find("# node: gb200-nvl72"), std::string::npos) << "the trace's echo";
  // 100 racks of 135 kW and 40 of 132 kW, facility overhead 1.3.
  EXPECT_NEAR(running_cost(spec, machine->ranks()).watts, (100 * 135e3 + 40 * 132e3) * 1.3, 1);
  EXPECT_NEAR(running_cost(spec, 7'272).watts, (100 * 135e3 + 132e3) * 1.3, 1);
  EXPECT_EQ(running_cost(spec, machine->ranks()).usd_per_hour, 0) << "one kind has no price";
  const std::string picture = machine_svg(*machine);
  for (const auto* part : {"racks 0 to 99, B300", "racks 100 to 139, B200", "400 Gbit/s each",
                           "50 to 100 GB/s per NIC"}) {
    EXPECT_NE(picture.find(part), std::string::npos) << part;
  }
  EXPECT_THROW(to_infragraph(built(machine)), UsageError);
}

TEST(UnlikeNodes, APartHasTheKindsOfItsRanks) {
  const auto machine = load_machine("gb300-gb200x140");
  const auto most = with_ranks(machine, 110 * 72);
  EXPECT_EQ(built(most).spec().first_domains(), 100);
  EXPECT_EQ(built(most).spec().others.at(0).domains.value, 10);
  EXPECT_EQ(most->kinds(), 2);
  const auto first = with_ranks(machine, 60 * 72);
  EXPECT_EQ(first->kinds(), 1);
  EXPECT_EQ(built(first).spec().first_domains(), 60);
  EXPECT_TRUE(built(with_ranks(machine, 36)).spec().others.empty());
}

// NCCL's ranks take the least that any of them found: of those that take part.
TEST(UnlikeNodes, APartHasTheChannelsOfItsNodes) {
  const auto yaml = [](const std::string& more) {
    return "name: m\ntitle: m\nkind: nested\nnode: hgx-h100\ncount: [4, assumed, t]\n"
           "fabric: infiniband-ndr\n" +
           more +
           "others:\n  - count: [1, assumed, t]\n    node:\n"
           "      kind: single_node\n      gpus: [8, assumed, t]\n"
           "      gpu: {name: H100, generation: hopper}\n      channels: [8, assumed, t]\n"
           "      interconnect: {kind: nvlink, bandwidth: [450 GB/s, assumed, t], latency: [150 "
           "ns, assumed, t]}\n"
           "      scale_out: {fabric: infiniband-ndr, channels: [2, assumed, t]}\n";
  };
  const auto machine = parse_machine(yaml(""), "m.yaml");
  EXPECT_EQ(machine->channels().value, 2);
  EXPECT_EQ(with_ranks(machine, 32)->channels().value,
            load_machine("hgx-h100x4")->channels().value);
  const auto told = parse_machine(yaml("channels: [6, assumed, t]\n"), "m.yaml");
  EXPECT_EQ(told->channels().value, 6);
  EXPECT_EQ(with_ranks(told, 32)->channels().value, 6);
}

TEST(UnlikeNodes, OthersThatAreAlikeMakeNoDifference) {
  const auto machine = boxes("others:\n  - count: [2, assumed, test]\n");
  const auto plain = parse_machine(tree_yaml({.domains = 8, .radix = 32}), "m.yaml");
  EXPECT_EQ(machine->kinds(), 1);
  EXPECT_EQ(machine->link_classes().size(), plain->link_classes().size());
  for (std::int64_t link = 0; link < plain->links(); ++link) {
    EXPECT_EQ(machine->link_class(LinkId::from(link)), plain->link_class(LinkId::from(link)));
  }
}

TEST(UnlikeNodes, KindsMayComeInTurns) {
  const std::string slow =
      "  - count: [1, assumed, test]\n    nic: {bandwidth: [200 Gbit/s, datasheet, test]}\n";
  const auto machine = boxes("others:\n" + slow + "  - count: [1, assumed, test]\n" + slow);
  EXPECT_EQ(machine->kinds(), 2);
  for (const auto& [rank, kind] : {std::pair{23, 0}, {24, 1}, {28, 0}, {32, 1}}) {
    EXPECT_EQ(machine->kind_of(RankId::from(rank)), kind) << rank;
  }
}

// A node that is written out says all of itself.
TEST(UnlikeNodes, WrittenOutNodesInheritNothing) {
  const auto machine = parse_machine(
      "name: m\ntitle: m\nkind: nested\nnode: hgx-h100\ncount: [2, assumed, t]\n"
      "fabric: infiniband-ndr\nothers:\n  - count: [2, assumed, t]\n    node:\n"
      "      kind: single_node\n      gpus: [8, assumed, t]\n"
      "      gpu: {name: H100, generation: hopper}\n      channels: [8, assumed, t]\n"
      "      interconnect: {kind: nvlink, bandwidth: [450 GB/s, assumed, t], latency: [150 ns, "
      "assumed, t]}\n",
      "m.yaml");
  EXPECT_EQ(built(machine).spec().domain.in_network_reduction->value, 1);
  EXPECT_FALSE(built(machine).spec().others[0].domain.in_network_reduction.has_value());
  EXPECT_EQ(running_cost(built(machine).spec(), machine->ranks()).watts, 0) << "half is not known";
  EXPECT_GT(running_cost(built(machine).spec(), 16).watts, 0);
}

TEST(UnlikeNodes, FasterNicsMayComeLastUnderOneSwitch) {
  const auto machine = parse_machine(
      "name: m\ntitle: m\nkind: nested\nnode: hgx-h100\ncount: [2, assumed, t]\n"
      "fabric: {kind: single_switch, name: roce, nic: {bandwidth: [200 Gbit/s, assumed, t], "
      "latency: [3 us, assumed, t]}}\n"
      "others:\n  - {count: [2, assumed, t], nic: {bandwidth: [400 Gbit/s, assumed, t]}}\n",
      "m.yaml");
  EXPECT_NE(machine_svg(*machine).find("25 to 50 GB/s per NIC"), std::string::npos);
}

TEST(UnlikeNodes, AsManyKindsOfLinksAsAreToldApart) {
  std::string yaml = tree_yaml({.domains = 6, .radix = 32}) + "others:\n";
  for (const int gbit : {350, 300, 250, 200, 150}) {
    yaml += "  - {count: [1, assumed, t], nic: {bandwidth: [" + std::to_string(gbit) +
            " Gbit/s, assumed, t]}}\n";
  }
  EXPECT_EQ(parse_machine(yaml, "m.yaml")->link_classes().size(), Topology::max_link_classes);
  yaml += "  - {count: [1, assumed, t], nic: {bandwidth: [100 Gbit/s, assumed, t]}}\n";
  EXPECT_NE(refusal(yaml).find("others[5]: its nic would be a ninth kind of link"),
            std::string::npos)
      << refusal(yaml);
}

// Even with equal figures: what a step takes there is another generation's.
TEST(UnlikeNodes, LinksOfAnotherGenerationAreAClassOfTheirOwn) {
  const std::string yaml =
      "name: m\ntitle: m\nkind: nested\nnode: hgx-b200\ncount: [4, assumed, t]\n"
      "fabric: infiniband-ndr\nothers:\n  - {node: hgx-h100, count: [2, assumed, t]}\n"
      "  - {node: hgx-b200, count: [2, assumed, t]}\n"
      "  - {node: hgx-h200, count: [2, assumed, t]}\n";
  const auto machine = parse_machine(yaml, "m.yaml");
  EXPECT_EQ(machine->kinds(), 2) << "H100 and H200 have equal links";
  std::string names;
  for (const LinkClass& link : machine->link_classes())
    names += link.name + ':' + link.generation + ' ';
  EXPECT_EQ(names, "nvlink: nic: leaf_uplink: nvlink_2:hopper nic_2:hopper ");
  EXPECT_EQ(machine->kind_of(RankId(8 * 4)), 1);
  EXPECT_EQ(machine->kind_of(RankId(8 * 7)), 0);
  EXPECT_EQ(machine->kind_of(RankId(8 * 9)), 1);
}

TEST(UnlikeNodes, TheListCannotBeSet) {
  for (const std::string setting : {"others=3", "others[0].count=3", "others.count=3"}) {
    try {
      load_machine("gb300-gb200x140", {setting});
      ADD_FAILURE() << setting;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find("a list cannot be set"), std::string::npos)
          << error.what();
    }
  }
}

TEST(UnlikeNodes, WhatCannotStandBesideTheOthersIsRefused) {
  const std::string yaml = tree_yaml({.domains = 6}) + "others:\n  - count: [2, assumed, test]\n";
  const auto beside = [](const std::string& node, const std::string& other) {
    return "name: m\ntitle: m\nkind: nested\nnode: " + node +
           "\ncount: [4, assumed, t]\nfabric: infiniband-ndr\nothers:\n  - {node: " + other +
           ", count: [2, assumed, t]}\n";
  };
  const std::pair<std::string, std::string> cases[] = {
      {beside("hgx-h100", "gb200-nvl72"), "trays of 4 gpus where the first nodes have no trays"},
      {yaml + "    node: {kind: single_node, gpus: [4, assumed, t], channels: [4, assumed, t],\n"
              "      gpu: {name: X, vendor: amd, generation: other, hbm: [1 GB, assumed, t],\n"
              "        hbm_bandwidth: [1 TB/s, assumed, t], bf16: [1 TFLOPS, assumed, t],\n"
              "        fp8: [1 TFLOPS, assumed, t], power: [1 W, assumed, t]},\n"
              "      interconnect: {kind: nvlink, bandwidth: [100 GB/s, assumed, t],\n"
              "        latency: [1 us, assumed, t]}}\n",
       "a GPU of amd beside one of nvidia (no collective library"},
      {beside("mi300x-8", "mi355x-8"), "(full_mesh) beside"},
      {beside("hgx-h100", "hgx-h100x16"), "\"hgx-h100x16\" is itself nested"},
      {beside("hgx-h100", "hgx-h1000"), "did you mean"},
      {yaml + "    nic: {bandwidth: [800 Gbit/s, datasheet, test]}\n",
       "list the faster nodes first"},
      {yaml + "    nic: {rails: [8, datasheet, test]}\n", "rails"},
      {yaml + "    nod: hgx-h100\n", "nod"},
      {tree_yaml({.domains = 6, .radix = 32}) + "others: []\n", "no other nodes"},
      {tree_yaml({.domains = 6}) + "others:\n  - nic: {}\n", "count"},
  };
  for (const auto& [text, said] : cases) {
    const std::string message = refusal(text);
    EXPECT_NE(message.find(said), std::string::npos) << said << " not in: " << message;
    EXPECT_NE(message.find("m.yaml:"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace fabricast
