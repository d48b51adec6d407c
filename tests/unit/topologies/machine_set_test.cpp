// Machines made of others: base and set, NODExN@FABRIC, fabric files.
#include <gtest/gtest.h>

#include <string>

#include "emulator/base/error.hpp"
#include "topologies/builders/built_topology.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "(accepted)";
}

const MachineSpec& spec_of(const std::shared_ptr<const Topology>& machine) {
  return dynamic_cast<const BuiltTopology&>(*machine).spec();
}

TEST(MachineExpression, JoinsNodesByTheirFabric) {
  const auto machine = load_machine("hgx-h100x16");
  EXPECT_EQ(machine->space(), RankSpace({8, 16}));
  EXPECT_EQ(machine->name(), "hgx-h100x16");
  EXPECT_EQ(machine->fabric(), "infiniband");
  EXPECT_EQ(machine->channels().value, 16) << "across nodes";
  const auto& fabric = *spec_of(machine).fabric;
  EXPECT_EQ(fabric.rails, 8) << "one per NIC";
  EXPECT_EQ(fabric.tiers, 2);
  EXPECT_EQ(spec_of(load_machine("hgx-h100x1025@roce-400")).fabric->tiers, 3)
      << "17 groups x 8 rails are more leaves than 128 ports";
  const auto racks = load_machine("gb200-nvl72x4@roce-800");
  EXPECT_EQ(racks->space(), RankSpace({72, 4}));
  EXPECT_EQ(spec_of(racks).fabric->rails, 4) << "one per NIC of a tray";
}

TEST(MachineExpression, IsRefusedWhereItMeansNothing) {
  EXPECT_NE(message_of([] { load_machine("hgx-h101x2"); }).find("did you mean"), std::string::npos);
  EXPECT_NE(
      message_of([] { load_machine("hgx-h100x2@nothing"); }).find("unknown fabric \"nothing\""),
      std::string::npos);
  EXPECT_NE(message_of([] { load_machine("hgx-h100x1"); }).find("out of range"), std::string::npos);
  EXPECT_THROW(load_machine("hgx-h100x1260x2"), UsageError) << "a cluster is no node";
}

TEST(MachineSet, ChangesKeysOfEverySection) {
  const auto machine = load_machine(
      "hgx-h100x16", {"node.gpus=4", "fabric.nic.per_node=2", "fabric.rails=1", "count=32"});
  EXPECT_EQ(machine->space(), RankSpace({4, 32}));
  const auto& spec = spec_of(machine);
  EXPECT_EQ(spec.fabric->nics, 2);
  EXPECT_EQ(spec.fabric->rails, 1);
  EXPECT_EQ(spec.domain.size.origin, Origin::assumed);
  EXPECT_EQ(spec.domain.size.source, "chosen: set by hgx-h100x16");
  // The echo says all of it.
  const auto again = parse_machine(machine->yaml(), "again");
  EXPECT_EQ(again->space(), machine->space());
  EXPECT_EQ(again->links(), machine->links());
}

TEST(MachineSet, ChangesAWrittenOutCluster) {
  const auto machine =
      load_machine("hgx-h100x1260", {"fabric.oversubscription=2", "node.gpu.name=H100-64"});
  EXPECT_EQ(spec_of(machine).fabric->oversubscription->value, 2);
  EXPECT_EQ(machine->gpu().name, "H100-64") << "a text stays a text";
  EXPECT_EQ(load_machine("hgx-h100", {"gpus=1"})->links(), 0);
}

TEST(MachineSet, NamesWhatCannotBeSet) {
  EXPECT_NE(
      message_of([] { load_machine("hgx-h100x16", {"fabric.rals=4"}); }).find("rals: unknown key"),
      std::string::npos);
  EXPECT_NE(message_of([] { load_machine("hgx-h100", {"gpus"}); }).find("sets nothing"),
            std::string::npos);
  EXPECT_NE(message_of([] { load_machine("hgx-h100", {"gpus=many"}); }).find("gpus"),
            std::string::npos);
  EXPECT_THROW(load_machine("hgx-h100", {"name.more=1"}), UsageError);
}

TEST(MachineBase, RestsOnAnother) {
  const auto machine = parse_machine(
      "name: half\nbase: gb200-nvl72\nset:\n  trays: [9, datasheet, \"a half rack\"]\n",
      "half.yaml");
  EXPECT_EQ(machine->name(), "half");
  EXPECT_EQ(machine->ranks(), 36);
  EXPECT_EQ(machine->title(), load_machine("gb200-nvl72")->title());
  EXPECT_THROW(parse_machine("name: a\nbase: a\n", "a.yaml"), UsageError);
}

TEST(FabricFiles, EachJoinsNodes) {
  for (const auto& name : fabric_names()) {
    const auto machine = load_machine("hgx-h100x2@" + name);
    EXPECT_EQ(machine->ranks(), 16) << name;
    EXPECT_TRUE(spec_of(machine).fabric->radix.has_value()) << name;
  }
}

}  // namespace
}  // namespace fabricast
