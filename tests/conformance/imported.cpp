#include "tests/conformance/imported.hpp"

#include <gtest/gtest.h>

#include "emulator/base/counter_rng.hpp"
#include "emulator/base/error.hpp"
#include "emulator/runtime/rank_buffers.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "emulator/schedule/export/msccl_xml_writer.hpp"
#include "tests/unit/schedule/msccl_files.hpp"
#include "tests/unit/schedule/msccl_tools_files.hpp"

namespace fabricast::conformance {
namespace {

constexpr DataType types[] = {DataType::float32, DataType::float16, DataType::bfloat16,
                              DataType::int32};

class Draws {
 public:
  Draws(std::uint64_t seed, std::uint64_t entity) : seed_(seed), entity_(entity) {}
  std::int32_t from(std::int64_t low, std::int64_t high) {
    return static_cast<std::int32_t>(random_int(seed_, entity_, index_++, low, high));
  }

 private:
  std::uint64_t seed_, entity_, index_ = 0;
};

RankSpace draw_space(Draws& draws, std::int32_t ranks) {
  const std::int32_t p = ranks < 0 ? draws.from(1, -ranks) : ranks;
  std::int32_t domain = draws.from(1, p);
  while (p % domain != 0) --domain;
  return RankSpace{domain, p / domain};
}

}  // namespace

std::vector<std::string> files_of(int p) {
  std::vector<std::string> files{
      msccl_ring_all_reduce(p, 1),         msccl_ring_all_reduce(p, 3),
      msccl_all_pairs_all_reduce(p, true), msccl_all_pairs_all_reduce(p, false),
      msccl_all_gather(p, 2, true),        msccl_all_gather(p, 2, false),
      msccl_reduce_scatter(p, 2, true),    msccl_reduce_scatter(p, 2, false),
      msccl_all_pairs_reduce_scatter(p),   msccl_all_to_all(p, 2),
      msccl_chain(p, "broadcast", 2),      msccl_chain(p, "reduce", 2),
      msccl_star(p, "gather", 2),          msccl_star(p, "scatter", 2),
      tools_one_pass_all_reduce(p, 1),     tools_one_pass_all_reduce(p, 2),
      tools_tree_all_reduce(p, 3)};
  if ((p & (p - 1)) == 0) files.push_back(tools_doubling_all_gather(p));
  for (int local = 2; local <= p / 2; ++local) {
    if (p % local != 0) continue;
    files.push_back(tools_hierarchical_all_reduce(p / local, local, 1));
    files.push_back(tools_hierarchical_all_reduce(p / local, local, 2));
    files.push_back(tools_two_step_all_to_all(p / local, local));
  }
  return files;
}

std::vector<std::string> random_exports(std::int32_t ranks, std::uint64_t seed, int count) {
  std::vector<std::string> files;
  for (int i = 0; i < count; ++i) {
    Draws draws(seed, static_cast<std::uint64_t>(i));
    const auto& rows = algorithm_catalogue();
    const auto& row =
        rows[static_cast<std::size_t>(draws.from(0, static_cast<std::int64_t>(rows.size()) - 1))];
    const RankSpace space = draw_space(draws, ranks);
    PlanLimits limits;
    limits.channels = draws.from(1, 3);
    limits.max_slice_bytes = 64;
    const std::int64_t bytes = 64 * draws.from(1, 5) * limits.channels;
    if (!why_not(row, space).empty() || row.collective == Collective::send_recv) continue;
    try {
      files.push_back(to_msccl_xml(make_plan(row.collective, row.name, space, bytes, 4, limits)));
    } catch (const UsageError&) {
      continue;  // more slots than MSCCL has
    }
  }
  return files;
}

int run_imported(Executor& executor, const ImportedSchedule& imported, std::uint64_t seed) {
  const Schedule& schedule = *imported.schedule;
  int runs = 0;
  for (int i = 0; i < 6; ++i) {
    Draws draws(seed, static_cast<std::uint64_t>(i));
    const DataType type = types[draws.from(0, 3)];
    const std::int64_t element = size_of(type);
    std::int64_t elements = i == 0 ? 0 : i == 1 ? 1 : draws.from(2, 1000);
    if (schedule.moves_chunks) elements *= schedule.chunks;
    PlanLimits limits;
    limits.fifo_depth = draws.from(8, 9);
    if (i % 2 == 1) limits.max_chunk_bytes = 64 * draws.from(1, 4);  // several loops
    if (has_rank_blocks(schedule.collective)) elements *= schedule.positions();
    const auto plan = plan_of(imported.schedule, elements * element, size_of(type), limits);
    RunRequest request;
    request.plan = &plan;
    request.type = type;
    request.op = draws.from(0, 1) == 0 ? ReduceOp::sum : ReduceOp::max;
    request.in_place =
        imported.in_place && can_be_in_place(schedule.collective) && draws.from(0, 1) == 0;
    executor.prepare(request);
    EXPECT_EQ(executor.check(), 0)
        << schedule.algorithm << " " << to_string(schedule.collective) << " of "
        << schedule.positions() << ", " << elements << " elements, loops " << plan.loops
        << (request.in_place ? ", in place" : "");
    ++runs;
  }
  return runs;
}

}  // namespace fabricast::conformance
