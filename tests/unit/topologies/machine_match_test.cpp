#include "topologies/match/machine_match.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "topologies/builders/built_topology.hpp"

namespace fabricast {
namespace {

struct PublishedSystem {
  SystemColumns columns;
  std::string node, fabric;
  std::int32_t domain = 0;
  double nic_gbit = 0;
  std::int32_t nics = 0;
};

// The columns of tests/unit/topologies/published_systems.tsv; '#' begins a comment.
std::vector<PublishedSystem> published_systems() {
  std::ifstream file(FABRICAST_PUBLISHED_SYSTEMS);
  std::vector<PublishedSystem> systems;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::vector<std::string> fields;
    std::istringstream parts(line);
    for (std::string field; std::getline(parts, field, '\t');) fields.push_back(field);
    fields.resize(12);
    PublishedSystem system;
    system.columns = {fields[0],
                      fields[4],
                      fields[5],
                      fields[6].empty() ? 0 : std::stod(fields[6]),
                      std::stoi(fields[1]),
                      std::stoi(fields[2]),
                      std::stoi(fields[3])};
    system.node = fields[7];
    system.domain = std::stoi(fields[8]);
    system.fabric = fields[9];
    if (!system.fabric.empty()) {
      system.nics = std::stoi(fields[10]);
      system.nic_gbit = std::stod(fields[11]);
    }
    systems.push_back(std::move(system));
  }
  return systems;
}

TEST(MachineMatch, FindsEveryPublishedSystem) {
  const auto systems = published_systems();
  ASSERT_GE(systems.size(), 70u);
  for (const auto& system : systems) {
    const auto& columns = system.columns;
    SCOPED_TRACE(columns.gpu + " | " + columns.intra_link + " | " + columns.inter_link);
    const auto match = match_machine(columns);
    ASSERT_TRUE(match.machine) << match.reason;
    EXPECT_EQ(match.node, system.node);
    EXPECT_EQ(match.fabric, system.fabric);
    EXPECT_EQ(match.machine->ranks(), columns.gpus);
    EXPECT_EQ(match.machine->space().domain_size(), system.domain);
    const auto& spec = dynamic_cast<const BuiltTopology&>(*match.machine).spec();
    ASSERT_EQ(spec.fabric.has_value(), !system.fabric.empty());
    if (spec.fabric) {
      EXPECT_EQ(spec.fabric->nics, system.nics);
      EXPECT_DOUBLE_EQ(spec.fabric->nic_bandwidth.value * 8, system.nic_gbit);
    }
    EXPECT_EQ(match.library, columns.gpu.starts_with("MI") ? "rccl" : "nccl");
  }
}

SystemColumns columns(std::string gpu, std::string link, std::string network, std::int32_t nodes,
                      std::int32_t gpus_per_node, double nic = 0) {
  return {std::move(gpu),        std::move(link), std::move(network), nic,
          nodes * gpus_per_node, nodes,           gpus_per_node};
}

// What other tables on like hardware would say.
TEST(MachineMatch, ReadsOtherWords) {
  struct Case {
    SystemColumns columns;
    std::string name;
    double nic_gbit;
  };
  const std::vector<Case> cases{
      {columns("NVIDIA H100 80GB HBM3", "NVLink4 NVSwitch3", "EFA v2 32x100G per node", 64, 8, 400),
       "hgx-h100x64@efa-v2", 400},
      {columns("H200 SXM", "NVLink4", "EFAv3 16x200G per node", 4, 8, 400), "hgx-h200x4@efa-v3",
       400},
      {columns("H100", "NVLink", "8 x 400 Gb/s Spectrum-X", 128, 8), "hgx-h100x128@roce-400", 400},
      {columns("H20 96GB", "NVLink4", "RoCE 4x400G per node", 2, 8, 200), "hgx-h20x2@roce-400",
       400},
      {columns("B300", "NVLink5", "IB XDR 800G x8", 16, 8, 800), "hgx-b300x16@infiniband-xdr", 800},
      {columns("GB200", "MNNVL", "IB NDR 400G per GPU", 54, 4, 400), "gb200-nvl72x3@infiniband-ndr",
       400},
      {columns("A100-SXM4-80GB", "NVLink3 NVSwitch", "HDR 8x200G per node", 512, 8),
       "hgx-a100x512@infiniband-hdr", 200},
      {columns("H100 PCIe 80GB", "PCIe Gen5 x16", "25 GB/s, 200GbE RoCE", 2, 1),
       "h100-pciex2@roce-200", 200},
      {columns("H100", "NVLink", "", 2, 8, 400), "hgx-h100x2@infiniband-ndr", 400},
  };
  for (const auto& [given, name, nic_gbit] : cases) {
    SCOPED_TRACE(given.gpu + " | " + given.inter_link);
    const auto match = match_machine(given);
    ASSERT_TRUE(match.machine) << match.reason;
    EXPECT_EQ(match.machine->name(), name);
    const auto& fabric = dynamic_cast<const BuiltTopology&>(*match.machine).spec().fabric;
    EXPECT_DOUBLE_EQ(fabric->nic_bandwidth.value * 8, nic_gbit);
  }
}

TEST(MachineMatch, SaysWhyAMachineIsUnknown) {
  const auto reason = [](const SystemColumns& given) { return match_machine(given).reason; };
  EXPECT_EQ(reason(columns("Radeon VII", "PCIe", "none", 1, 4)),
            "the GPU \"Radeon VII\" is not among the known ones");
  EXPECT_EQ(reason(columns("H100", "NVLink", "none", 2, 8)), "2 nodes, and no network is named");
  EXPECT_EQ(reason(columns("GB200", "MNNVL", "none", 19, 4)),
            "19 nodes are more than a rack of 18, and no network is named");
  EXPECT_EQ(reason(columns("H100", "NVLink", "none", 1, 16)),
            "16 GPUs per node are more than the 8 of hgx-h100");
  EXPECT_EQ(reason({"H100", "NVLink", "none", 0, 9, 1, 8}), "9 GPUs are not 1 nodes of 8");
}

TEST(SystemColumns, RatesAreNotBytes) {
  EXPECT_FALSE(read_network("IB, measured 22 GB/s").port_gbit);
  EXPECT_EQ(read_network("IB at 400 Gb/s").port_gbit, 400);
  EXPECT_EQ(read_network("GH200: 2 x 3.2T").port_gbit, 3200);
  EXPECT_EQ(read_gpu_key("GH200 120GB"), "gh200");
  EXPECT_EQ(read_gpu_key("H20 96GB"), "h20");
  EXPECT_EQ(read_gpu_key("NVIDIA H100 80GB HBM3"), "h100");
  EXPECT_FALSE(read_gpu_key("TPU v5p"));
}

}  // namespace
}  // namespace fabricast
