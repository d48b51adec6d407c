#include "emulator/coordinator/imported_logs.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "emulator/trace/sha256.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

LogText golden(const std::string& name) {
  const std::string path = std::string(FABRICAST_GOLDEN_NCCL_TESTS) + "/" + name;
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {path, {std::istreambuf_iterator<char>(file), {}}};
}

NcclTestsShape shape(std::int32_t hosts, std::int32_t per_host, const std::string& device) {
  return {Collective::all_reduce, hosts * per_host, hosts, per_host, device, ""};
}

TEST(ImportedLogs, SamplesBelongToTheMachineTheyAreGivenWith) {
  const auto log = golden("two-runs.log");
  const auto logs = import_logs({log}, load_machine("hgx-h100x1260"), {});
  ASSERT_EQ(logs.runs.size(), 2);
  EXPECT_EQ(logs.runs[0].count.accepted, 28);
  EXPECT_EQ(logs.samples.conditions.front().machine, "hgx-h100x1260");
  EXPECT_EQ(logs.samples.conditions.front().ranks, 16);
  ASSERT_EQ(logs.files.size(), 1);
  Sha256 digest;
  digest.update(log.text);
  EXPECT_EQ(logs.files[0].sha256, digest.finish());
  EXPECT_EQ(logs.samples.sources.front().sha256, logs.files[0].sha256);
  EXPECT_EQ(logs.samples.sources.front().file, "two-runs.log");
  EXPECT_TRUE(logs.samples.environment.contains("imported"));
  EXPECT_NE(logs.samples.environment.at("imported_run_2").find("NCCL_ALGO=Ring"),
            std::string::npos);
}

TEST(ImportedLogs, ARunOfAnotherMachineIsRefusedAsAWhole) {
  const auto logs = import_logs({golden("two-runs.log"), golden("reduce_scatter.json")},
                                load_machine("hgx-h100"), {});
  EXPECT_TRUE(logs.samples.samples.empty());
  ASSERT_EQ(logs.files.size(), 2);
  ASSERT_EQ(logs.files[0].refused.size(), 2);
  EXPECT_NE(logs.files[0].refused[0].reason.find("16 ranks are not available"), std::string::npos);
}

TEST(ImportedLogs, WhereARunFits) {
  const auto boxes = load_machine("hgx-h100x1260");
  const auto racks = load_machine("gb300-nvl72x140");
  const std::string h100 = "NVIDIA H100 80GB HBM3", gb300 = "NVIDIA GB300";
  EXPECT_EQ(machine_problem(shape(1, 8, h100), boxes), "");
  EXPECT_EQ(machine_problem(shape(1, 4, h100), boxes), "");
  EXPECT_EQ(machine_problem(shape(64, 8, h100), boxes), "");
  EXPECT_EQ(machine_problem(shape(18, 4, gb300), racks), "");
  EXPECT_EQ(machine_problem(shape(36, 4, gb300), racks), "");
  EXPECT_EQ(machine_problem(shape(2, 1, gb300), racks), "") << "two trays of one domain";
  NcclTestsShape unknown = shape(0, 0, "");
  unknown.ranks = 16;
  EXPECT_EQ(machine_problem(unknown, boxes), "") << "no host was named";
}

// Names of machine files and of drivers differ in spaces and order; other numbers are no model's.
TEST(ImportedLogs, WhichGpuItWas) {
  const std::vector<std::pair<std::string, std::string>> same{
      {"rtx4090-pcie", "NVIDIA GeForce RTX 4090"},
      {"rtx6000d-pcie", "NVIDIA RTX 6000D"},
      {"rtxpro6000-pcie", "NVIDIA RTX PRO 6000 Blackwell Server Edition"},
      {"h100-pcie", "NVIDIA H100 PCIe"},
      {"gb300-nvl72", "NVIDIA GB300"}};
  for (const auto& [machine, device] : same) {
    EXPECT_EQ(machine_problem(shape(1, 2, device), load_machine(machine)), "") << device;
  }
  const auto imported = load_machine("hgx-a100", {"gpu.name=A100-SXM4-80GB"});
  EXPECT_EQ(machine_problem(shape(1, 8, "NVIDIA A100-SXM4-80GB"), imported), "");
  EXPECT_NE(machine_problem(shape(1, 8, "NVIDIA H100 80GB HBM3"), imported), "");
}

// Cards in slots and modules on NVLink have one model number.
TEST(ImportedLogs, WhichBoardItWas) {
  struct Case {
    const char *machine, *device, *refusal;
  };
  const Case cases[]{
      {"h100-pcie", "NVIDIA H100 80GB HBM3", "the GPUs of h100-pcie are joined by PCIe"},
      {"a100-pcie", "NVIDIA A100-SXM4-80GB", "the GPUs of a100-pcie are joined by PCIe"},
      {"hgx-h100", "NVIDIA H100 NVL", "the GPUs of hgx-h100 are joined by NVLink"},
      {"hgx-h200", "NVIDIA GH200 480GB", "it ran on NVIDIA GH200 480GB, hgx-h200 has H200"},
      {"h100-pcie", "NVIDIA H100 NVL", ""},
      {"a100-pcie", "NVIDIA A100 80GB PCIe", ""},
      {"gh200-4", "NVIDIA GH200 480GB", ""},
      {"gb200-nvl72", "NVIDIA GB200", ""},
  };
  for (const Case& one : cases) {
    const auto problem = machine_problem(shape(1, 2, one.device), load_machine(one.machine));
    EXPECT_EQ(problem.empty(), *one.refusal == '\0') << one.machine << ' ' << one.device;
    EXPECT_NE(problem.find(one.refusal), std::string::npos) << one.machine << ": " << problem;
  }
}

TEST(ImportedLogs, WhereARunDoesNotFit) {
  const auto boxes = load_machine("hgx-h100x1260");
  const auto expect = [&](const NcclTestsShape& run, const char* part) {
    const std::string problem = machine_problem(run, boxes);
    EXPECT_NE(problem.find(part), std::string::npos) << problem;
  };
  const std::string h100 = "NVIDIA H100 80GB HBM3";
  expect(shape(2, 4, h100), "4 ranks on each of 2 hosts, a node of hgx-h100x1260 has 8");
  expect(shape(1, 16, h100), "16 ranks on each of 1 hosts");
  expect(shape(2, 8, "NVIDIA H200"), "it ran on NVIDIA H200, hgx-h100x1260 has H100");
  expect(shape(2, 8, "NVIDIA H100 PCIe"), "the GPUs of hgx-h100x1260 are joined by NVLink");
  expect(shape(2, 8, "AMD Radeon Graphics"), "write the GPU's own in its place");
  expect(shape(2, 8, "NVIDIA Graphics Device"), "write the GPU's own in its place");
  expect(shape(2, 8, "NVIDIA GB100"), "it ran on");
  expect(shape(2000, 8, h100), "16000 ranks are not available");
  auto uneven = shape(2, 8, h100);
  uneven.per_host = 0;
  expect(uneven, "equally many");
}

}  // namespace
}  // namespace fabricast
