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

}  // namespace
}  // namespace fabricast
