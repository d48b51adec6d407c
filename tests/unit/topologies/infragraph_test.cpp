// InfraGraph: what is written is read back as the same machine, and what cannot be told is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "tests/unit/topologies/structure_checks.hpp"
#include "topologies/builders/rail_fat_tree.hpp"
#include "topologies/export/infragraph_yaml.hpp"
#include "topologies/import/infragraph.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

Machine read_back(const std::string& yaml, const std::string& node = "") {
  return parse_machine(machine_of(read_infragraph(yaml, "g.yaml"), "g.yaml", node), "back.yaml");
}

std::string message_of(const std::string& yaml) {
  try {
    read_back(yaml);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "(accepted)";
}

void expect_same(const std::string& name, std::int32_t ranks = 0,
                 const std::vector<std::string>& set = {}) {
  auto machine = load_machine(name, set);
  if (ranks > 0) machine = with_ranks(machine, ranks);
  const auto back = read_back(to_infragraph(built(machine)));
  SCOPED_TRACE(name);
  ASSERT_EQ(back->space(), machine->space());
  ASSERT_EQ(back->links(), machine->links());
  for (std::int64_t i = 0; i < machine->links(); ++i) {
    const LinkId link = LinkId::from(i);
    ASSERT_EQ(back->link_class(link), machine->link_class(link));
  }
  const auto &was = machine->link_classes(), &is = back->link_classes();
  ASSERT_EQ(is.size(), was.size());
  for (std::size_t c = 0; c < is.size(); ++c) {
    EXPECT_NEAR(is[c].bandwidth.value, was[c].bandwidth.value, 1e-4 * was[c].bandwidth.value);
    EXPECT_NEAR(is[c].latency.value, was[c].latency.value, 1e-9);
  }
  for (const std::int32_t last : {1, machine->ranks() / 2, machine->ranks() - 1}) {
    const Route is_way = back->route(rank(0), rank(last)),
                was_way = machine->route(rank(0), rank(last));
    EXPECT_TRUE(std::ranges::equal(is_way.span(), was_way.span())) << names(*back, 0, last);
  }
}

TEST(InfraGraph, MachinesComeBackAsTheyWent) {
  expect_same("hgx-h100");
  expect_same("gb200-nvl72");
  expect_same("mi300x-8");
  expect_same("hgx-h100x16");
  expect_same("hgx-h100x80");             // two groups, rails joined by spines
  expect_same("hgx-h100x1260", 8 * 300);  // three tiers, several pods
  expect_same("hgx-h100x1260", 8 * 80);   // one pod, partly filled
  expect_same("hgx-h100x1260", 8 * 300, {"fabric.core_oversubscription=4"});
  expect_same("hgx-h100x1260", 8 * 300, {"fabric.oversubscription=3"});
  expect_same("gb300-nvl72x140", 72 * 12);  // several NICs of a rack on a rail
  expect_same("rail-only-h100x256", 8 * 64);
  expect_same("rail-only-h100x256", 0, {"fabric.radix=16", "fabric.tiers=3"});
  expect_same("mi300x-8x4");
}

// A core that joined the rails would give the machine ways that it has not.
TEST(InfraGraph, RailsStayApartUnderCores) {
  const auto machine = load_machine("rail-only-h100x256", {"fabric.radix=16", "fabric.tiers=3"});
  const auto graph = read_infragraph(to_infragraph(built(machine)), "g.yaml");
  // Rails are on leaves, layers of spines and cores in the order of their indexes.
  for (const InfraEdge& edge : graph.edges) {
    if (graph.instances[static_cast<std::size_t>(edge.b.owner)].name != "core") continue;
    EXPECT_EQ(edge.a.owner_index / 8 % 8, edge.b.owner_index / 8);
  }
}

TEST(InfraGraph, WhatItCannotSayIsRefused) {
  for (const auto* name :
       {"coreweave-estate", "mi250x-8x16@slingshot-11", "dgx-1-v100", "hgx-a100-4"}) {
    EXPECT_THROW(to_infragraph(built(load_machine(name))), UsageError) << name;
  }
  const auto torus = to_infragraph(built(load_machine("aws-trn2-16")));
  EXPECT_NE(message_of(torus).find("joins all its accelerators"), std::string::npos);
}

// Two boxes of four accelerators and two NICs on a switch, as somebody else would write them.
const std::string given = R"(
name: two boxes
devices:
  - name: box
    components:
      - {name: cpu, choice: cpu, count: 1}
      - {name: xpu, choice: xpu, count: 4, description: Some GPU}
      - {name: fabric, choice: switch, count: 2}
      - {name: nic, choice: nic, count: 2, nic: {}}
    links:
      - name: nvlink
        physical: {bandwidth: {choice: gigabits_per_second, gigabits_per_second: 800}}
      - {name: pcie, description: PCIe}
    edges:
      - {ep1: {component: xpu}, ep2: {component: "fabric[0:2]"}, scheme: many2many, link: nvlink}
      - {ep1: {component: "cpu[0]"}, ep2: {component: "xpu[0:4]"}, many2many: true, link: pcie}
      - {ep1: {component: "xpu[0:4:2]"}, ep2: {component: nic}, scheme: one2one, link: pcie}
  - name: switch
    components: [{name: port, choice: port, count: 4}]
    links: []
    edges: []
instances:
  - {name: host, device: box, count: 2}
  - {name: tor, device: switch, count: 1}
links:
  - name: eth
    physical: {bandwidth: {choice: gigabits_per_second, gigabits_per_second: 400}}
edges:
  - {ep1: {instance: host, component: nic}, ep2: {instance: tor, component: port}, scheme: one2one, link: eth}
)";

std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(InfraGraph, ReadsWhatOthersWrite) {
  const auto machine = read_back(given);
  EXPECT_EQ(machine->space(), RankSpace({4, 2}));
  EXPECT_EQ(machine->gpu().name, "Some GPU");
  EXPECT_DOUBLE_EQ(machine->link_classes()[0].bandwidth.value, 2 * 100);
  EXPECT_EQ(machine->link_classes()[0].latency.origin, Origin::assumed);
  EXPECT_DOUBLE_EQ(machine->link_classes()[1].bandwidth.value, 50);
  EXPECT_EQ(names(*machine, 1, 7), "node 0 nic 0 up; node 1 nic 1 down; ");
  const auto known = read_back(given, "hgx-a100-4");
  EXPECT_EQ(known->gpu().name, "A100");
}

// A leaf named whole has more ports than the node has NICs: these take the first ones, one by one.
TEST(InfraGraph, OneToOneEndsWithTheShorterList) {
  const auto machine = read_back(with(given, "choice: port, count: 4", "choice: port, count: 16"));
  EXPECT_EQ(machine->space(), RankSpace({4, 2}));
  EXPECT_EQ(names(*machine, 1, 7), "node 0 nic 0 up; node 1 nic 1 down; ");
  const auto graph =
      read_infragraph(with(given, "choice: port, count: 4", "choice: port, count: 16"), "g.yaml");
  ASSERT_EQ(graph.edges.size(), 4u);
  EXPECT_EQ(graph.edges[3].b.part_index, 3);
}

// NICs that are devices of their own: cables end at their ports, named through a dot or a key.
TEST(InfraGraph, ReadsPartsOfParts) {
  std::string text = with(given, "{name: nic, choice: nic, count: 2, nic: {}}",
                          "{name: card, choice: device, count: 2}");
  text = with(text, "ep2: {component: nic}, scheme: one2one, link: pcie",
              "ep2: {component: \"card[0:2].slot[0]\"}, scheme: one2one, link: pcie");
  text = with(text, "  - name: switch\n",
              "  - name: card\n"
              "    components:\n"
              "      - {name: slot, choice: custom, count: 1}\n"
              "      - {name: port, choice: port, count: 2}\n"
              "  - name: switch\n");
  text = with(text, "{instance: host, component: nic}",
              "{instance: host, component: \"card[0:2].port[1]\"}");
  const auto machine = read_back(text);
  EXPECT_EQ(machine->space(), RankSpace({4, 2}));
  EXPECT_EQ(names(*machine, 1, 7), "node 0 nic 0 up; node 1 nic 1 down; ");
  const auto graph = read_infragraph(text, "g.yaml");
  EXPECT_EQ(graph.devices[0].edges.back().b.owner, 3);
  EXPECT_EQ(graph.devices[0].edges.back().b.owner_index, 1);
  EXPECT_NE(graph.edges[0].a.part_index, graph.edges[1].a.part_index);
  const auto says = [&](const std::string& from, const std::string& to, const std::string& what) {
    const std::string message = message_of(with(text, from, to));
    EXPECT_NE(message.find(what), std::string::npos) << message;
  };
  says("card[0:2].port[1]", "card[0:2].port[2]", "is no slice of 2 ports");
  says("card[0:2].port[1]", "card[0:2].plug[1]", "the device card has no component \"plug\"");
  says("card[0:2].port[1]", "xpu[0:2].port[1]", "there is no device \"xpu\"");
  says("card[0:2].port[1]", "card[0:2].", "has no component \"\"");
}

// Files of one device, without instances or infrastructure around it.
TEST(InfraGraph, ReadsADeviceAlone) {
  const std::string text = R"(
name: box
components:
  - {name: xpu, choice: xpu, count: 4, description: Some GPU}
  - {name: fabric, choice: switch, count: 2}
edges:
  - {ep1: {component: xpu}, ep2: {component: fabric}, scheme: many2many, link: nvlink}
links:
  - {name: nvlink, physical: {bandwidth: {choice: gigabits_per_second, gigabits_per_second: 800}}}
)";
  const auto machine = read_back(text);
  EXPECT_EQ(machine->ranks(), 4);
  EXPECT_DOUBLE_EQ(machine->link_classes()[0].bandwidth.value, 2 * 100);
  EXPECT_NE(message_of(with(text, "second: 800", "second: 0")).find("`fabricast machine list`"),
            std::string::npos);
  EXPECT_NE(message_of(text + "speed: 3\n").find("speed"), std::string::npos);
}

TEST(InfraGraph, AStepMayLeadFarBeyondTheLast) {
  const auto machine = read_back(with(given, "fabric[0:2]", "fabric[1:2:2147483647]"));
  EXPECT_DOUBLE_EQ(machine->link_classes()[0].bandwidth.value, 100);
}

TEST(InfraGraph, AnnotationsHideNoUnknownKey) {
  const std::string annotated = given + "annotations: {who: {knows: [1, {what: 2}]}}\n";
  EXPECT_EQ(message_of(annotated), "(accepted)");
  EXPECT_NE(message_of(annotated + "devicess: 3\n").find("devicess"), std::string::npos);
  const std::string nested =
      with(annotated, "count: 4, description", "count: 4, colour: red, description");
  EXPECT_NE(message_of(nested).find("colour"), std::string::npos);
}

// Lists of many names and edges stay small: an end holds no text.
static_assert(std::is_trivially_copyable_v<InfraEnd> && sizeof(InfraEnd) <= 16);

TEST(InfraGraph, RefusesWhatIsTooMuch) {
  const auto says = [](const std::string& text, const std::string& what) {
    const std::string message = message_of(text);
    EXPECT_NE(message.find(what), std::string::npos) << message;
  };
  says(with(given, "count: 4, description", "count: 20000, description"), "too many");
  const std::string nics = with(given, "choice: nic, count: 2", "choice: nic, count: 5");
  says(with(with(nics, "choice: port, count: 4", "choice: port, count: 10"),
            "ep2: {component: nic}", "ep2: {component: \"nic[0:2]\"}"),
       "more ports than accelerators");
  says(with(given, "choice: nic, count: 2", "choice: nic, count: 0"), "there are no nics");
  std::string many;
  for (int i = 0; i < 2200; ++i) {
    many += fmt::format("  - {{name: n{}, device: box, count: 1000000}}\n", i);
  }
  says(with(given, "instances:\n", "instances:\n" + many), "too many nodes");
  // Short lines of many ends, of which one is joined.
  std::string edges = "edges:\n";
  for (int i = 0; i < 11; ++i) {
    edges +=
        "  - {ep1: {instance: tor, component: \"port[0]\"}, ep2: {instance: crowd, component: "
        "cpu}, "
        "scheme: one2one, link: eth}\n";
  }
  const std::string crowd = "instances:\n  - {name: crowd, device: box, count: 1000000}\n";
  says(with(with(given, "instances:\n", crowd), "edges:\n  - {ep1: {instance: host",
            edges + "  - {ep1: {instance: host"),
       "more than ten million");
}

TEST(InfraGraph, EveryNameIsOneThing) {
  const auto twice = [](const std::string& item) {
    const std::string message = message_of(with(given, item, item + item));
    EXPECT_NE(message.find("there is another"), std::string::npos) << message;
  };
  twice("      - {name: cpu, choice: cpu, count: 1}\n");
  twice("      - {name: pcie, description: PCIe}\n");
  twice("  - {name: tor, device: switch, count: 1}\n");
  twice(
      "  - name: eth\n    physical: {bandwidth: {choice: gigabits_per_second, gigabits_per_second: "
      "400}}\n");
  twice(
      "  - name: switch\n    components: [{name: port, choice: port, count: 4}]\n    links: []\n   "
      " edges: []\n");
}

TEST(InfraGraph, TheNamedNodeHasTheAcceleratorsOfTheGraph) {
  EXPECT_THROW(read_back(given, "hgx-h100"), UsageError);
  EXPECT_THROW(read_back(given, "hgx-h100x16"), UsageError);
}

TEST(InfraGraph, AMeshHasEqualLinksBetweenEveryTwo) {
  const std::string mesh = with(given, "{component: \"fabric[0:2]\"}", "{component: xpu}");
  EXPECT_DOUBLE_EQ(read_back(mesh)->link_classes()[0].bandwidth.value, 100);
  const std::string more =
      "      - {ep1: {component: \"xpu[0]\"}, ep2: {component: \"xpu[1]\"}, scheme: one2one, link: "
      "nvlink}\n";
  const std::string cpu = "      - {ep1: {component: \"cpu[0]\"}";
  EXPECT_NE(message_of(with(mesh, cpu, more + cpu)).find("more links than others"),
            std::string::npos);
  const std::string self = with(more, "xpu[1]", "xpu[0]");
  EXPECT_NE(message_of(with(mesh, cpu, self + cpu)).find("joined with itself"), std::string::npos);
}

TEST(InfraGraph, OnlyTreesOfAlikeSwitches) {
  const std::string text = to_infragraph(built(load_machine("hgx-h100x1260", {"count=300"})));
  const auto says = [&](const std::string& from, const std::string& to, const std::string& what) {
    const std::string message = message_of(with(text, from, to));
    EXPECT_NE(message.find(what), std::string::npos) << message;
  };
  const std::string leaf =
      "ep1: {instance: \"leaf[0]\", component: \"port[32:64]\"}\n    ep2: {instance: ";
  says(leaf + "\"spine[0:32]\"", leaf + "\"spine[32:64]\"", "irregular pattern");
  says("ep2: {instance: \"core[0:32]\", component: \"port[0]\"}",
       "ep2: {instance: \"spine[32:64]\", component: \"port[0]\"}", "no tree");
}

TEST(InfraGraph, NamesTheProblemAndItsPlace) {
  EXPECT_EQ(message_of(given), "(accepted)");
  const auto says = [](const std::string& from, const std::string& to, const std::string& what) {
    const std::string message = message_of(with(given, from, to));
    EXPECT_NE(message.find(what), std::string::npos) << message;
  };
  says("fabric[0:2]", "fabric[0:3]", "is no slice of 2 fabrics");
  says("fabric[0:2]", "fabric[0:2", "is no slice of 2 fabrics");
  says("fabric[0:2]", "fabrik[0:2]", "has no component \"fabrik\"");
  says("instance: tor", "instance: top", "there is no instance \"top\"");
  says("device: switch, count: 1", "device: swatch, count: 1", "there is no device \"swatch\"");
  says("link: eth", "link: ether", "there is no link \"ether\"");
  says("component: port}", "component: \"port[0:3]\"}",
       "its nodes are not all joined by the same ports");
  says("scheme: many2many, link: nvlink", "scheme: all, link: nvlink", "scheme");
  says("count: 4, description", "count: 4, colour: red, description", "colour");
  says("choice: xpu", "choice: memory", "no instance has accelerators");
  says("devices:", "connections: [a.0.eth.b.0]\ndevices:", "connections: of a draft of InfraGraph");
  says("gigabits_per_second: 800}", "gigabits_per_second: 0}", "joins all its accelerators");
  says("gigabits_per_second: 400}", "gigabits_per_second: 0}", "the link eth has no bandwidth");
  says("{name: nic, choice: nic, count: 2, nic: {}}", "{name: nic, choice: nic, count: 2000000}",
       "count");
}

}  // namespace
}  // namespace fabricast
