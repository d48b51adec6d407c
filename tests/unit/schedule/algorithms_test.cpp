// Every algorithm is run symbolically: each buffer cell holds how often each rank contributed to it.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <tuple>
#include <vector>

#include "emulator/base/error.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/expand.hpp"
#include "emulator/schedule/plan.hpp"

namespace fabricast {
namespace {

using Cell = std::vector<int>;  // contributions by (rank * chunks + input chunk)

// Sequential interpreter of docs/semantics.md 1 and 2 on chunks, with unbounded FIFOs.
class SymbolicRun {
 public:
  SymbolicRun(const Schedule& schedule, const Placement& placement)
      : schedule_(schedule), placement_(placement), p_(schedule.positions()), n_(schedule.chunks) {
    const Cell nothing(static_cast<std::size_t>(p_ * n_), 0);
    output_.assign(static_cast<std::size_t>(p_), std::vector<Cell>(static_cast<std::size_t>(n_), nothing));
  }

  void run() {
    std::vector<LaneProgram> lanes;
    std::vector<std::int32_t> ranks;
    for (std::int32_t rank = 0; rank < p_; ++rank) {
      for (std::int32_t role = 0; role < schedule_.roles; ++role) {
        lanes.push_back(expand(schedule_, placement_, rank, role));
        ranks.push_back(rank);
      }
    }
    std::vector<std::size_t> next(lanes.size(), 0);
    for (bool progress = true; progress;) {
      progress = false;
      for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
        while (next[lane] < lanes[lane].steps.size() &&
               execute(ranks[lane], lanes[lane].steps[next[lane]])) {
          ++next[lane];
          progress = true;
        }
      }
    }
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
      ASSERT_EQ(next[lane], lanes[lane].steps.size()) << "lane " << lane << " is stuck";
    }
    for (const auto& [connection, queue] : fifos_) ASSERT_TRUE(queue.empty()) << "message left over";
  }

  const Cell& output(std::int32_t rank, std::int32_t chunk) const {
    return output_[static_cast<std::size_t>(rank)][static_cast<std::size_t>(chunk)];
  }
  std::size_t key(std::int32_t rank, std::int32_t chunk) const {
    return static_cast<std::size_t>(rank * n_ + chunk);
  }

 private:
  bool execute(std::int32_t rank, const Step& step) {
    std::vector<Cell> value(step.chunk_count);
    if (step.action & action_recv) {
      auto& queue = fifos_[{static_cast<std::int32_t>(step.peer_in), rank}];
      if (queue.empty()) return false;
      value = queue.front();
      queue.pop_front();
      EXPECT_EQ(value.size(), step.chunk_count) << "message shapes differ";
    }
    for (std::size_t i = 0; i < step.chunk_count; ++i) {
      const auto chunk = static_cast<std::int32_t>(step.chunk_first + i);
      if (!(step.action & action_recv)) value[i] = operand(rank, chunk, step.from_output);
      if (step.action & action_reduce) {
        const Cell other = operand(rank, chunk, step.from_output);
        for (std::size_t j = 0; j < other.size(); ++j) value[i][j] += other[j];
      }
      if (step.action & action_copy) {
        output_[static_cast<std::size_t>(rank)][static_cast<std::size_t>(chunk)] = value[i];
      }
    }
    if (step.action & action_send) fifos_[{rank, static_cast<std::int32_t>(step.peer_out)}].push_back(value);
    return true;
  }

  Cell operand(std::int32_t rank, std::int32_t chunk, bool from_output) const {
    if (from_output) return output(rank, chunk);
    Cell cell(static_cast<std::size_t>(p_ * n_), 0);
    cell[key(rank, chunk)] = 1;
    return cell;
  }

  const Schedule& schedule_;
  const Placement& placement_;
  std::int32_t p_, n_;
  std::vector<std::vector<Cell>> output_;
  std::map<std::pair<std::int32_t, std::int32_t>, std::deque<std::vector<Cell>>> fifos_;
};

// What the collective promises for output chunk c of a rank.
Cell expected(const SymbolicRun& run, const Schedule& schedule, const Placement& placement,
              std::int32_t rank, std::int32_t chunk) {
  const auto p = schedule.positions();
  Cell cell(static_cast<std::size_t>(p * schedule.chunks), 0);
  const auto owner = [&](std::int32_t c) { return placement.rank_at(schedule.owner_of_chunk(c)); };
  switch (schedule.collective) {
    case Collective::all_reduce:
      for (std::int32_t r = 0; r < p; ++r) cell[run.key(r, chunk)] = 1;
      break;
    case Collective::reduce_scatter:
      if (owner(chunk) == rank) {
        for (std::int32_t r = 0; r < p; ++r) cell[run.key(r, chunk)] = 1;
      }
      break;
    case Collective::all_gather: cell[run.key(owner(chunk), chunk)] = 1; break;
    case Collective::broadcast: cell[run.key(placement.rank_at(0), chunk)] = 1; break;
    case Collective::all_to_all: {
      // Block of source `owner(chunk)`, which the source had under the chunk that I own.
      const auto mine = placement.position_of(rank);
      cell[run.key(owner(chunk), mine)] = 1;
      break;
    }
  }
  return cell;
}

void expect_correct(const Schedule& schedule, const Placement& placement) {
  SymbolicRun run(schedule, placement);
  run.run();
  if (testing::Test::HasFatalFailure()) return;
  for (std::int32_t rank = 0; rank < schedule.positions(); ++rank) {
    for (std::int32_t chunk = 0; chunk < schedule.chunks; ++chunk) {
      const auto want = expected(run, schedule, placement, rank, chunk);
      if (std::ranges::count(want, 0) == std::ssize(want)) continue;  // foreign chunk: not output
      ASSERT_EQ(run.output(rank, chunk), want) << schedule.algorithm << " rank " << rank << " chunk "
                                               << chunk;
    }
  }
}

TEST(Algorithms, EveryScheduleComputesItsCollective) {
  const std::vector<RankSpace> spaces = {RankSpace{1},    RankSpace{2},    RankSpace{3},
                                         RankSpace{8},    RankSpace{2, 2}, RankSpace{2, 3},
                                         RankSpace{4, 3}, RankSpace{1, 5}, RankSpace{3, 6}};
  int cases = 0;
  for (const auto& space : spaces) {
    for (const auto& name : collective_names()) {
      const auto collective = collective_from_name(name);
      for (const auto& algorithm : algorithms_of(collective)) {
        if (!algorithm_applies(algorithm, collective, space)) continue;
        PlanLimits limits;
        limits.channels = 4;
        limits.max_slice_bytes = 16;
        limits.max_chunk_bytes = 32;
        const auto plan = make_plan(collective, algorithm, space, 4 * 4 * 12, 4, limits,
                                    space.size() / 2);
        for (const auto& channel : plan.channels) {
          expect_correct(*channel.schedule, channel.placement);
          if (testing::Test::HasFatalFailure()) return;
          ++cases;
        }
      }
    }
  }
  EXPECT_GT(cases, 200);
}

TEST(Algorithms, BroadcastStartsAtTheRootRank) {
  const RankSpace space{4, 3};
  for (std::int32_t root = 0; root < space.size(); ++root) {
    const auto plan = make_plan(Collective::broadcast, "ring", space, 400, 4, {}, root);
    EXPECT_EQ(plan.channels.front().placement.rank_at(0), root);
  }
}

// A 10,080-rank ring is a few phases, not 2 * 10^8 transfers.
TEST(Algorithms, ScheduleSizeDoesNotDependOnRanks) {
  const auto small = ring_all_reduce(RankSpace{8});
  const auto large = ring_all_reduce(RankSpace{72, 140});
  EXPECT_EQ(small.stages.size(), large.stages.size());
  EXPECT_EQ(large.stages[1].repeat, 10078);
  const auto tree = tree_all_reduce(RankSpace{72, 140}, 4, true);
  EXPECT_LT(tree.stages[0].groups[0].phases.size(), 30u);
}

TEST(Algorithms, UnknownAndUnsuitableNamesAreExplained) {
  const RankSpace one_box{8};
  const auto message = [&](Collective collective, const std::string& algorithm) {
    try {
      make_plan(collective, algorithm, one_box, 1024, 4, {});
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_NE(message(Collective::all_reduce, "rign").find("did you mean \"ring\""), std::string::npos);
  EXPECT_NE(message(Collective::all_gather, "tree").find("cannot do all_gather"), std::string::npos);
  EXPECT_NE(message(Collective::all_reduce, "hierarchical").find("two domains"), std::string::npos);
}

TEST(Algorithms, SmallMessagesUseFewerChannelsAndLargeOnesMoreLoops) {
  PlanLimits limits;
  limits.channels = 16;
  limits.min_bytes_per_channel = 1 << 16;
  const RankSpace space{8};
  EXPECT_EQ(make_plan(Collective::all_reduce, "ring", space, 8, 4, limits).channels.size(), 1u);
  EXPECT_EQ(make_plan(Collective::all_reduce, "ring", space, 1 << 18, 4, limits).channels.size(), 4u);
  const auto large = make_plan(Collective::all_reduce, "ring", space, std::int64_t{1} << 34, 4, limits);
  EXPECT_EQ(large.channels.size(), 16u);
  EXPECT_EQ(large.loops, 64);  // 2^34 / 16 channels / 8 chunks / 2 MiB
  EXPECT_EQ(large.slices, 2);
  EXPECT_EQ(large.slice_bytes, 1 << 20);
}

}  // namespace
}  // namespace fabricast
