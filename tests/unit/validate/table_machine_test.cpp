#include "emulator/validate/table_machine.hpp"

#include <gtest/gtest.h>

namespace fabricast {
namespace {

PublishedTable table_of(std::map<std::string, std::string> row, int ranks, int nodes) {
  PublishedTable table;
  table.row = std::move(row);
  table.ranks = ranks;
  table.nodes = nodes;
  return table;
}

TEST(TableMachine, NicsFromTheirColumn) {
  const auto machine = machine_of(table_of({{"gpu", "H100 SXM5 80GB"},
                                            {"intra_link", "NVLink4 NVSwitch3 450GB/s uni"},
                                            {"inter_link", "IB NDR CX-7 400G x8"},
                                            {"nic_per_gpu_gbps", "400"},
                                            {"nccl_version", "2.26.2"}},
                                           32, 4));
  ASSERT_EQ(machine.unknown, "");
  EXPECT_EQ(machine.shape.generation, TimeGeneration::hopper);
  EXPECT_EQ(machine.shape.network, TimeNetwork::infiniband);
  EXPECT_DOUBLE_EQ(machine.shape.link_gbps, 450);
  EXPECT_DOUBLE_EQ(machine.shape.nic_gbps, 400);
  EXPECT_DOUBLE_EQ(machine.shape.one_nic_gbps, 50);
  EXPECT_EQ(machine.communicator->version, (nccl::Version{2, 26, 2}));
  EXPECT_EQ(machine.communicator->ranks, 32);
  EXPECT_FALSE(machine.shape.grace_host);
}

TEST(TableMachine, AnNvlinkDomainIsOneNode) {
  std::map<std::string, std::string> row{{"gpu", "GB200"},
                                         {"intra_link", "NVLink5 MNNVL 900GB/s uni (NVL72)"},
                                         {"inter_link", "none (one NVLink domain)"}};
  EXPECT_EQ(machine_of(table_of(row, 64, 16)).shape.nodes, 1);
  row["inter_link"] = "IB 400G per GPU across racks";
  row["nic_per_gpu_gbps"] = "400";
  const auto two = machine_of(table_of(row, 128, 32));
  EXPECT_EQ(two.shape.nodes, 2);
  EXPECT_TRUE(two.shape.grace_host);
}

TEST(TableMachine, A100With80GigabytesHasNoGraceHost) {
  const auto machine = machine_of(table_of({{"gpu", "A100 SXM4 80GB"}}, 8, 1));
  EXPECT_FALSE(machine.shape.grace_host);
  EXPECT_EQ(machine.shape.generation, TimeGeneration::ampere);
}

TEST(TableMachine, UnknownMachinesHaveAReason) {
  EXPECT_NE(machine_of(table_of({{"gpu", "Abacus 9"}}, 8, 1)).unknown, "");
  EXPECT_NE(machine_of(table_of({{"gpu", "H100"}}, 8, 3)).unknown, "");
  EXPECT_NE(machine_of(table_of({{"gpu", "H100"}, {"inter_link", "none"}}, 16, 2)).unknown, "");
  EXPECT_NE(
      machine_of(table_of({{"gpu", "H100"}, {"env_flags", "NCCL_ALGO=Sideways"}}, 8, 1)).unknown,
      "");
}

TEST(TableMachine, SettingsAreRead) {
  const auto machine = machine_of(table_of(
      {{"gpu", "H100"}, {"env_flags", "NCCL_ALGO=Ring NCCL_PROTO=LL128 -R 2 -G 1"}}, 8, 1));
  EXPECT_EQ(machine.communicator->overrides.algo, "Ring");
  EXPECT_EQ(machine.communicator->overrides.proto, "LL128");
  EXPECT_TRUE(machine.shape.symmetric);
  EXPECT_TRUE(machine.shape.graph_launch);
}

TEST(TableMachine, WhatIsLeftOpenIsAssumedAloud) {
  const auto machine = machine_of(table_of({{"gpu", "H100"}, {"intra_link", "NVLink4"}}, 8, 1));
  ASSERT_EQ(machine.unknown, "");
  EXPECT_NE(machine.assumptions.front().find("no version"), std::string::npos);
  const auto odd = machine_of(
      table_of({{"gpu", "H100"}, {"intra_link", "NVLink4"}, {"nccl_version", "new"}}, 8, 1));
  EXPECT_NE(odd.assumptions.front().find("\"new\" is no version"), std::string::npos);
}

TEST(TableMachine, HowItWasStarted) {
  std::map<std::string, std::string> row{{"gpu", "H100"}};
  EXPECT_FALSE(machine_of(table_of(row, 8, 1)).start_is_told);
  row["notes"] = "One process per GPU (MPI); quiet";
  EXPECT_TRUE(machine_of(table_of(row, 8, 1)).shape.process_per_gpu);
  row["notes"] = "one process, 8 GPUs";
  const auto one = machine_of(table_of(row, 8, 1));
  EXPECT_TRUE(one.start_is_told);
  EXPECT_FALSE(one.shape.process_per_gpu);
  row["notes"] = "one process per rank";
  EXPECT_TRUE(machine_of(table_of(row, 8, 1)).shape.process_per_gpu);
  row["notes"] = "one process per node";
  EXPECT_FALSE(machine_of(table_of(row, 8, 1)).start_is_told) << "which GPUs it drove is not said";
  row["notes"] = "one process, 8 GPUs";
  row["processes_per_node"] = "8";
  EXPECT_TRUE(machine_of(table_of(row, 8, 1)).shape.process_per_gpu) << "the column goes first";
}

TEST(TableMachine, NetworksThatSetTheirProtocol) {
  const auto machine = machine_of(table_of({{"gpu", "A100 SXM4 80GB"},
                                            {"intra_link", "NVLink3 NVSwitch 300GB/s uni"},
                                            {"inter_link", "EFA v1 4x100G per node"},
                                            {"nic_per_gpu_gbps", "50"}},
                                           16, 2));
  ASSERT_EQ(machine.unknown, "");
  EXPECT_EQ(machine.communicator->overrides.proto, "Simple");
  // The later adapters keep 128 bytes in order.
  const auto later = machine_of(table_of({{"gpu", "H100 SXM5 80GB"},
                                          {"intra_link", "NVLink4 NVSwitch3 450GB/s uni"},
                                          {"inter_link", "EFA v2 32x100G per node"},
                                          {"nic_per_gpu_gbps", "400"}},
                                         16, 2));
  ASSERT_EQ(later.unknown, "");
  EXPECT_EQ(later.communicator->overrides.proto, "");
}

TEST(TableMachine, RcclRunsOnAStandIn) {
  const auto machine =
      machine_of(table_of({{"gpu", "MI300X"}, {"intra_link", "Infinity Fabric full mesh"}}, 8, 1));
  ASSERT_EQ(machine.unknown, "");
  EXPECT_EQ(machine.shape.generation, TimeGeneration::cdna);
  EXPECT_EQ(machine.shape.link, TimeLink::infinity_fabric);
  EXPECT_GT(machine.communicator->coll_channels, 1);
}

}  // namespace
}  // namespace fabricast
