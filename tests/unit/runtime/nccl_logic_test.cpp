// The NCCL executor without a GPU: its calls go to a CUDA runtime on host memory and to libraries
// that behave like a new, an old, a failing and a hanging NCCL. One NCCL per process: tests of
// another than the first one loaded are skipped, unless each runs alone as ctest does it.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "emulator/base/error.hpp"
#include "emulator/runtime/executor.hpp"
#include "tests/unit/runtime/fakes/fake_cuda.hpp"

namespace fabricast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// dlopen("libnccl.so.2") finds a library of that name that is loaded already.
void load(const std::string& which) {
  static std::string loaded;
  if (loaded.empty()) {
    const std::string path = std::string(FAKE_NCCL_FOLDER) + "/" + which + "/libnccl.so.2";
    ASSERT_NE(dlopen(path.c_str(), RTLD_NOW), nullptr) << dlerror();
    loaded = which;
  }
  if (loaded != which) GTEST_SKIP() << "this process has the " << loaded << " NCCL";
}

class NcclLogic : public testing::Test {
 protected:
  void SetUp() override {
    setenv("FABRICAST_FAKE_GPUS", "3", 1);
    unsetenv("FAKE_NCCL");
    unsetenv("FAKE_GATE");
    options_.deadline_seconds = 0.3;
  }
  void use(const std::string& which) { load(which); }
  void behave(const char* how) { setenv("FAKE_NCCL", how, 1); }

  RunRequest request(Collective collective, std::int64_t bytes = 3072) {
    plan_ = make_plan(collective, algorithms_of(collective).front(), RankSpace{3}, bytes, 4, {});
    RunRequest result;
    result.plan = &plan_;
    return result;
  }
  // The message of what an all_reduce throws.
  std::string failure() {
    try {
      const auto executor = make_nccl_executor(Communicator::null(), options_);
      executor->prepare(request(Collective::all_reduce));
      executor->run();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::runtime);
      return error.what();
    }
    return "nothing was thrown";
  }
  void expect_all_exact(bool symmetric, bool graph) {
    const auto executor = make_nccl_executor(Communicator::null(), options_);
    ASSERT_EQ(executor->max_ranks(), 3);
    for (const auto& name : collective_names()) {
      auto asked = request(collective_from_name(name));
      asked.symmetric = symmetric;
      asked.graph = graph;
      executor->prepare(asked);
      EXPECT_EQ(executor->check(), 0) << name;
      EXPECT_GT(executor->run(), 0) << name;
    }
  }

  NcclOptions options_;
  ExecutionPlan plan_;
};

TEST_F(NcclLogic, NewAllCollectivesAreExactPlainSymmetricAndAsGraphs) {
  use("new");
  if (IsSkipped()) return;
  expect_all_exact(false, false);
  expect_all_exact(true, false);
  expect_all_exact(false, true);
  expect_all_exact(true, true);
}

TEST_F(NcclLogic, NewTellsAlgorithmProtocolChannelsAndItsEstimate) {
  use("new");
  if (IsSkipped()) return;
  const auto executor = make_nccl_executor(Communicator::null(), options_);
  for (const bool graph : {false, true}) {
    auto asked = request(Collective::all_reduce);
    asked.graph = graph;
    executor->prepare(asked);
    const auto choice = executor->observe();
    ASSERT_TRUE(choice);
    EXPECT_EQ(choice->algorithm, "ring");
    EXPECT_EQ(choice->protocol, "ll");
    EXPECT_EQ(choice->channels, 2);
    EXPECT_THAT(choice->source, HasSubstr("profiler of NCCL 2.28.9"));
    EXPECT_DOUBLE_EQ(choice->estimate_us, 12.5);
  }
  executor->prepare(request(Collective::all_to_all));
  const auto transfers = executor->observe();
  EXPECT_EQ(transfers->algorithm, "") << "sends and receives have none";
  EXPECT_EQ(transfers->estimate_us, 0);
  EXPECT_THAT(transfers->estimate_source, HasSubstr("no sends and receives"));
  executor->prepare(request(Collective::all_reduce));
  EXPECT_EQ(executor->check(), 0) << "the estimate launched nothing and left nothing behind";
}

TEST_F(NcclLogic, NewAllGpusStartTogetherOnceTheOperationHasRun) {
  use("new");
  if (IsSkipped()) return;
  const auto executor = make_nccl_executor(Communicator::null(), options_);
  for (int prepared = 0; prepared < 2; ++prepared) {
    executor->prepare(request(Collective::all_reduce));
    fakes::take_seen();
    executor->run();  // NCCL may wait for the device while it connects
    EXPECT_THAT(fakes::take_seen(), ElementsAre("operation", "gate", "gate", "gate",
                                                "operation held", "opened", "opened", "opened"));
    executor->run();
    EXPECT_THAT(fakes::take_seen(), ElementsAre("gate", "gate", "gate", "operation held", "opened",
                                                "opened", "opened"));
    executor->observe();  // untimed, as the check
    EXPECT_THAT(fakes::take_seen(), ElementsAre("operation"));
    EXPECT_EQ(executor->check(), 0);
    EXPECT_THAT(fakes::take_seen(), ElementsAre("operation"));
  }
  auto asked = request(Collective::all_reduce);
  asked.graph = true;
  executor->prepare(asked);
  executor->run();  // nothing is held while it is captured
  EXPECT_THAT(fakes::take_seen(), ElementsAre("operation", "captured", "graph", "gate", "gate",
                                              "gate", "graph held", "opened", "opened", "opened"));
}

TEST_F(NcclLogic, NewATimeHasNothingOfWhatTheHostTakesToQueue) {
  use("new");
  if (IsSkipped()) return;
  behave("slow_launch");
  const auto executor = make_nccl_executor(Communicator::null(), options_);
  executor->prepare(request(Collective::all_reduce));
  EXPECT_LT(executor->run(), 100e-3) << "the host takes 200 ms";
  EXPECT_LT(executor->run(), 100e-3);
}

TEST_F(NcclLogic, NewWhatStartedByItselfIsNoMeasurement) {
  use("new");
  if (IsSkipped()) return;
  setenv("FAKE_GATE", "late 0", 1);
  EXPECT_THAT(failure(), HasSubstr("a GPU started before its host said so"));
}

TEST_F(NcclLogic, NewWithoutItsBlockingCommunicatorOnlyTheEstimateIsMissing) {
  use("new");
  if (IsSkipped()) return;
  behave("hang_blocking");
  const auto executor = make_nccl_executor(Communicator::null(), options_);
  executor->prepare(request(Collective::all_reduce));
  const auto choice = executor->observe();
  EXPECT_EQ(choice->algorithm, "ring");
  EXPECT_EQ(choice->estimate_us, 0);
  EXPECT_THAT(choice->estimate_source, HasSubstr("did not connect within"));
  EXPECT_EQ(executor->check(), 0);
}

TEST_F(NcclLogic, OldRunsEverythingButSaysWhatItLacks) {
  use("old");
  if (IsSkipped()) return;
  expect_all_exact(false, false);
  expect_all_exact(false, true);
  const auto executor = make_nccl_executor(Communicator::null(), options_);
  auto asked = request(Collective::all_reduce);
  executor->prepare(asked);
  const auto choice = executor->observe();
  EXPECT_EQ(choice->algorithm, "") << "never guessed";
  EXPECT_THAT(choice->source, HasSubstr("knows no profiler"));
  EXPECT_THAT(choice->estimate_source, HasSubstr("it came with 2.22"));
  asked.symmetric = true;
  try {
    executor->prepare(asked);
    FAIL() << "an old NCCL has no windows";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("NCCL 2.18.6 has no symmetric windows"));
  }
}

TEST_F(NcclLogic, AncientIsRefusedByVersion) {
  use("ancient");
  if (IsSkipped()) return;
  const auto nccl = nccl_availability();
  EXPECT_FALSE(nccl.available);
  EXPECT_THAT(nccl.reason, HasSubstr("NCCL 2.10.3 is not supported"));
  EXPECT_THROW(make_nccl_executor(Communicator::null()), AgreedError);
}

TEST_F(NcclLogic, WithoutADeviceOrALibraryTheReasonIsNamed) {
  setenv("FABRICAST_FAKE_GPUS", "0", 1);
  EXPECT_THAT(nccl_availability().reason, HasSubstr("no CUDA device"));
}

struct Trouble {
  const char* behaviour;
  const char* message;
};
class NcclTrouble : public NcclLogic, public testing::WithParamInterface<Trouble> {};

TEST_P(NcclTrouble, EndsInAMessageAndAnAbortWithinTheDeadline) {
  use("new");
  if (IsSkipped()) return;
  const auto aborts =
      std::filesystem::temp_directory_path() / ("fabricast-aborts-" + std::to_string(getpid()));
  setenv("FAKE_NCCL_ABORTS", aborts.c_str(), 1);
  behave(GetParam().behaviour);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(failure(), HasSubstr(GetParam().message));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  EXPECT_LT(took.count(), options_.deadline_seconds + 10) << "R20";
  std::ifstream file(aborts);
  int count = 0;
  for (std::string line; std::getline(file, line);) ++count;
  EXPECT_EQ(count, std::string(GetParam().behaviour) == "fail_connect" ? 0 : 3) << "one per rank";
  file.close();
  std::filesystem::remove(aborts);
  unsetenv("FAKE_NCCL_ABORTS");
}

INSTANTIATE_TEST_SUITE_P(
    New, NcclTrouble,
    testing::Values(Trouble{"hang_connect", "connecting NCCL did not end within 0.3 s"},
                    Trouble{"hang_accept", "NCCL all_reduce did not end within 0.3 s"},
                    Trouble{"hang_stream", "NCCL all_reduce did not end within 0.3 s"},
                    Trouble{"fail_connect", "connecting NCCL failed"},
                    Trouble{"fail_async", "NCCL all_reduce failed"}),
    [](const auto& each) { return std::string(each.param.behaviour); });

}  // namespace
}  // namespace fabricast
