// What processes exchange and what a trace stores must come back as it went.
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>

#include "emulator/base/communicator.hpp"
#include "emulator/coordinator/agreement.hpp"
#include "emulator/coordinator/emulate.hpp"
#include "emulator/coordinator/prediction_text.hpp"
#include "emulator/coordinator/profile_text.hpp"
#include "emulator/coordinator/trace_assembly.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

Scenario small_scenario(const Topology& topology) {
  Scenario scenario;
  scenario.machine = topology.name();
  scenario.ranks = topology.ranks();
  scenario.collectives = {Collective::all_reduce, Collective::all_to_all};
  scenario.sizes = {1 << 10, 1 << 20, 1 << 28};
  scenario.profile = "prior";
  return scenario;
}

class AssemblyTest : public testing::Test {
 protected:
  std::shared_ptr<const Topology> topology_ = load_machine("hgx-h100");
  CalibrationProfile profile_ = prior_profile(*topology_, ExecutorKind::nccl);
  Scenario scenario_ = small_scenario(*topology_);
  Emulation emulation_ = emulate(Communicator::null(), *topology_, profile_, scenario_);
};

TEST_F(AssemblyTest, OneRowPerCollectiveAlgorithmAndSize) {
  // Five algorithms of all_reduce (one domain: no hierarchical), two of all_to_all: three sizes each.
  ASSERT_EQ(emulation_.predictions.size(), 21u);
  for (const auto& p : emulation_.predictions) {
    EXPECT_GE(p.time, p.bound);
    EXPECT_LE(p.low_us, to_us(p.time));
    EXPECT_GE(p.high_us, to_us(p.time));
    EXPECT_EQ(p.measured_share, 0.0);
    EXPECT_EQ(p.label, PredictionLabel::extrapolated);
    EXPECT_FALSE(p.limiting_term.empty());
  }
}

TEST_F(AssemblyTest, PredictionsRoundTripAsText) {
  for (const auto& p : emulation_.predictions) {
    const auto text = to_text(p);
    EXPECT_EQ(to_text(prediction_from_text(text)), text);
  }
}

TEST_F(AssemblyTest, ProfilesRoundTripAsTextAndThroughATrace) {
  const auto text = to_text(profile_);
  EXPECT_EQ(to_text(profile_from_text(text)), text);
  TraceAssembly assembly;
  assembly.add_machine(*topology_);
  assembly.add_profile(profile_);
  assembly.add_predictions(*topology_, emulation_.predictions);
  const auto content = assembly.finish(scenario_.to_yaml(), nullptr, run_attributes("model", "test"));
  const auto profiles = profiles_of(content);
  ASSERT_EQ(profiles.size(), 1u);
  EXPECT_EQ(to_text(profiles.front()), text);
}

TEST_F(AssemblyTest, TheTraceIsLawfulAndNoLinkIsAboveItsCapacity) {
  TraceAssembly assembly;
  assembly.add_machine(*topology_);
  assembly.add_profile(profile_);
  assembly.add_predictions(*topology_, emulation_.predictions);
  assembly.add_rank_classes(*topology_, profile_, emulation_.predictions);
  const auto content = assembly.finish(scenario_.to_yaml(), nullptr, run_attributes("model", "test"));
  for (const double utilization : content.at("/links").reals("utilization")) {
    EXPECT_GT(utilization, 0.0);
    EXPECT_LE(utilization, 1.0);
  }
  const auto file = std::filesystem::temp_directory_path() / ("assembly-" + std::to_string(getpid()) + ".h5");
  write_trace(file, content);
  for (const auto& problem : check_trace(file)) ADD_FAILURE() << problem.where << ": " << problem.what;
  EXPECT_EQ(content_digest(read_trace(file)), content_digest(content));
  std::filesystem::remove(file);
}

TEST(Agreement, TheVerdictOfRankZeroIsEverybodys) {
  const auto alone = Communicator::null();
  EXPECT_EQ(agree(alone, [] { return std::string("yes"); }), "yes");
  try {
    agree_that(alone, [] { throw IoError("disk full"); });
    FAIL() << "accepted";
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.code(), ExitCode::io);
    EXPECT_STREQ(error.what(), "disk full");
  }
}

TEST(Scenario, NothingToEmulateIsAnError) {
  const auto topology = load_machine("hgx-h100");
  auto scenario = small_scenario(*topology);
  scenario.algorithms = {"hierarchical"};  // one box has no second level
  EXPECT_THROW(points_of(scenario, *topology), UsageError);
  scenario.algorithms = {"rign"};
  EXPECT_THROW(points_of(scenario, *topology), UsageError);
}

}  // namespace
}  // namespace fabricast
