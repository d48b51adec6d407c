#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "emulator/base/error.hpp"
#include "tests/support/refusal.hpp"
#include "tests/unit/topologies/example_hosts.hpp"
#include "topologies/discover/gpu_catalog.hpp"
#include "topologies/discover/host_probe.hpp"
#include "topologies/discover/local_machine.hpp"

#include <unistd.h>
#include "topologies/discover/nvml.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

// A directory that stands for "/" in probe_host().
class FakeRoot {
 public:
  // One folder per process: ctest runs the tests of this file side by side.
  FakeRoot()
      : path_(std::filesystem::path(::testing::TempDir()) /
              ("fabricast_fake_root_" + std::to_string(getpid()))) {
    std::filesystem::remove_all(path_);
  }
  ~FakeRoot() { std::filesystem::remove_all(path_); }
  void put(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((path_ / file).parent_path());
    std::ofstream(path_ / file) << text;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST(Discover, ThisMachineHasAMachineFile) {
  const LocalMachine local = discover_local();
  EXPECT_GE(local.usable_cores, 1);
  EXPECT_LE(local.usable_cores, local.online_cores);
  EXPECT_GT(local.memory_bytes, 0);
  EXPECT_FALSE(local.kernel.empty());
  EXPECT_EQ(local.gpus.empty() || !local.nvlinks_known, !local.gpu_note.empty());
  const auto machine = machine_of({local});
  const auto ranks =
      local.gpus.empty() ? static_cast<std::size_t>(local.usable_cores) : local.gpus.size();
  EXPECT_EQ(static_cast<std::size_t>(machine->ranks()), ranks);
}

TEST(Discover, EnvironmentNamesTheHost) {
  const auto environment = host_environment();
  EXPECT_TRUE(environment.contains("kernel"));
  EXPECT_TRUE(environment.contains("usable_cores"));
  EXPECT_TRUE(environment.contains("memory_bytes"));
  EXPECT_GE(std::stod(environment.at("load_1min")), 0.0);
}

TEST(Discover, ReadsTheFilesOfTheKernel) {
  const FakeRoot root;
  root.put("proc/sys/kernel/hostname", "node7\n");
  root.put("proc/sys/kernel/osrelease", "6.1.0\n");
  root.put("proc/cpuinfo",
           "processor\t: 0\nmodel name\t: Quick CPU \nprocessor\t: 1\nprocessor\t: 2\n"
           "processor\t: 3\n");
  root.put("proc/meminfo", "MemTotal:       16000000 kB\n");
  root.put("proc/self/cgroup", "0::/job/step\n");
  root.put("sys/fs/cgroup/job/cpu.max", "150000 100000\n");
  root.put("sys/fs/cgroup/job/memory.max", "2000000000\n");
  root.put("sys/fs/cgroup/job/step/memory.max", "max\n");
  root.put("sys/devices/system/cpu/cpu0/cache/index0/level", "1\n");
  root.put("sys/devices/system/cpu/cpu0/cache/index0/size", "48K\n");
  root.put("sys/devices/system/cpu/cpu0/cache/index3/level", "3\n");
  root.put("sys/devices/system/cpu/cpu0/cache/index3/size", "32768K\n");
  root.put("sys/class/infiniband/mlx5_0/ports/1/rate", "400 Gb/sec (4X NDR)\n");
  root.put("sys/class/infiniband/mlx5_0/ports/1/state", "4: ACTIVE\n");
  root.put("sys/class/infiniband/mlx5_0/ports/1/link_layer", "InfiniBand\n");
  root.put("sys/class/infiniband/mlx5_1/ports/1/rate", "200 Gb/sec (4X HDR)\n");
  root.put("sys/class/infiniband/mlx5_1/ports/1/state", "1: DOWN\n");
  const LocalMachine machine = discover_local(CudaDriverUse::started, root.path());
  EXPECT_EQ(machine.hostname, "node7");
  EXPECT_EQ(machine.kernel, "Linux 6.1.0");
  EXPECT_EQ(machine.cpu_model, "Quick CPU");
  EXPECT_EQ(machine.online_cores, 4);
  EXPECT_EQ(machine.usable_cores, 2) << "quota of the parent group, rounded up";
  EXPECT_EQ(machine.memory_bytes, 2000000000);
  EXPECT_EQ(machine.llc_bytes, 32 << 20);
  ASSERT_EQ(machine.nics.size(), 1u);
  EXPECT_EQ(machine.nics[0].fabric, "infiniband");
  EXPECT_EQ(machine.nics[0].gbit_per_s, 400);
}

TEST(Discover, AnEmptyRootIsStillAMachine) {
  const FakeRoot root;
  const auto machine = machine_of({discover_local(CudaDriverUse::started, root.path())});
  EXPECT_EQ(machine->ranks(), 1);
  EXPECT_EQ(machine->links(), 0);
}

TEST(Discover, EthernetOnlyWhereThereIsADevice) {
  const FakeRoot root;
  root.put("sys/class/net/eth0/speed", "25000\n");
  root.put("sys/class/net/eth0/operstate", "up\n");
  root.put("sys/class/net/eth0/device/vendor", "0x15b3\n");
  root.put("sys/class/net/eth1/speed", "-1\n");
  root.put("sys/class/net/eth1/operstate", "up\n");
  root.put("sys/class/net/eth1/device/vendor", "0x1af4\n");
  root.put("sys/class/net/bridge0/speed", "10000\n");
  root.put("sys/class/net/bridge0/operstate", "up\n");
  const LocalMachine machine = probe_host(root.path());
  ASSERT_EQ(machine.nics.size(), 1u);
  EXPECT_EQ(machine.nics[0].name, "eth0");
  EXPECT_EQ(machine.nics[0].gbit_per_s, 25);
}

TEST(Discover, ParsesSmallTexts) {
  EXPECT_EQ(parse_cache_size("32768K"), 32 << 20);
  EXPECT_EQ(parse_cache_size("1M"), 1 << 20);
  EXPECT_EQ(parse_cache_size("many"), 0);
  EXPECT_EQ(parse_cpu_quota("200000 100000"), 2);
  EXPECT_EQ(parse_cpu_quota("50000 100000"), 1);
  EXPECT_EQ(parse_cpu_quota("max 100000"), 0);
  EXPECT_EQ(parse_cpu_quota(""), 0);
  EXPECT_EQ(parse_port_rate("400 Gb/sec (4X NDR)"), 400);
  EXPECT_EQ(parse_port_rate("fast"), 0);
}

TEST(Discover, NvmlIsOptional) {
  const NvmlGpus none = probe_nvml("libdoes-not-exist.so.7");
  EXPECT_TRUE(none.gpus.empty());
  EXPECT_EQ(none.note, "libdoes-not-exist.so.7 cannot be loaded (no NVIDIA driver)");
}

TEST(Discover, SwitchesReduceWhereAllLinksLeadToThem) {
  auto box = host("a", 4);
  EXPECT_FALSE(meet_at_switches(box.gpus)) << "an old driver does not tell";
  EXPECT_FALSE(meet_at_switches({}));
  for (LocalGpu& gpu : box.gpus) gpu.switch_links = gpu.nvlinks;
  EXPECT_TRUE(meet_at_switches(box.gpus));
  box.nvlink_switch = true;
  EXPECT_EQ(machine_of({box})->link_classes()[0].in_network_reduction.value, 1);
  auto part = box;
  part.nvlink_switch = false;
  EXPECT_FALSE(join_processes(std::vector{box, part})[0].nvlink_switch)
      << "one process knows better";
  box.gpus[2].switch_links = 1;
  EXPECT_FALSE(meet_at_switches(box.gpus));
}

TEST(Discover, ReadsGpusThroughNvml) {
  const NvmlGpus found = probe_nvml(FABRICAST_FAKE_NVML);
  EXPECT_EQ(found.driver_version, "570.1");
  ASSERT_EQ(found.gpus.size(), 2u);
  EXPECT_EQ(found.gpus[0].bus_id, "0000:1b:00.0") << "in bus order";
  EXPECT_EQ(found.gpus[0].uuid, "GPU-aaaa");
  EXPECT_EQ(found.gpus[0].nvlinks, 17) << "one link is down";
  EXPECT_EQ(found.gpus[0].switch_links, 17);
  EXPECT_TRUE(meet_at_switches(found.gpus));
  EXPECT_EQ(found.gpus[1].nvlinks, 18);
  EXPECT_EQ(found.gpus[1].power_limit_w, 700);
  EXPECT_EQ(found.gpus[1].memory_bytes, 150754820096);
  EXPECT_EQ(found.gpus[1].pcie_generation, 5);
  EXPECT_EQ(found.gpus[1].pcie_width, 0) << "this library cannot say";
  auto machine = host("box", 0);
  machine.gpus = found.gpus;
  EXPECT_EQ(machine_of({machine})->link_classes()[0].bandwidth.value, 17 * 25);
}

TEST(Discover, CudaVisibleDevicesChoosesAndOrders) {
  const std::vector<LocalGpu> all{h200(0), h200(1), h200(2)};
  const auto uuids = [&](const char* variable) {
    std::string text;
    for (const auto& gpu : visible_gpus(all, variable)) text += gpu.uuid + " ";
    return text;
  };
  EXPECT_EQ(uuids(nullptr), "GPU-0 GPU-1 GPU-2 ");
  EXPECT_EQ(uuids("2,0"), "GPU-2 GPU-0 ");
  EXPECT_EQ(uuids("1, GPU-0"), "GPU-1 GPU-0 ");
  EXPECT_EQ(uuids(""), "");
  EXPECT_EQ(uuids("0,-1,1"), "GPU-0 ") << "an invalid entry ends the list";
  EXPECT_EQ(uuids("9"), "");
}

TEST(Discover, GpuBoxBecomesASingleNode) {
  const auto machine = machine_of({host("box", 8)});
  EXPECT_EQ(machine->name(), "h200-x8");
  EXPECT_EQ(machine->space(), RankSpace({8}));
  EXPECT_EQ(machine->gpu().name, "H200");
  EXPECT_EQ(machine->gpu().generation, "hopper");
  EXPECT_EQ(machine->gpu().bf16_tflops.value, 989);
  EXPECT_EQ(machine->gpu().hbm_gb.value, 150.754820096);
  EXPECT_EQ(machine->gpu().hbm_gb.origin, Origin::measured);
  EXPECT_EQ(machine->link_classes()[0].kind, LinkKind::nvlink);
  EXPECT_EQ(machine->link_classes()[0].bandwidth.value, 450);
  EXPECT_EQ(machine->channels().value, 24);
  EXPECT_EQ(machine->channels().origin, Origin::published);
  EXPECT_NE(machine->yaml().find("#   rank 3 = 0000:03:00.0 GPU-3 NVIDIA H200\n"),
            std::string::npos);
}

TEST(Discover, GpusWithoutNvlinkUsePcie) {
  auto box = host("box", 2);
  for (auto& gpu : box.gpus) gpu.nvlinks = 0;
  const auto machine = machine_of({box});
  EXPECT_EQ(machine->link_classes()[0].kind, LinkKind::pcie);
  EXPECT_EQ(machine->link_classes()[0].bandwidth.value, 64) << "Gen5 x16";
  EXPECT_EQ(machine_of({host("box", 1)})->links(), 0);
}

TEST(Discover, UnknownGpusGetNoRatings) {
  auto box = host("box", 2);
  for (auto& gpu : box.gpus) {
    gpu.name = "Future: #1\n";
    gpu.compute_major = 99;
  }
  const auto machine = machine_of({box});
  EXPECT_EQ(machine->gpu().generation, "other");
  EXPECT_EQ(machine->gpu().bf16_tflops.value, 0);
  EXPECT_EQ(machine->link_classes()[0].kind, LinkKind::pcie) << "no rating for its NVLink";
  EXPECT_EQ(find_rating("NVIDIA GB200")->bf16_tflops, 2500) << "not the B200 of an HGX box";
  EXPECT_EQ(find_rating("NVIDIA B200")->bf16_tflops, 2250);
  EXPECT_EQ(find_rating("NVIDIA H200 NVL"), nullptr);
  EXPECT_EQ(find_rating("NVIDIA H100 PCIe"), nullptr);
}

TEST(Discover, AlikeHostsBecomeOneNestedMachine) {
  auto a = host("a", 4), b = host("b", 4);
  for (auto* each : {&a, &b}) {
    for (int i = 0; i < 4; ++i)
      each->nics.push_back({"mlx5_" + std::to_string(i), "infiniband", 400});
    each->nics.push_back({"mlx5_9", "roce", 100});  // management
  }
  // Two processes of each host took part.
  const auto machine = machine_of({a, a, b, b});
  EXPECT_EQ(machine->space(), RankSpace({4, 2}));
  EXPECT_EQ(machine->name(), "h200-x4-n2");
  EXPECT_EQ(machine->fabric(), "infiniband");
  EXPECT_EQ(machine->link_classes()[1].bandwidth.value, 50);
  EXPECT_EQ(machine->links(), 2 * 8 + 2 * 8) << "a NIC per GPU";
  EXPECT_EQ(machine->route(RankId(1), RankId(6)).count, 2) << "one switch";
}

TEST(Discover, HostsShareTheirOneNic) {
  const auto machine = machine_of({host("a", 0), host("b", 0), host("c", 0)});
  EXPECT_EQ(machine->space(), RankSpace({4, 3}));
  EXPECT_EQ(machine->gpu().generation, "host");
  EXPECT_EQ(machine->fabric(), "ethernet");
  EXPECT_EQ(machine->links(), 2 * 12 + 2 * 3);
  EXPECT_EQ(machine->route(RankId(0), RankId(5)).links[0],
            machine->route(RankId(3), RankId(9)).links[0]);
}

TEST(Discover, UnlikeGpusOfAHostAreRefused) {
  auto box = host("a", 2);
  box.gpus[1].name = "NVIDIA A100";
  EXPECT_EQ(
      message_of([&] { machine_of({box}); }),
      "the GPUs of a are not alike (NVIDIA H200 at 0000:00:00.0, NVIDIA A100 at 0000:01:00.0; a "
      "machine has one kind of GPU); choose some with CUDA_VISIBLE_DEVICES");
}

TEST(Discover, ProcessesOfOneHostAreJoined) {
  // mpirun binds each process to a core, and a batch system may show each one GPU.
  std::vector<LocalMachine> processes(3, host("a", 0));
  for (std::size_t i = 0; i < 3; ++i) {
    processes[i].cpus = {static_cast<std::int32_t>(i), 7};
    processes[i].usable_cores = 2;
    processes[i].gpus = {h200(static_cast<int>(2 - i))};
  }
  auto joined = join_processes(processes);
  ASSERT_EQ(joined.size(), 1u);
  EXPECT_EQ(joined[0].usable_cores, 4) << "cores 0, 1, 2 and 7";
  ASSERT_EQ(joined[0].gpus.size(), 3u);
  EXPECT_EQ(joined[0].gpus[0].uuid, "GPU-2") << "in process order, as the ranks are";
  processes[0].cpu_quota = 3;
  EXPECT_EQ(join_processes(processes)[0].usable_cores, 3);
  processes[2].boot_id = "another";
  EXPECT_EQ(join_processes(processes).size(), 2u) << "two hosts of one name";
}

TEST(Discover, PacksAndUnpacks) {
  auto box = host("a", 2);
  box.nics.push_back({"mlx5_0", "roce", 400});
  box.cpu_model = "odd \xFF name";
  const LocalMachine back = unpack(pack(box));
  EXPECT_EQ(back.gpus.size(), 2u);
  EXPECT_EQ(back.nics[0].fabric, "roce");
  EXPECT_EQ(to_machine_yaml(std::vector{back}), to_machine_yaml(std::vector{unpack(pack(back))}));
  EXPECT_THROW(unpack("{"), RuntimeError);
  EXPECT_THROW(unpack("{}"), RuntimeError);
}

}  // namespace
}  // namespace fabricast
