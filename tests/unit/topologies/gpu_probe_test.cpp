// GPUs of a machine where NVML cannot be loaded or started: the CUDA driver is asked.
#include <gtest/gtest.h>
#include <stdlib.h>  // setenv

#include <string>
#include <vector>

#include "tests/unit/topologies/example_hosts.hpp"
#include "topologies/discover/cuda_driver.hpp"
#include "topologies/discover/gpu_probe.hpp"
#include "topologies/import/nccl_xml.hpp"

namespace fabricast {
namespace {

constexpr auto no_nvml = "libdoes-not-exist.so.7", no_cuda = "libdoes-not-exist-either.so.7";

// What the fakes see, and nothing of it afterwards.
class GpuProbe : public ::testing::Test {
 protected:
  void TearDown() override {
    for (const auto& name : set_) unsetenv(name.c_str());
  }
  void on(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
    set_.push_back(name);
  }
  static LocalMachine probed(const std::string& nvml, const std::string& cuda) {
    LocalMachine machine = host("box", 0);
    probe_gpus(machine, CudaDriverUse::started, nvml, cuda);
    return machine;
  }

 private:
  std::vector<std::string> set_;
};

TEST_F(GpuProbe, WithoutAnyDriverNothingIsFound) {
  const LocalMachine machine = probed(no_nvml, no_cuda);
  EXPECT_TRUE(machine.gpus.empty());
  EXPECT_EQ(machine.gpu_note, "libdoes-not-exist.so.7 cannot be loaded (no NVIDIA driver)");
  EXPECT_EQ(machine.gpu_source, "NVML");
  EXPECT_EQ(machine.driver_version, "");
}

TEST_F(GpuProbe, NvmlIsEnoughWhereItStarts) {
  on("FABRICAST_FAKE_GPUS", "1");
  const LocalMachine machine = probed(FABRICAST_FAKE_NVML, FABRICAST_FAKE_LIBCUDA);
  EXPECT_EQ(machine.gpus.size(), 2u);
  EXPECT_EQ(machine.gpu_source, "NVML");
  EXPECT_EQ(machine.gpu_note, "");
  EXPECT_TRUE(machine.nvlinks_known);
  EXPECT_TRUE(machine.nvlink_switch);
}

// The driver has done that already: "0" of what NVML lists is not "0" of what it shows.
TEST_F(GpuProbe, CudaVisibleDevicesIsAppliedOnce) {
  on("FABRICAST_FAKE_GPUS", "2");
  on("CUDA_VISIBLE_DEVICES", "3,1");
  EXPECT_EQ(probed(no_nvml, FABRICAST_FAKE_LIBCUDA).gpus.size(), 2u);
}

// What NVML lists may be shown by names that it does not list: a slice's.
TEST_F(GpuProbe, ASliceThatNvmlDoesNotListIsAskedOfTheCudaDriver) {
  on("FABRICAST_FAKE_GPUS", "1");
  on("FAKE_CUDA_NAME", "NVIDIA H200 MIG 1g.18gb");
  on("CUDA_VISIBLE_DEVICES", "MIG-32f1f2f3-f4f5-f6f7-f8f9-fafbfcfdfeff");
  const LocalMachine machine = probed(FABRICAST_FAKE_NVML, FABRICAST_FAKE_LIBCUDA);
  ASSERT_EQ(machine.gpus.size(), 1u);
  EXPECT_TRUE(machine.gpus[0].mig);
  EXPECT_EQ(machine.gpu_source, "CUDA driver");
  EXPECT_EQ(machine.driver_version, "570.1") << "NVML knows it";
  EXPECT_EQ(machine.gpu_note,
            "CUDA_VISIBLE_DEVICES names no GPU of NVML's list: power, PCIe and NVLinks are not "
            "known");
  EXPECT_FALSE(machine.nvlinks_known);
}

// By its index, or because nothing was chosen: NVML lists the whole GPU, of which CUDA shows a
// slice.
TEST_F(GpuProbe, ASliceOfAGpuThatNvmlListsIsAskedOfTheCudaDriver) {
  on("FABRICAST_FAKE_GPUS", "1");
  on("FAKE_CUDA_NAME", "NVIDIA H200 MIG 1g.18gb");
  on("FAKE_NVML_MIG", "GPU-aaaa");
  for (const auto* chosen : {"", "0", "GPU-aaaa"}) {
    if (*chosen != 0) on("CUDA_VISIBLE_DEVICES", chosen);
    const LocalMachine machine = probed(FABRICAST_FAKE_NVML, FABRICAST_FAKE_LIBCUDA);
    ASSERT_EQ(machine.gpus.size(), 1u) << chosen;
    EXPECT_EQ(machine.gpus[0].name, "NVIDIA H200 MIG 1g.18gb");
    EXPECT_EQ(machine.gpu_source, "CUDA driver");
    EXPECT_EQ(machine.gpu_note,
              "NVML describes a partitioned GPU (MIG) as a whole: power, PCIe and NVLinks are not "
              "known");
    EXPECT_FALSE(machine.nvlinks_known);
    EXPECT_EQ(to_machine_yaml(std::vector{machine}).find("datasheet"), std::string::npos);
  }
  on("CUDA_VISIBLE_DEVICES", "1");
  const LocalMachine whole = probed(FABRICAST_FAKE_NVML, FABRICAST_FAKE_LIBCUDA);
  ASSERT_EQ(whole.gpus.size(), 1u);
  EXPECT_EQ(whole.gpus[0].uuid, "GPU-bbbb") << "the other one is not partitioned";
  EXPECT_EQ(whole.gpu_source, "NVML");
}

TEST_F(GpuProbe, APartitionedGpuWithoutASliceIsNone) {
  on("FAKE_NVML_MIG", "GPU-aaaa");
  on("CUDA_VISIBLE_DEVICES", "0");
  const LocalMachine machine = probed(FABRICAST_FAKE_NVML, FABRICAST_FAKE_LIBCUDA);
  EXPECT_TRUE(machine.gpus.empty());
  EXPECT_EQ(machine.gpu_note,
            "NVML describes a partitioned GPU (MIG) as a whole, and the CUDA driver reports no GPU "
            "(CUDA_VISIBLE_DEVICES is set)");
  // Nobody is there who knows better, or may be asked.
  EXPECT_TRUE(probed(FABRICAST_FAKE_NVML, no_cuda).gpus.at(0).mig);
  LocalMachine cores = host("box", 0);
  probe_gpus(cores, CudaDriverUse::left_alone, FABRICAST_FAKE_NVML, FABRICAST_FAKE_LIBCUDA);
  EXPECT_TRUE(cores.gpus.at(0).mig);
}

TEST_F(GpuProbe, GpusAreHiddenWhereTheCudaDriverFindsNoneEither) {
  on("CUDA_VISIBLE_DEVICES", "");
  for (const auto* cuda : {static_cast<const char*>(FABRICAST_FAKE_LIBCUDA), no_cuda}) {
    const LocalMachine hidden = probed(FABRICAST_FAKE_NVML, cuda);
    EXPECT_TRUE(hidden.gpus.empty());
    EXPECT_EQ(hidden.gpu_note, "CUDA_VISIBLE_DEVICES hides all GPUs");
    EXPECT_EQ(hidden.gpu_source, "NVML");
    EXPECT_TRUE(hidden.nvlinks_known);
  }
  on("FAKE_CUDA_INIT", "803");
  EXPECT_EQ(probed(FABRICAST_FAKE_NVML, FABRICAST_FAKE_LIBCUDA).gpu_note,
            "CUDA_VISIBLE_DEVICES names no GPU of NVML's list, and the CUDA driver does not start "
            "(cuInit returned 803)");
}

// cuInit takes time and memory: processes that measure cores leave the driver alone.
TEST_F(GpuProbe, TheCudaDriverIsNotStartedForCores) {
  on("FABRICAST_FAKE_GPUS", "2");
  LocalMachine machine = host("box", 0);
  probe_gpus(machine, CudaDriverUse::left_alone, no_nvml, FABRICAST_FAKE_LIBCUDA);
  EXPECT_TRUE(machine.gpus.empty());
  probe_gpus(machine, CudaDriverUse::left_alone, FABRICAST_FAKE_NVML, no_cuda);
  EXPECT_EQ(machine.gpus.size(), 2u) << "NVML is cheap";
}

TEST_F(GpuProbe, TheCudaDriverDescribesTwoDevices) {
  on("FABRICAST_FAKE_GPUS", "2");
  on("FAKE_CUDA_NAME", "NVIDIA H200");
  const LocalMachine machine = probed(no_nvml, FABRICAST_FAKE_LIBCUDA);
  ASSERT_EQ(machine.gpus.size(), 2u);
  EXPECT_EQ(machine.gpus[0].bus_id, "0000:db:00.0") << "in the driver's order, spelled as NVML's";
  EXPECT_EQ(machine.gpus[1].bus_id, "0000:bb:00.0");
  EXPECT_EQ(machine.gpus[0].uuid, "GPU-32f1f2f3-f4f5-f6f7-f8f9-fafbfcfdfeff");
  EXPECT_EQ(machine.gpus[1].name, "NVIDIA H200");
  EXPECT_EQ(machine.gpus[1].compute_major, 9);
  EXPECT_EQ(machine.gpus[1].memory_bytes, 150110011392);
  EXPECT_FALSE(machine.gpus[1].mig);
  EXPECT_EQ(machine.driver_version, "for CUDA 13.0");
  EXPECT_EQ(machine.gpu_source, "CUDA driver");
  EXPECT_EQ(machine.gpu_note, "NVML cannot be loaded: power, PCIe and NVLinks are not known");
  EXPECT_FALSE(machine.nvlinks_known);
  EXPECT_FALSE(machine.nvlink_switch);
}

TEST_F(GpuProbe, ASliceOfAGpuIsToldByItsName) {
  on("FABRICAST_FAKE_GPUS", "1");
  on("FAKE_CUDA_NAME", "NVIDIA H200 MIG 1g.18gb");
  const auto slice = probe_cuda_driver(FABRICAST_FAKE_LIBCUDA);
  ASSERT_EQ(slice.gpus.size(), 1u);
  EXPECT_TRUE(slice.gpus[0].mig);
  EXPECT_TRUE(slice.gpus[0].uuid.starts_with("MIG-32f1f2f3-"));
}

TEST_F(GpuProbe, ASliceHasNoDatasheetOfTheWholeGpu) {
  on("FABRICAST_FAKE_GPUS", "1");
  on("FAKE_CUDA_NAME", "NVIDIA H200 MIG 1g.18gb");
  const std::string yaml = to_machine_yaml(std::vector{probed(no_nvml, FABRICAST_FAKE_LIBCUDA)});
  EXPECT_NE(yaml.find("name: h200-mig-1g-18gb-x1\n"), std::string::npos) << yaml;
  EXPECT_NE(yaml.find("  name: \"H200 MIG 1g.18gb\"\n"), std::string::npos) << yaml;
  for (const auto* whole : {"datasheet", "hbm_bandwidth", "bf16"}) {
    EXPECT_EQ(yaml.find(whole), std::string::npos) << yaml;
  }
}

// Each process one slice of the same GPU.
TEST_F(GpuProbe, SlicesOfOneGpuAreTwo) {
  std::vector<LocalMachine> processes(3, host("box", 1));
  processes[0].gpus[0].uuid = "MIG-a";
  processes[1].gpus[0].uuid = "MIG-b";
  processes[2].gpus[0].uuid = "MIG-a";
  EXPECT_EQ(join_processes(processes)[0].gpus.size(), 2u);
  processes[1].gpus[0].uuid = "";  // not told: the address decides
  EXPECT_EQ(join_processes(processes)[0].gpus.size(), 1u);
}

TEST_F(GpuProbe, ADriverThatDoesNotStartIsSaid) {
  on("FAKE_CUDA_INIT", "803");
  const LocalMachine machine = probed(no_nvml, FABRICAST_FAKE_LIBCUDA);
  EXPECT_TRUE(machine.gpus.empty());
  EXPECT_EQ(machine.gpu_note,
            "NVML cannot be loaded, and the CUDA driver does not start (cuInit returned 803)");
  EXPECT_EQ(machine.gpu_source, "NVML");
}

TEST_F(GpuProbe, ADriverWithoutADeviceIsSaid) {
  const std::string note = "NVML cannot be loaded, and the CUDA driver reports no GPU";
  EXPECT_EQ(probed(no_nvml, FABRICAST_FAKE_LIBCUDA).gpu_note, note);
  on("FAKE_CUDA_INIT", "0");
  EXPECT_EQ(probed(no_nvml, FABRICAST_FAKE_LIBCUDA).gpu_note, note);
  on("CUDA_VISIBLE_DEVICES", "");
  EXPECT_EQ(probed(no_nvml, FABRICAST_FAKE_LIBCUDA).gpu_note,
            note + " (CUDA_VISIBLE_DEVICES is set)");
}

TEST_F(GpuProbe, ADriverThatLacksCallsSaysWhatItCan) {
  on("FABRICAST_FAKE_GPUS", "2");
  const LocalMachine machine = probed(no_nvml, FABRICAST_FAKE_LIBCUDA_OLD);
  ASSERT_EQ(machine.gpus.size(), 2u);
  EXPECT_EQ(machine.gpus[0].name, "fake GPU");
  EXPECT_EQ(machine.gpus[0].uuid, "");
  EXPECT_EQ(machine.gpus[0].bus_id, "");
  EXPECT_EQ(machine.driver_version, "");
  EXPECT_EQ(machine_of({machine})->ranks(), 2);
  // Some library of that name that is no driver.
  EXPECT_EQ(probed(no_nvml, FABRICAST_FAKE_NVML).gpu_note,
            "NVML cannot be loaded, and the CUDA driver does not start (cuInit is missing)");
  // An NVML that is there and does not start: any library but NVML.
  EXPECT_EQ(probed(FABRICAST_FAKE_LIBCUDA, FABRICAST_FAKE_LIBCUDA).gpu_note,
            "NVML does not start (nvmlInit_v2 returned -1): power, PCIe and NVLinks are not known");
}

TEST_F(GpuProbe, TheMachineFileClaimsNoNvlinks) {
  on("FABRICAST_FAKE_GPUS", "2");
  const LocalMachine machine = probed(no_nvml, FABRICAST_FAKE_LIBCUDA);
  const std::string yaml = to_machine_yaml(std::vector{machine});
  const auto says = [&](const std::string& part) { return yaml.find(part) != std::string::npos; };
  EXPECT_TRUE(says("2 x fake GPU (NVLinks not known), Some")) << yaml;
  EXPECT_FALSE(says("0 NVLinks")) << yaml;
  EXPECT_TRUE(says("gpus: {value: 2, origin: measured, source: \"CUDA driver: devices\"}")) << yaml;
  EXPECT_TRUE(says("150110011392 B, origin: measured, source: \"CUDA driver, total memory"))
      << yaml;
  EXPECT_TRUE(
      says("origin: assumed, source: \"PCIe Gen4 x16: neither NVLinks nor the slot are "
           "known\""))
      << yaml;
  EXPECT_TRUE(
      says("  - \"NVML cannot be loaded: power, PCIe and NVLinks are not known (the GPUs "
           "are taken to be joined by PCIe)\""))
      << yaml;
  EXPECT_TRUE(says("# NVIDIA driver for CUDA 13.0") || says("#   NVIDIA driver for CUDA 13.0"))
      << yaml;
  const auto parsed = machine_of({machine});
  EXPECT_EQ(parsed->ranks(), 2);
  EXPECT_EQ(parsed->gpu().generation, "hopper");
}

TEST_F(GpuProbe, OneGpuHasNoLinksToDoubt) {
  on("FABRICAST_FAKE_GPUS", "1");
  const std::string yaml = to_machine_yaml(std::vector{probed(no_nvml, FABRICAST_FAKE_LIBCUDA)});
  EXPECT_NE(yaml.find("NVLinks are not known\""), std::string::npos) << yaml;
  EXPECT_EQ(yaml.find("taken to be"), std::string::npos) << yaml;
}

// One process of a host may have NVML and another not; packed, it arrives as it was.
TEST_F(GpuProbe, WhatOneProcessDoesNotKnowNobodyClaims) {
  on("FABRICAST_FAKE_GPUS", "1");
  const LocalMachine without = unpack(pack(probed(no_nvml, FABRICAST_FAKE_LIBCUDA)));
  EXPECT_FALSE(without.nvlinks_known);
  const LocalMachine joined = join_processes(std::vector{host("box", 2), without})[0];
  EXPECT_FALSE(joined.nvlinks_known);
  EXPECT_EQ(joined.gpu_note, without.gpu_note);
  LocalMachine none = host("box", 0);
  none.gpu_note = "CUDA_VISIBLE_DEVICES hides all GPUs";
  const LocalMachine found = join_processes(std::vector{none, without})[0];
  EXPECT_EQ(found.gpu_note, without.gpu_note) << "that of those that are there";
  EXPECT_EQ(found.gpu_source, "CUDA driver");
}

// NCCL knows the links, and the slots too.
TEST_F(GpuProbe, ADumpOfNcclTellsWhatTheDriverDoesNot) {
  on("FABRICAST_FAKE_GPUS", "1");
  const LocalMachine local = probed(no_nvml, FABRICAST_FAKE_LIBCUDA);
  LocalMachine dump = host("t.xml", 1);
  dump.gpus[0].bus_id = local.gpus[0].bus_id;
  dump.gpu_source = "NCCL topology XML t.xml";
  const LocalMachine merged = merge_nccl_xml(local, dump, "t.xml");
  EXPECT_TRUE(merged.nvlinks_known);
  EXPECT_EQ(merged.gpu_note, "");
  EXPECT_EQ(merged.gpus[0].nvlinks, 18);
  EXPECT_EQ(merged.gpu_source, "CUDA driver and NCCL topology XML t.xml");
  dump.gpus[0].compute_major = 0;  // slots alone
  EXPECT_FALSE(merge_nccl_xml(local, dump, "t.xml").nvlinks_known);
}

}  // namespace
}  // namespace fabricast
