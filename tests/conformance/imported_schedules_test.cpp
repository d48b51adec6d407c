// Schedules of other programs' files are run on real data and timed like our own.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "emulator/base/text_file.hpp"
#include "emulator/runtime/executor.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "emulator/schedule/export/msccl_xml_writer.hpp"
#include "emulator/schedule/import/msccl_xml.hpp"
#include "emulator/schedule/import/mscclpp_json.hpp"
#include "emulator/schedule/plan.hpp"
#include "emulator/sim/naive.hpp"
#include "emulator/sim/sweep.hpp"
#include "tests/unit/schedule/msccl_files.hpp"
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

std::vector<std::string> files(int p) {
  return {msccl_ring_all_reduce(p, 1),         msccl_ring_all_reduce(p, 3),
          msccl_all_pairs_all_reduce(p, true), msccl_all_pairs_all_reduce(p, false),
          msccl_all_gather(p, 2, true),        msccl_all_gather(p, 2, false),
          msccl_reduce_scatter(p, 2, true),    msccl_reduce_scatter(p, 2, false),
          msccl_all_pairs_reduce_scatter(p),   msccl_all_to_all(p, 2),
          msccl_chain(p, "broadcast", 2),      msccl_chain(p, "reduce", 2),
          msccl_star(p, "gather", 2),          msccl_star(p, "scatter", 2)};
}

TEST(ImportedSchedules, RunBitExactOnThreads) {
  for (const int p : {2, 4}) {
    for (const auto& file : files(p)) {
      const auto imported = read_msccl_xml(file, "f.xml");
      for (const std::int64_t elements : {0, 1, 37}) expect_exact(imported, elements);
      PlanLimits small;
      small.max_chunk_bytes = 64;  // several loops where there is no scratch
      small.fifo_depth = 4;
      expect_exact(imported, 60, small);
    }
  }
}

TEST(ImportedSchedules, MscclppPlansRunBitExact) {
  const std::string file = std::string(FABRICAST_GOLDEN) + "/msccl/allgather_pair.json";
  expect_exact(read_mscclpp_json(read_text_file(file), file), 33);
}

TEST(ImportedSchedules, WhatWeExportRunsBitExact) {
  for (const auto& entry : algorithm_catalogue()) {
    const RankSpace space{2, 2};
    if (entry.collective == Collective::send_recv || !why_not(entry, space).empty()) continue;
    PlanLimits limits;
    limits.channels = 2;
    const auto plan = make_plan(entry.collective, entry.name, space, 4096, 4, limits);
    expect_exact(read_msccl_xml(to_msccl_xml(plan), entry.name), 5);
  }
}

TEST(ImportedSchedules, EnginesAgree) {
  for (const auto& file : files(4)) {
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
