// The verifier on schedules that are wrong in one known way each.
#include "emulator/schedule/verify/verify.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/algorithms/stage_builder.hpp"

namespace fabricast {
namespace {

using testing::HasSubstr;

VerifyReport check(const Schedule& schedule, VerifyOptions options = {}) {
  return verify(schedule, Placement::identity(schedule.space), options);
}

TEST(Verify, CountsWhatItSaw) {
  const auto report = check(ring_all_reduce(RankSpace{5}));
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.lanes, 5);
  EXPECT_EQ(report.steps, 5 * 9);      // 2p - 1 steps per rank
  EXPECT_EQ(report.messages, 5 * 8);   // 2(p - 1) messages
  EXPECT_EQ(report.connections, 5);
  EXPECT_EQ(report.shared_chunks, 0);  // one role
}

TEST(Verify, NamesTheContributionThatIsMissing) {
  auto schedule = ring_all_reduce(RankSpace{4});
  // Position 2 forwards without adding its own part.
  auto& phases = schedule.stages[1].groups[0].phases;
  Phase lazy = phases[0];
  lazy.action = recv_forward;
  lazy.active = Active::range(2, 3);
  phases[0].active = Active::range(0, 2);
  Phase rest = phases[0];
  rest.active = Active::range(3, 4);
  phases.push_back(rest);
  phases.push_back(lazy);
  const auto report = check(schedule);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.findings[0].kind, Finding::Kind::wrong_result);
  EXPECT_THAT(report.findings[0].text, HasSubstr("of rank 2"));
  EXPECT_THAT(report.findings[0].text, HasSubstr("lacks"));
}

TEST(Verify, TellsAboutBothEndsOfALostMessage) {
  auto schedule = ring_all_gather(RankSpace{4});
  schedule.stages.back().groups[0].phases[0].active = Active::range(0, 3);
  const auto report = check(schedule);
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(report.findings[0].text, HasSubstr("rank 2 sends 3 messages to rank 3, which receives 2"));
}

TEST(Verify, FindsTheCycleOfADeadlock) {
  // Everybody sends as many messages as there are slots and one more before receiving.
  auto schedule = empty_schedule(Collective::all_to_all, "greedy", RankSpace{3}, 3);
  schedule.fifo_depth = 2;
  const ChunkMap next{{fixed_term(-1, 3, 1), {}}, 1};
  schedule.stages.push_back(
      stage_of("send", 3, {action_send, Buffer::input, 0, {}, PeerMap::linear(0, 1), next, {}}));
  schedule.stages.push_back(stage_of(
      "receive", 3,
      {recv_store, Buffer::input, 0, PeerMap::linear(0, -1), {}, own_chunks(3, -1), {}}));
  const auto report = check(schedule);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.findings[0].kind, Finding::Kind::deadlock);
  EXPECT_THAT(report.findings[0].text, HasSubstr("3 of 3 lanes wait for ever with 2 slots"));
  EXPECT_THAT(report.findings[0].text, HasSubstr("stage send, repetition 2 waits for a free slot"));
  EXPECT_THAT(report.findings[0].text, HasSubstr("and so round"));
  schedule.fifo_depth = 3;
  for (const auto& finding : check(schedule).findings) {
    EXPECT_NE(finding.kind, Finding::Kind::deadlock) << finding.text;
  }
}

// A ring whose steps receive and send needs more slots than slices (semantics 4.3).
TEST(Verify, SlicesCountAgainstTheSlots) {
  auto schedule = ring_all_reduce(RankSpace{4});
  schedule.fifo_depth = 2;
  VerifyOptions options;
  EXPECT_TRUE(check(schedule, options).ok());
  options.slices = 2;
  const auto report = check(schedule, options);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.findings[0].kind, Finding::Kind::deadlock);
}

TEST(Verify, LanesOfOneRankMustBeOrdered) {
  // Two lanes write one chunk of the output; the right one happens to come last in listing order.
  auto schedule = empty_schedule(Collective::broadcast, "racing", RankSpace{2}, 1);
  schedule.roles = 2;
  schedule.scratch_chunks = 1;
  const ChunkMap all = first_chunks(1);
  Phase send{action_copy | action_send, Buffer::input, 0, {}, PeerMap::linear(0, 1), all,
             Active::range(0, 1)};
  Phase early{action_copy, Buffer::scratch, 0, {}, {}, all, Active::range(1, 2)};
  Phase late{recv_store, Buffer::input, 1, PeerMap::linear(0, -1), {}, all, Active::range(1, 2)};
  schedule.stages.push_back(stage_of_phases("race", {send, early, late}));
  const auto report = check(schedule);
  ASSERT_FALSE(report.ok());
  const auto hazard = std::find_if(report.findings.begin(), report.findings.end(), [](const auto& f) {
    return f.kind == Finding::Kind::hazard || f.kind == Finding::Kind::wrong_result;
  });
  ASSERT_NE(hazard, report.findings.end());
  // With a declared dependence the order is defined, and right.
  schedule.stages = {stage_of_phases("early", {send, early})};
  late.after = MapTable({-1, 0, 0, 0});
  schedule.stages.push_back(stage_of_phases("late", {late}));
  EXPECT_TRUE(check(schedule).ok());
}

TEST(Verify, IllegalStepsAreNotRun) {
  auto schedule = ring_all_reduce(RankSpace{3});
  schedule.stages[0].groups[0].phases[0].action = action_recv;
  const auto report = check(schedule);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.findings[0].kind, Finding::Kind::bad_step);
  EXPECT_THAT(report.note, HasSubstr("not run"));
  schedule = ring_reduce_scatter(RankSpace{3});
  schedule.stages[0].groups[0].phases[0].source = Buffer::output;
  EXPECT_THAT(check(schedule).findings.at(0).text, HasSubstr("does not hold it"));
  schedule = ring_all_reduce(RankSpace{3});
  schedule.fifo_depth = 0;
  EXPECT_THAT(check(schedule).findings.at(0).text, HasSubstr("no slot"));
}

TEST(Verify, OneLaneOnEachEndOfAConnection) {
  auto schedule = ring_all_gather(RankSpace{4});
  schedule.roles = 2;
  schedule.stages[1].groups[0].phases[0].role = 1;
  const auto report = check(schedule);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.findings[0].kind, Finding::Kind::connection);
  EXPECT_THAT(report.findings[0].text, HasSubstr("their order would depend on timing"));
}

TEST(Verify, LargeSchedulesReportFingerprintsOnly) {
  auto schedule = ring_all_reduce(RankSpace{100});
  schedule.stages[2].groups[0].phases[0].action = recv_forward;
  const auto report = check(schedule);
  EXPECT_EQ(report.findings.size(), 10u);
  EXPECT_GT(report.further_findings, 1000);
  EXPECT_THAT(report.findings[0].text, HasSubstr("is not what all_reduce promises"));
}

// Bruck's all-gather of four (semantics 2.9): x hands the x, x + 1 it has to x - 2, across the end.
TEST(Verify, AMessageGoesRoundTheEndOfItsBuffer) {
  auto schedule = empty_schedule(Collective::all_gather, "bruck", RankSpace{4}, 4);
  schedule.stages = {
      stage_of_phases("near", {{action_copy | action_send, Buffer::input, 0, {},
                                PeerMap::linear(0, -1), own_chunks(4, 0), {}},
                               {recv_store, Buffer::input, 0, PeerMap::linear(0, 1), {},
                                own_chunks(4, 1), {}}}),
      stage_of_phases("far", {{action_send, Buffer::output, 0, {}, PeerMap::linear(0, -2),
                               own_chunks(4, 0, 2), {}},
                              {recv_store, Buffer::input, 0, PeerMap::linear(0, 2), {},
                               own_chunks(4, 2, 2), {}}})};
  EXPECT_TRUE(check(schedule).ok());
  schedule.stages[1].groups[0].phases[0].chunk.count = 5;  // more than there are
  EXPECT_THAT(check(schedule).findings.at(0).text, HasSubstr("lie outside the 4 of its buffer"));
}

}  // namespace
}  // namespace fabricast
