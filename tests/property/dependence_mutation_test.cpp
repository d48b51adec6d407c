// Lose every declared dependence (semantics 2.7), and point it at every other lane and stage: the
// verifier must report exactly the mutants that some interleaving betrays.
//
// Imported schedules wait across lanes, rows of the catalogue do not. Interleavings run with the
// schedule's slots and with many, because credits order nothing (2.3); more of them where the
// verifier has something to say, to find the one that shows it.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "emulator/base/text_file.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "emulator/schedule/export/msccl_xml_writer.hpp"
#include "emulator/schedule/import/msccl_xml.hpp"
#include "emulator/schedule/verify/verify.hpp"
#include "tests/conformance/hand_made.hpp"
#include "tests/property/random_interleaving.hpp"
#include "tests/unit/schedule/msccl_files.hpp"

namespace fabricast {
namespace {

bool waits_anywhere(const Schedule& schedule) {
  for (const auto& program : expand_all(schedule, Placement::identity(schedule.space))) {
    for (const StepExtra& extra : program.extras) {
      if (extra.after_role >= 0) return true;
    }
  }
  return false;
}

std::vector<Schedule> schedules_that_wait() {
  std::vector<std::string> files = {
      read_text_file(std::string(FABRICAST_GOLDEN) + "/msccl/allreduce_pairs_4.xml"),
      msccl_all_pairs_reduce_scatter(3), msccl_all_pairs_reduce_scatter(4)};
  for (const int p : {2, 3, 4}) {
    for (const bool in_place : {false, true}) {
      files.push_back(msccl_all_pairs_all_reduce(p, in_place));
    }
  }
  std::vector<Schedule> schedules;
  for (const std::int32_t p : {2, 3, 4}) {
    schedules.push_back(conformance::all_pairs_all_reduce(p));
  }
  for (const AlgorithmEntry& entry : algorithm_catalogue()) {
    const RankSpace space{2, 2};
    if (entry.collective == Collective::send_recv || !why_not(entry, space).empty()) continue;
    files.push_back(to_msccl_xml(make_plan(entry.collective, entry.name, space, 4096, 4, {})));
  }
  for (const auto& file : files) {
    const auto imported = read_msccl_xml(file, "f.xml");
    if (waits_anywhere(*imported.schedule)) schedules.push_back(*imported.schedule);
  }
  return schedules;
}

class Mutants {
 public:
  explicit Mutants(const Schedule& schedule)
      : schedule_(schedule),
        placement_(Placement::identity(schedule.space)),
        programs_(expand_all(schedule, placement_)) {
    deep_ = schedule_;
    deep_.fifo_depth = 64;
    right_ = RandomInterleaving(deep_, programs_, 1).run();
  }
  void try_all();

  int mutants = 0, harmful = 0, caught = 0, false_alarms = 0;

 private:
  void try_one(StepExtra& extra, std::int16_t role, std::int32_t stage, const std::string& what);
  bool is_harmful(std::uint64_t interleavings) const;

  Schedule schedule_, deep_;
  Placement placement_;
  std::vector<LaneProgram> programs_;
  std::optional<std::vector<std::uint64_t>> right_;
};

bool Mutants::is_harmful(std::uint64_t interleavings) const {
  for (std::uint64_t i = 0; i < interleavings; ++i) {
    const auto manner = i % 4 < 2 ? Manner::any : Manner::first_of_order;
    const Schedule& schedule = i % 2 == 0 ? schedule_ : deep_;
    if (RandomInterleaving(schedule, programs_, 1000 + i, manner).run() != right_) return true;
  }
  return false;
}

void Mutants::try_one(StepExtra& extra, std::int16_t role, std::int32_t stage,
                      const std::string& what) {
  const StepExtra before = extra;
  extra.after_role = role;
  extra.after_stage = stage;
  ++mutants;
  VerifyOptions options;
  if (mutants % 2 == 0) options.clock_counters = 1;  // one run per rank
  const VerifyReport report = verify(LaneSource(schedule_, placement_, programs_), options);
  const bool bad = is_harmful(report.ok() ? 60 : 5000);
  harmful += bad ? 1 : 0;
  caught += bad && !report.ok() ? 1 : 0;
  false_alarms += !bad && !report.ok() ? 1 : 0;
  EXPECT_EQ(bad, !report.ok()) << schedule_.algorithm << " " << to_string(schedule_.collective)
                               << " of " << schedule_.positions() << ", " << what << " -> role "
                               << role << " stage " << stage << ": "
                               << (report.ok() ? "not reported" : report.findings.front().text);
  extra = before;
}

void Mutants::try_all() {
  ASSERT_TRUE(right_.has_value()) << schedule_.algorithm;
  ASSERT_TRUE(verify(LaneSource(schedule_, placement_, programs_)).ok()) << schedule_.algorithm;
  ASSERT_FALSE(is_harmful(500)) << schedule_.algorithm;
  for (std::size_t lane = 0; lane < programs_.size(); ++lane) {
    for (std::size_t i = 0; i < programs_[lane].steps.size(); ++i) {
      StepExtra& extra = programs_[lane].extras[i];
      if (extra.after_role < 0) continue;
      const auto own = static_cast<std::int32_t>(lane) % schedule_.roles;
      const std::string what = "lane " + std::to_string(lane) + " step " + std::to_string(i) +
                               ", after role " + std::to_string(extra.after_role) + " stage " +
                               std::to_string(extra.after_stage);
      try_one(extra, -1, 0, what);
      for (std::int32_t role = 0; role < schedule_.roles; ++role) {
        for (std::int32_t stage = 0; stage < std::ssize(schedule_.stages); ++stage) {
          if (role == own || (role == extra.after_role && stage == extra.after_stage)) continue;
          try_one(extra, static_cast<std::int16_t>(role), stage, what);
        }
      }
    }
  }
}

TEST(DependenceMutations, ExactlyTheHarmfulOnesAreReported) {
  int mutants = 0, harmful = 0, caught = 0, false_alarms = 0;
  const auto schedules = schedules_that_wait();
  EXPECT_GE(schedules.size(), 12u);
  for (const Schedule& schedule : schedules) {
    Mutants each(schedule);
    each.try_all();
    mutants += each.mutants;
    harmful += each.harmful;
    caught += each.caught;
    false_alarms += each.false_alarms;
  }
  std::printf("%d mutants, %d harmful, %d caught; %d reported though harmless\n", mutants, harmful,
              caught, false_alarms);
  EXPECT_GE(harmful, 500);
  EXPECT_GE(mutants - harmful, 100);
}

}  // namespace
}  // namespace fabricast
