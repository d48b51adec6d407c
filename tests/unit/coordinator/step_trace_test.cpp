// Steps of a modeled machine: they add up to the result, and every message is sent before it is
// received.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "emulator/base/communicator.hpp"
#include "emulator/base/error.hpp"
#include "emulator/coordinator/emulate.hpp"
#include "emulator/coordinator/prediction_text.hpp"
#include "emulator/coordinator/step_tables.hpp"
#include "emulator/coordinator/trace_assembly.hpp"
#include "emulator/schedule/step.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

Scenario stepping(const Topology& topology) {
  Scenario scenario;
  scenario.machine = topology.name();
  scenario.ranks = topology.ranks();
  scenario.collectives = {Collective::all_reduce, Collective::all_gather, Collective::all_to_all};
  scenario.sizes = {1 << 12, 1 << 20};
  scenario.trace.level = TraceLevel::steps;
  return scenario;
}

std::vector<Prediction> emulated(const Topology& topology, const Scenario& scenario) {
  const auto profile = prior_profile(topology, scenario.executor);
  return emulate(Communicator::null(), topology, profile, scenario).predictions;
}

SimDuration launch_of(const Topology& topology, const Prediction& p) {
  return build_case(topology, values_of(prior_profile(topology, p.point.executor)), p.point).launch;
}

TEST(StepTrace, StepsAddUpToTheResultFoldedOrNot) {
  const auto machine = with_ranks(load_machine("hgx-h100x1260"), 32);
  Scenario scenario = stepping(*machine);
  const auto folded = emulated(*machine, scenario);
  scenario.fold = false;
  const auto whole = emulated(*machine, scenario);
  ASSERT_EQ(folded.size(), whole.size());
  ASSERT_GT(folded.size(), 10u);
  std::int32_t saved = 0;
  for (std::size_t i = 0; i < folded.size(); ++i) {
    SCOPED_TRACE(folded[i].point.algorithm);
    const StepTrace &few = *folded[i].steps, &all = *whole[i].steps;
    ASSERT_EQ(all.steps, static_cast<std::int64_t>(all.rows.size())) << "a case too large";
    std::int64_t last = 0, represented = 0;
    std::map<std::tuple<std::int32_t, std::int32_t, std::int64_t>, const TracedStep*> of_rank;
    for (const TracedStep& row : all.rows) of_rank[{row.rank, row.role, row.step}] = &row;
    for (const TracedStep& row : few.rows) {
      last = std::max(last, row.end_ps);
      represented += row.members;
      TracedStep same = *of_rank.at({row.rank, row.role, row.step});
      same.rank_class = row.rank_class;
      same.members = row.members;
      ASSERT_EQ(row, same) << "rank " << row.rank << " step " << row.step;
    }
    EXPECT_EQ(SimDuration(last) + launch_of(*machine, folded[i]), folded[i].time);
    EXPECT_EQ(represented, all.steps);
    saved += few.rows.size() < all.rows.size() ? 1 : 0;
  }
  EXPECT_GT(saved, 0) << "nothing was folded";
}

// The n-th message of a connection is received by its n-th receive, and not before it is ready.
TEST(StepTrace, NothingIsReceivedBeforeItArrives) {
  const auto machine = with_ranks(load_machine("hgx-h100x1260"), 16);
  Scenario scenario = stepping(*machine);
  scenario.fold = false;
  std::size_t messages = 0;
  for (const Prediction& p : emulated(*machine, scenario)) {
    SCOPED_TRACE(p.point.algorithm);
    using Ends = std::pair<std::int32_t, std::int32_t>;  // source, destination
    std::map<Ends, std::vector<const TracedStep*>> sent, received;
    for (const TracedStep& row : p.steps->rows) {
      EXPECT_EQ(row.peer_out != TracedStep::nobody, (row.action & action_send) != 0);
      EXPECT_EQ(row.peer_in != TracedStep::nobody, (row.action & action_recv) != 0);
      if (row.peer_out >= 0) sent[{row.rank, row.peer_out}].push_back(&row);
      if (row.peer_in >= 0) received[{row.peer_in, row.rank}].push_back(&row);
    }
    ASSERT_EQ(sent.size(), received.size());
    for (const auto& [ends, receives] : received) {
      const auto& sends = sent.at(ends);
      ASSERT_EQ(sends.size(), receives.size());
      const auto one_lane = [](const std::vector<const TracedStep*>& steps) {
        return std::all_of(steps.begin(), steps.end(), [&](const TracedStep* step) {
          return step->role == steps.front()->role;
        });
      };
      if (!one_lane(sends) || !one_lane(receives)) continue;  // several FIFOs side by side
      for (std::size_t n = 0; n < sends.size(); ++n) {
        ASSERT_GE(receives[n]->start_ps, sends[n]->ready_ps);
        ASSERT_GE(receives[n]->end_ps, sends[n]->start_ps);
        ASSERT_EQ(receives[n]->bytes, sends[n]->bytes);
        ++messages;
      }
    }
  }
  EXPECT_GT(messages, 1000u);
}

TEST(StepTrace, ClassesAndWindowsChooseAndNothingIsCutSilently) {
  const auto machine = with_ranks(load_machine("hgx-h100x1260"), 256);
  Scenario scenario = stepping(*machine);
  scenario.collectives = {Collective::all_reduce};
  scenario.fold = false;
  scenario.algorithms = {"ring"};
  scenario.sizes = {1 << 20};
  const auto all = emulated(*machine, scenario).front();
  EXPECT_GT(all.steps->steps, most_steps_per_result);
  ASSERT_EQ(static_cast<std::int64_t>(all.steps->rows.size()), most_steps_per_result);
  for (const TracedStep& row : all.steps->rows)
    EXPECT_LE(row.start_ps, all.steps->complete_until_ps);
  scenario.trace.classes = {2};
  scenario.trace.window = {100'000'000, 200'000'000};
  const auto some = emulated(*machine, scenario).front();
  ASSERT_GT(some.steps->rows.size(), 0u);
  EXPECT_EQ(some.steps->steps, static_cast<std::int64_t>(some.steps->rows.size()));
  for (const TracedStep& row : some.steps->rows) {
    EXPECT_EQ(row.rank_class, 2);
    EXPECT_TRUE(scenario.trace.window.overlaps(row.start_ps, row.end_ps));
  }
  scenario.trace.classes = {9999};
  const auto none = emulated(*machine, scenario).front();
  EXPECT_EQ(none.steps->steps, 0);
  TraceAssembly assembly;
  assembly.add_predictions(*machine, {all, some, none});
  const std::string note = note_on_steps(assembly.take());
  EXPECT_NE(note.find("1 of 3 results have more steps"), std::string::npos) << note;
  EXPECT_NE(note.find("1 of 3 results have no step"), std::string::npos) << note;
}

TEST(StepTrace, RoundTripsAsText) {
  const auto machine = load_machine("hgx-h100");
  for (const Prediction& p : emulated(*machine, stepping(*machine))) {
    EXPECT_EQ(*prediction_from_text(to_text(p)).steps, *p.steps);
  }
}

TEST(TraceChoice, BelongsToTheScenarioAndIsBounded) {
  const auto machine = load_machine("gb300-nvl72x140");
  Scenario scenario = stepping(*machine);
  EXPECT_NE(scenario.to_yaml().find("trace: steps\n"), std::string::npos);
  scenario.trace.window = parse_time_window("1us:2us");
  scenario.trace.classes = {0, 3};
  EXPECT_NE(scenario.to_yaml().find("trace_classes: [0, 3]\ntrace_window: 1000000ps:2000000ps\n"),
            std::string::npos);
  scenario.trace.classes.clear();
  scenario.algorithms = {"ring"};
  scenario.sizes.assign(1, 1 << 20);
  scenario.collectives = {Collective::all_reduce};
  EXPECT_EQ(step_rows_at_most(scenario, *machine), most_steps_per_result);
  scenario.trace.level = TraceLevel::phases;
  EXPECT_EQ(step_rows_at_most(scenario, *machine), 0);
  EXPECT_NO_THROW(check_step_rows(most_step_rows));
  EXPECT_THROW(check_step_rows(most_step_rows + 1), UsageError);
  EXPECT_THROW(trace_level_from_name("step"), UsageError);
}

// The bound is one: never fewer rows than are written.
TEST(TraceChoice, TheEstimateIsNeverTooSmall) {
  const auto machine = load_machine("hgx-h100");
  Scenario scenario = stepping(*machine);
  scenario.fold = false;
  std::int64_t rows = 0;
  for (const Prediction& p : emulated(*machine, scenario)) {
    rows += static_cast<std::int64_t>(p.steps->rows.size());
  }
  EXPECT_GT(rows, 0);
  EXPECT_LE(rows, step_rows_at_most(scenario, *machine));
}

}  // namespace
}  // namespace fabricast
