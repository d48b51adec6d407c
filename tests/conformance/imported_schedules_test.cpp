// Schedules of other programs' files are run on real data and timed like our own.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "emulator/base/text_file.hpp"
#include "emulator/runtime/executor.hpp"
#include "emulator/schedule/import/msccl_xml.hpp"
#include "emulator/schedule/import/mscclpp_json.hpp"
#include "emulator/schedule/plan.hpp"
#include "emulator/schedule/verify/verify.hpp"
#include "emulator/sim/naive.hpp"
#include "emulator/sim/sweep.hpp"
#include "tests/conformance/imported.hpp"
#include "tests/unit/sim/constant_costs.hpp"

namespace fabricast {
namespace {

// `elements` per chunk, in and out of place where the schedule allows.
void expect_exact(const ImportedSchedule& imported, std::int64_t elements,
                  const PlanLimits& limits = {}) {
  const Schedule& schedule = *imported.schedule;
  const std::string what = schedule.algorithm + " " + std::string(to_string(schedule.collective)) +
                           " of " + std::to_string(schedule.positions()) + ", " +
                           std::to_string(elements) + " per chunk";
  const auto executor = make_host_executor(schedule.positions());
  for (const DataType type : {DataType::float32, DataType::int32}) {
    const auto plan = plan_of(imported.schedule, elements * schedule.chunks * 4, 4, limits);
    RunRequest request;
    request.plan = &plan;
    request.type = type;
    executor->prepare(request);
    EXPECT_EQ(executor->check(), 0) << what << ", loops " << plan.loops;
  }
}

TEST(ImportedSchedules, RunBitExactOnThreads) {
  for (const int p : {2, 3, 4, 8}) {
    const auto executor = make_host_executor(p);
    for (const auto& file : conformance::files_of(p)) {
      const auto imported = read_msccl_xml(file, "f.xml");
      EXPECT_TRUE(verify(plan_of(imported.schedule, 0, 4, {})).ok()) << file;
      conformance::run_imported(*executor, imported, static_cast<std::uint64_t>(p));
    }
  }
}

TEST(ImportedSchedules, MscclppPlansRunBitExact) {
  const std::string file = std::string(FABRICAST_GOLDEN) + "/msccl/allgather_pair.json";
  expect_exact(read_mscclpp_json(read_text_file(file), file), 33);
}

TEST(ImportedSchedules, WhatWeExportRunsBitExact) {
  const auto files = conformance::random_exports(-16, 7, 150);
  EXPECT_GT(files.size(), 80u);
  int odd = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto imported = read_msccl_xml(files[i], "f.xml");
    odd += imported.schedule->moves_chunks ? 0 : 1;
    const auto executor = make_host_executor(imported.schedule->positions());
    conformance::run_imported(*executor, imported, i);
  }
  EXPECT_GT(odd, 60);  // nearly all of them run at any size
}

TEST(ImportedSchedules, EnginesAgree) {
  for (const auto& file : conformance::files_of(4)) {
    const auto imported = read_msccl_xml(file, "f.xml");
    const Schedule& schedule = *imported.schedule;
    const ConstantCosts costs(schedule, {11, 30, 5, 7}, 40, 3);
    const auto naive = naive_makespan(schedule, costs, 1, 1);
    EXPECT_GT(naive.value(), 0);
    for (const bool fold : {false, true}) {
      SweepOptions options;
      options.fold = fold;
      EXPECT_EQ(sweep(schedule, costs, options).makespan.value(), naive.value())
          << schedule.algorithm << " " << to_string(schedule.collective);
    }
  }
}

}  // namespace
}  // namespace fabricast
