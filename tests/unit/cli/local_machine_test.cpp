// The machine of samples where the CUDA driver alone describes the GPUs (a made-up one).
#include "emulator/cli/local_machine.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <stdlib.h>  // setenv

#include <memory>
#include <string>

#include "tests/support/refusal.hpp"

namespace fabricast {
namespace {

struct NoExecutor final : Executor {
  explicit NoExecutor(std::int32_t most) : ranks(most) {}
  std::string name() const override { return "none"; }
  std::string description() const override { return "nothing"; }
  std::int32_t max_ranks() const override { return ranks; }
  TimingVerdict may_time(const ExecutionPlan&) const override { return {}; }
  void prepare(const RunRequest&) override {}
  double run() override { return 0; }
  std::int64_t check() override { return 0; }
  std::int32_t ranks;
};

class LocalMachineOf : public ::testing::Test {
 protected:
  void SetUp() override {
    if (void* nvml = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL); nvml != nullptr) {
      dlclose(nvml);
      GTEST_SKIP() << "NVML is here and would be asked first";
    }
    // Loaded under its name, so that no other library of that name is.
    ASSERT_NE(dlopen(FABRICAST_FAKE_LIBCUDA, RTLD_NOW | RTLD_LOCAL), nullptr) << dlerror();
  }
  void TearDown() override { unsetenv("FABRICAST_FAKE_GPUS"); }

  static std::shared_ptr<const Topology> measured(ExecutorKind kind, std::int32_t ranks,
                                                  const char* gpus) {
    setenv("FABRICAST_FAKE_GPUS", gpus, 1);
    ExecutorChoice choice;
    choice.kind = kind;
    choice.executor = std::make_unique<NoExecutor>(ranks);
    return local_machine(Communicator::null(), choice);
  }
};

TEST_F(LocalMachineOf, ThreadBlocksOfOneGpuAreThatGpus) {
  const auto machine = measured(ExecutorKind::cuda, 8, "1");
  EXPECT_EQ(machine->ranks(), 8);
  EXPECT_EQ(machine->gpu().generation, "hopper");
  EXPECT_NE(machine->title().find("fake GPU (thread blocks of one GPU)"), std::string::npos)
      << machine->title();
}

TEST_F(LocalMachineOf, GpusOfNcclAreRanks) {
  EXPECT_EQ(measured(ExecutorKind::nccl, 4, "4")->ranks(), 4);
  EXPECT_EQ(measured(ExecutorKind::nccl, 2, "4")->ranks(), 2);
}

TEST_F(LocalMachineOf, SamplesOfGpusAreNeverAHosts) {
  for (const auto kind : {ExecutorKind::cuda, ExecutorKind::nccl}) {
    EXPECT_EQ(message_of([&] { measured(kind, 2, "0"); }),
              "the driver does not describe this GPU (NVML cannot be loaded, and the CUDA driver "
              "reports no GPU; so its machine cannot be written) name the machine with --machine "
              "of measure or suites");
  }
}

TEST_F(LocalMachineOf, CoresAreAHostsWhateverGpusThereAre) {
  const auto machine = measured(ExecutorKind::host, 1, "2");
  EXPECT_EQ(machine->gpu().generation, "host");
  EXPECT_NE(machine->yaml().find("no GPUs: left out, cores are measured"), std::string::npos)
      << machine->yaml();
}

// A process with one GPU whose NVLinks nothing tells.
LocalMachine process_on(const std::string& hostname, const std::string& bus_id) {
  LocalMachine process;
  process.hostname = hostname;
  process.nvlinks_known = false;
  process.gpu_note = "links are not known";
  process.gpus.resize(1);
  process.gpus[0].bus_id = bus_id;
  return process;
}

std::string said_of(const std::vector<LocalMachine>& processes) {
  ::testing::internal::CaptureStderr();
  judge_unknown_links(processes, false);
  return ::testing::internal::GetCapturedStderr();
}

TEST(UnknownLinks, AreOfHostsWithSeveralGpus) {
  const auto first = process_on("a", "0000:1b:00.0"), second = process_on("a", "0000:2b:00.0");
  const auto elsewhere = process_on("b", "0000:1b:00.0");
  EXPECT_NE(said_of({first, second}).find("joins its GPUs by PCIe"), std::string::npos);
  EXPECT_EQ(said_of({first, elsewhere}), "") << "a network joins these";
  EXPECT_EQ(said_of({first, first}), "") << "two processes on one GPU";
}

TEST(UnknownLinks, AreNoSwitch) {
  auto process = process_on("a", "0000:1b:00.0");
  EXPECT_EQ(message_of([&] { judge_unknown_links({process}, true); }),
            "--multimem reduces in the switch of NVLinks, and nothing tells of any here (links are "
            "not known; its samples would be of GPUs on PCIe) name the machine with --machine");
  process.nvlinks_known = true;
  judge_unknown_links({process}, true);
}

}  // namespace
}  // namespace fabricast
