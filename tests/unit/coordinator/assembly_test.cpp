// What processes exchange and what a trace stores must come back as it went.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "emulator/base/communicator.hpp"
#include "emulator/coordinator/agreement.hpp"
#include "emulator/coordinator/emulate.hpp"
#include "emulator/coordinator/prediction_text.hpp"
#include "emulator/coordinator/profile_choice.hpp"
#include "emulator/coordinator/profile_text.hpp"
#include "emulator/coordinator/trace_assembly.hpp"
#include "emulator/trace/trace_file.hpp"
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
  // One box of eight, three sizes: all_reduce by ring, tree, halving_doubling, doubling and nvls,
  // all_to_all by pairwise and grouped.
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
  profile_.correlations = {{"launch.ll", "nvlink.step.ll", -0.75},
                           {"cta.copy_bw", "nvlink.efficiency", 1.0 / 3}};
  const EvidencePoint own{
      ExecutorKind::nccl, "hgx-h100", Collective::all_reduce, "ring", "ll", 8, 64, 0};
  const EvidencePoint carried{
      ExecutorKind::nccl, "hgx-h200", Collective::all_gather, "ring", "simple", 4, 1 << 20, 12};
  profile_.evidence = {own, carried};
  profile_.holdout = {{own, 21.0 / 9, 2.5, true}};
  const auto text = to_text(profile_);
  EXPECT_EQ(to_text(profile_from_text(text)), text);
  TraceAssembly assembly;
  assembly.add_machine(*topology_);
  assembly.add_profile(profile_);
  assembly.add_predictions(*topology_, emulation_.predictions);
  const auto content =
      assembly.finish(scenario_.to_yaml(), nullptr, run_attributes("model", "test"));
  const auto profiles = profiles_of(content);
  ASSERT_EQ(profiles.size(), 1u);
  EXPECT_EQ(to_text(profiles.front()), text);
}

// A profile of a version that had no parameters of lines yet: it predicts as it did, and what it
// lacks is at its prior once it is asked for.
TEST_F(AssemblyTest, AProfileOfAnOlderVersionGetsWhatItLacksFromThePriors) {
  auto stored = prior_profile(*topology_, ExecutorKind::cuda, {Protocol::simple});
  stored.find("cuda.launch")->value *= 0.5;
  TraceAssembly assembly;
  assembly.add_machine(*topology_);
  assembly.add_profile(stored);
  const auto path =
      std::filesystem::temp_directory_path() / fmt::format("older-profile-{}.h5", ::getpid());
  write_trace(path, assembly.finish("", nullptr, run_attributes("model", "test")), {});
  const auto choose = [&](const std::vector<Protocol>& protocols) {
    return choose_profile(*topology_, ExecutorKind::cuda, protocols, path.string()).profile;
  };
  EXPECT_EQ(to_text(choose({Protocol::simple})), to_text(stored));
  const auto with_ll = choose({Protocol::ll});
  std::filesystem::remove(path);
  EXPECT_EQ(with_ll.value("cuda.launch"), stored.value("cuda.launch"));
  ASSERT_NE(with_ll.find("cuda.line_ratio.ll"), nullptr);
  EXPECT_EQ(with_ll.find("cuda.line_ratio.ll")->identified, Identified::prior);
  EXPECT_EQ(with_ll.find("cuda.line_ratio.ll128"), nullptr);
  PointSpec point;
  point.executor = ExecutorKind::cuda;
  point.algorithm = "tree";
  point.protocol = Protocol::ll;
  point.bytes = 1 << 20;
  EXPECT_GT(predict(*topology_, with_ll, point).time, SimDuration(0));
}

// A transferred profile read back says the same of the same row: label, distance, interval.
TEST_F(AssemblyTest, ARereadProfilePredictsWhatItDid) {
  const auto cluster = load_machine("hgx-h100x1260");
  auto carried = prior_profile(*cluster, ExecutorKind::nccl);
  ParameterValue& launch = *profile_.find("launch.simple");
  launch.origin = ParameterOrigin::measured;
  launch.sigma_ln = 0.02;
  profile_.evidence = {
      {ExecutorKind::nccl, "hgx-h100", Collective::all_reduce, "tree", "simple", 8, 1 << 20, 0}};
  transfer(profile_, carried);
  ASSERT_EQ(carried.evidence.size(), 1u);
  TraceAssembly assembly;
  assembly.add_machine(*cluster);
  assembly.add_profile(carried);
  const auto reread =
      profiles_of(assembly.finish("", nullptr, run_attributes("model", "test"))).front();
  PointSpec point;
  point.algorithm = "tree";
  point.bytes = 1 << 24;
  const auto before = predict(*cluster, carried, point), after = predict(*cluster, reread, point);
  EXPECT_EQ(before.evidence_ranks_ratio, 1260.0);
  auto comparable = after;
  comparable.engine_seconds = before.engine_seconds;
  EXPECT_EQ(to_text(comparable), to_text(before));
}

// The stages are those of one real channel: the one that ends last.
TEST_F(AssemblyTest, TheTimelineIsOfTheSlowestChannel) {
  const auto ten = with_ranks(load_machine("gb300-nvl72x140"), 720);
  Scenario scenario = small_scenario(*ten);
  scenario.collectives = {Collective::all_reduce};
  scenario.algorithms = {"tree"};
  scenario.sizes = {1 << 19};
  const auto profile = prior_profile(*ten, ExecutorKind::nccl);
  const auto emulation = emulate(Communicator::null(), *ten, profile, scenario);
  const auto made = build_case(*ten, values_of(profile), emulation.predictions.front().point);
  const auto timed = evaluate_case(made, EngineOptions{});
  std::size_t slowest = 0;
  for (std::size_t i = 0; i < timed.channels.size(); ++i) {
    if (timed.channels[i].makespan > timed.channels[slowest].makespan) slowest = i;
  }
  ASSERT_GT(made.channel_classes[slowest].representative, 0) << "a case that tells nothing";
  TraceAssembly assembly;
  assembly.add_predictions(*ten, emulation.predictions);
  const auto content =
      assembly.finish(scenario.to_yaml(), nullptr, run_attributes("model", "test"));
  const Table& timeline = content.at("/timeline");
  for (const auto channel : timeline.integers("channel")) {
    EXPECT_EQ(channel, made.channel_classes[slowest].representative);
  }
  std::int64_t last = 0;
  for (const auto end : timeline.integers("end_ps")) last = std::max(last, end);
  EXPECT_EQ(last + made.launch.value(), content.at("/results").integers("time_ps").front());
}

TEST_F(AssemblyTest, TheTraceIsLawfulAndNoLinkIsAboveItsCapacity) {
  TraceAssembly assembly;
  assembly.add_machine(*topology_);
  assembly.add_profile(profile_);
  assembly.add_predictions(*topology_, emulation_.predictions);
  auto content = assembly.finish(scenario_.to_yaml(), nullptr, run_attributes("model", "test"));
  TraceAssembly classes;
  classes.add_rank_classes(*topology_, profile_, largest_points(content.at("/results"), scenario_));
  for (Table& table : classes.take().tables) content.tables.push_back(std::move(table));
  for (const double utilization : content.at("/links").reals("utilization")) {
    EXPECT_GT(utilization, 0.0);
    EXPECT_LE(utilization, 1.0);
  }
  const auto file =
      std::filesystem::temp_directory_path() / ("assembly-" + std::to_string(getpid()) + ".h5");
  write_trace(file, content);
  for (const auto& problem : check_trace(file))
    ADD_FAILURE() << problem.where << ": " << problem.what;
  EXPECT_EQ(content_digest(read_trace(file)), content_digest(content));
  std::filesystem::remove(file);
}

TEST_F(AssemblyTest, TheTopThreeAreSensitivitiesAndSharesAreShares) {
  TraceAssembly assembly;
  assembly.add_machine(*topology_);
  assembly.add_profile(profile_);
  assembly.add_predictions(*topology_, emulation_.predictions);
  const auto content = assembly.finish("", nullptr, run_attributes("model", "test"));
  const Table& results = content.at("/results");
  for (std::size_t i = 0; i < results.rows(); ++i) {
    const auto& largest = emulation_.predictions[i].sensitivities.front();
    EXPECT_EQ(results.texts("top1_id")[i], largest.id);
    EXPECT_EQ(results.reals("top1_share")[i], std::abs(largest.value));
    EXPECT_GE(results.reals("top1_share")[i], results.reals("top2_share")[i]);
  }
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

TEST(Scenario, NcclHasNoLl128ForAllToAll) {
  const auto topology = load_machine("gb300-nvl72");
  auto scenario = small_scenario(*topology);
  scenario.collectives = {Collective::all_to_all};
  for (std::int64_t bytes = 1 << 16; bytes <= 1 << 30; bytes *= 2) scenario.sizes.push_back(bytes);
  const auto profile = prior_profile(*topology, ExecutorKind::nccl);
  const auto emulation = emulate(Communicator::null(), *topology, profile, scenario);
  for (const auto& p : emulation.predictions) EXPECT_NE(p.point.protocol, Protocol::ll128);

  scenario.protocols = {Protocol::ll128};
  EXPECT_THROW(points_of(scenario, *topology), UsageError);
  scenario.collectives.push_back(Collective::all_reduce);
  std::vector<std::string> notes;
  for (const auto& point : points_of(scenario, *topology, &notes)) {
    EXPECT_EQ(point.collective, Collective::all_reduce);
  }
  EXPECT_NE(
      fmt::format("{}", fmt::join(notes, "\n")).find("pairwise all_to_all has no protocol [ll128]"),
      std::string::npos);
}

// All pairs of a machine whose last pod is partly filled are too many steps; the part of it that is
// whole pods is named, and is not.
std::string why_too_long(const Topology& topology, const std::string& algorithm) {
  auto scenario = small_scenario(topology);
  scenario.collectives = {Collective::all_to_all};
  scenario.algorithms = {algorithm};
  scenario.sizes = {1 << 30};
  try {
    points_of(scenario, topology);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "it is not";
}

// Pairwise exchanges have a closed form, of nodes of several kinds too.
TEST(Scenario, ExchangesInClosedFormAreNotTooLong) {
  EXPECT_EQ(why_too_long(*load_machine("coreweave-estate"), "pairwise"), "it is not");
  const auto unlike = load_machine("gb300-gb200x140", {"fabric.tiers=3", "count=3433"});
  EXPECT_EQ(why_too_long(*unlike, "pairwise"), "it is not");
  const std::string said = why_too_long(*unlike, "grouped");
  EXPECT_NE(said.find("nodes are unlike"), std::string::npos) << said;
  EXPECT_NE(said.find("--ranks 243648 has equal pods"), std::string::npos) << said;
}

TEST(Scenario, WhatIsTooLongNamesTheRanksThatRepeat) {
  const auto topology = load_machine("gb300-nvl72x140", {"fabric.tiers=3", "count=3473"});
  const std::string said = why_too_long(*topology, "grouped");
  EXPECT_NE(said.find("--ranks 248832 has equal pods"), std::string::npos) << said;
  EXPECT_EQ(why_too_long(*with_ranks(topology, 248832), "grouped"), "it is not");
}

// What `measure` would run and nccl-tests would print.
TEST(Scenario, SizesAreRoundedToWhatRuns) {
  const auto topology = load_machine("gb300-nvl72");
  auto scenario = small_scenario(*topology);
  scenario.sizes = {7, 1024, 1152, 1153, 2303, 2304};
  std::vector<std::string> notes;
  std::vector<std::int64_t> reduced, exchanged;
  for (const auto& point : points_of(scenario, *topology, &notes)) {
    if (point.algorithm == "pairwise") exchanged.push_back(point.bytes);
    if (point.algorithm == "ring") reduced.push_back(point.bytes);
  }
  EXPECT_EQ(exchanged, (std::vector<std::int64_t>{1152, 2304}));
  EXPECT_EQ(reduced, (std::vector<std::int64_t>{4, 1024, 1152, 2300, 2304}));
  ASSERT_EQ(notes.size(), 2u);
  const std::string told = fmt::format("{}", fmt::join(notes, "\n"));
  EXPECT_NE(told.find("sizes 7, 1K round"), std::string::npos) << told;
  EXPECT_NE(told.find("7 runs as 4, 2 more so"), std::string::npos) << told;
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
