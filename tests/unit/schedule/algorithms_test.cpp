// Every algorithm of the catalogue is verified: its result, its connections, its hazards, no
// deadlock.
#include <gtest/gtest.h>

#include <set>

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "emulator/base/error.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "emulator/schedule/expand.hpp"
#include "emulator/schedule/lowered.hpp"
#include "emulator/schedule/plan.hpp"
#include "emulator/schedule/verify/verify.hpp"
#include "tests/unit/schedule/fitting_space.hpp"

namespace fabricast {
namespace {

std::string first_finding(const VerifyReport& report) {
  return report.findings.empty() ? "" : report.findings.front().text;
}

TEST(Algorithms, EveryScheduleComputesItsCollective) {
  const std::vector<RankSpace> spaces = {RankSpace{1},    RankSpace{2},    RankSpace{3},
                                         RankSpace{8},    RankSpace{13},   RankSpace{2, 2},
                                         RankSpace{2, 3}, RankSpace{4, 3}, RankSpace{1, 5},
                                         RankSpace{3, 6}, RankSpace{16, 2}};
  int cases = 0;
  for (const auto& space : spaces) {
    for (const AlgorithmEntry& entry : algorithm_catalogue()) {
      if (!why_not(entry, space).empty()) continue;
      PlanLimits limits;
      limits.channels = 4;
      limits.max_slice_bytes = 16;
      limits.max_chunk_bytes = 32;
      const auto plan =
          make_plan(entry.collective, entry.name, space, 4 * 4 * 12, 4, limits, space.size() / 2);
      const auto report = verify(plan);
      EXPECT_TRUE(report.ok()) << entry.name << " " << to_string(entry.collective) << " on "
                               << space.domains() << " x " << space.domain_size() << ": "
                               << first_finding(report);
      EXPECT_TRUE(report.hazards_proven);
      ++cases;
    }
  }
  EXPECT_GT(cases, 180);
}

// NCCL may be called in place; what a schedule promises then is the same.
TEST(Algorithms, SchedulesAreRightInPlaceToo) {
  for (const auto& space : {RankSpace{5}, RankSpace{8}, RankSpace{3, 4}}) {
    for (const AlgorithmEntry& entry : algorithm_catalogue()) {
      if (!why_not(entry, space).empty()) continue;
      if (entry.collective == Collective::all_to_all || entry.collective == Collective::send_recv) {
        continue;  // a block would be overwritten before it is sent
      }
      VerifyOptions options;
      options.in_place = true;
      options.root = 0;
      const auto schedule = entry.build({space, 3, true});
      const auto report = verify(schedule, Placement::identity(schedule.space), options);
      EXPECT_TRUE(report.ok()) << entry.name << " " << to_string(entry.collective) << ": "
                               << first_finding(report);
    }
  }
}

TEST(Algorithms, GroupsAreWhatTheTableSays) {
  for (const AlgorithmEntry& entry : algorithm_catalogue()) {
    const RankSpace space = fitting_space(entry, {4, 3});
    const Schedule schedule = entry.build({space, 3, true});
    EXPECT_EQ(has_groups(schedule), sends_to_groups(entry.needs)) << entry.name;
    EXPECT_EQ(is_switched(schedule), reduces_inside_domains(entry.needs)) << entry.name;
    const auto usual = usual_algorithms(entry.collective);
    const bool named_only =
        entry.needs == Needs::one_domain || reduces_between_domains(entry.needs);
    EXPECT_EQ(std::count(usual.begin(), usual.end(), entry.name), named_only ? 0 : 1) << entry.name;
  }
}

// nccl.md 1.6: log2 p messages per rank, p - 1 blocks moved in all; 8 ranks: 1, 2, then 4 blocks.
TEST(Algorithms, PatAggregatesBlocks) {
  const auto schedule = pat_all_gather(RankSpace{8});
  ASSERT_EQ(schedule.stages.size(), 3u);
  std::vector<int> blocks;
  for (const auto& stage : schedule.stages) {
    blocks.push_back(stage.groups[0].phases[0].chunk.count);
  }
  EXPECT_EQ(blocks, (std::vector<int>{1, 2, 4}));
  for (const std::int32_t p : {3, 7, 12, 100, 130}) {
    int moved = 0;
    for (const auto& stage : pat_all_gather(RankSpace{p}).stages) {
      moved += stage.groups[0].phases[0].chunk.count;
    }
    EXPECT_EQ(moved, p - 1) << p;
  }
}

// nccl.md 1.8, printed by NCCL's own ncclP2pSchedule: (send, receive) of every round after the own
// block.
TEST(Algorithms, GroupedExchangeVisitsPeersInNcclsOrder) {
  const auto rounds = [](const RankSpace& space, std::int32_t x) {
    const auto schedule = grouped_all_to_all(space);
    const auto& phases = schedule.stages[1].groups[0].phases;
    std::vector<std::pair<int, int>> peers;
    for (std::int32_t k = 0; k < schedule.stages[1].repeat; ++k) {
      peers.emplace_back(peer_of(phases[0].peer_out, schedule.space, x, k),
                         peer_of(phases[1].peer_in, schedule.space, x, k));
    }
    return peers;
  };
  using Pairs = std::vector<std::pair<int, int>>;
  EXPECT_EQ(rounds(RankSpace{8}, 0),
            (Pairs{{1, 7}, {2, 6}, {3, 5}, {4, 4}, {5, 3}, {6, 2}, {7, 1}}));
  EXPECT_EQ(rounds(RankSpace{4, 3}, 1), (Pairs{{2, 0},
                                               {3, 3},
                                               {0, 2},
                                               {5, 9},
                                               {6, 8},
                                               {7, 11},
                                               {4, 10},
                                               {9, 5},
                                               {10, 4},
                                               {11, 7},
                                               {8, 6}}));
  const auto order = [](std::int32_t groups) {
    const auto schedule = grouped_all_to_all(RankSpace{8, groups});
    std::vector<int> distances;
    for (std::int32_t g = 0; g < groups; ++g) {
      distances.push_back(schedule.stages[1].groups[0].phases[0].peer_out.table[g]);
    }
    return distances;
  };
  EXPECT_EQ(order(16), (std::vector<int>{0, 1, 3, 6, 10, 15, 5, 12, 4, 13, 7, 2, 14, 11, 9, 8}));
}

TEST(Algorithms, BroadcastStartsAtTheRootRank) {
  const RankSpace space{4, 3};
  for (std::int32_t root = 0; root < space.size(); ++root) {
    const auto plan = make_plan(Collective::broadcast, "ring", space, 400, 4, {}, root);
    for (const auto& channel : plan.channels) EXPECT_EQ(channel.placement.rank_at(0), root);
  }
}

// As all other rings: a channel a rail, wherever the root is.
TEST(Algorithms, RootedRingsLeaveADomainThroughAllOfItsMembers) {
  const RankSpace space{8, 4};
  PlanLimits limits;
  limits.channels = 8;
  for (const Collective collective : {Collective::broadcast, Collective::reduce}) {
    for (const std::int32_t root : {0, 3, 29}) {
      const auto plan = make_plan(collective, "ring", space, 1 << 20, 4, limits, root);
      ASSERT_EQ(plan.channels.size(), 8u);
      std::set<std::int32_t> rails;
      for (const ChannelPlan& channel : plan.channels) {
        ASSERT_EQ(channel.placement.rank_at(0), root);
        for (std::int32_t x = 0; x + 1 < space.size(); ++x) {
          const std::int32_t from = channel.placement.rank_at(x);
          const std::int32_t to = channel.placement.rank_at(x + 1);
          if (from / 8 == 1 && to / 8 != 1) rails.insert(from % 8);
        }
      }
      EXPECT_EQ(rails.size(), 8u) << "root " << root;
    }
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

// nccl.md 1.5: the members of a domain are heads alike, each with a tree to its equals.
TEST(Algorithms, NvlsTreeJoinsEqualMembersOfDomains) {
  const RankSpace ranks{4, 5};
  const auto plan = make_plan(Collective::all_reduce, "nvls_tree", ranks, 1 << 20, 4, {2});
  ASSERT_EQ(plan.channels.size(), 2u);
  EXPECT_NE(plan.channels[0].schedule, plan.channels[1].schedule) << "two trees";
  for (const ChannelPlan& channel : plan.channels) {
    const Schedule& schedule = *channel.schedule;
    for (const PhaseGroup& group : schedule.stages.front().groups) {
      for (const Phase& phase : group.phases) {
        if (phase.peer_out.kind != PeerMap::Kind::tree) continue;
        for (std::int32_t x = 0; x < schedule.positions(); ++x) {
          const auto peer = peer_of(phase.peer_out, schedule.space, x, 0);
          if (peer < 0) continue;
          const auto from = channel.placement.rank_at(x), to = channel.placement.rank_at(peer);
          EXPECT_EQ(from % 4, to % 4);
          EXPECT_NE(from / 4, to / 4);
        }
      }
    }
  }
}

// Pieces of a slice, none below the least: a block is bytes / (members * channels * loops).
TEST(Algorithms, HierarchicalTreeCutsBlocksIntoPieces) {
  const RankSpace ranks{4, 5};
  PlanLimits limits;
  limits.max_slice_bytes = 1 << 20;
  limits.max_chunk_bytes = 2 << 20;
  const auto pieces_of = [&](std::int64_t block) {
    const auto plan =
        make_plan(Collective::all_reduce, "hierarchical_tree", ranks, 4 * block, 4, limits);
    const Schedule& schedule = *plan.channels.front().schedule;
    const std::int32_t pieces = schedule.chunks / 4;
    EXPECT_GE(plan.slice_bytes * pieces * plan.slices * plan.loops, block);
    EXPECT_LT(plan.slice_bytes * pieces * plan.slices * plan.loops,
              block + 4 * pieces * plan.slices * plan.loops + 4)
        << block;
    return pieces;
  };
  constexpr std::int64_t least = 16 * 1024;
  EXPECT_EQ(pieces_of(4), 1);
  EXPECT_EQ(pieces_of(2 * least - 4), 1);
  EXPECT_EQ(pieces_of(2 * least), 2);
  EXPECT_EQ(pieces_of(5 * least + 12), 5);
  EXPECT_EQ(pieces_of(16 * least), 16);
  EXPECT_EQ(pieces_of(1 << 20), 16) << "a slice";
  EXPECT_EQ(pieces_of((1 << 20) + 4), 16) << "two slices of 512 KiB";
  EXPECT_EQ(pieces_of(24 * least), 16);
  EXPECT_EQ(pieces_of(64 << 20), 16) << "several loops";
}

// What the network adds up, every head sends once and receives once, however many domains there
// are.
TEST(Algorithms, CollnetHeadsSendIntoTheNetworkOnce) {
  for (const auto& schedule :
       {direct_in_network_all_reduce(RankSpace{4, 6}), chain_in_network_all_reduce(RankSpace{4, 6}),
        switch_in_network_all_reduce(RankSpace{4, 6})}) {
    int sends = 0, receives = 0;
    for (const Stage& stage : schedule.stages) {
      for (const Phase& phase : stage.groups.front().phases) {
        sends += phase.peer_out.network ? 1 : 0;
        receives += phase.peer_in.network ? 1 : 0;
      }
    }
    EXPECT_EQ(sends, 1) << schedule.algorithm;
    EXPECT_EQ(receives, 1) << schedule.algorithm;
  }
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
  EXPECT_NE(message(Collective::all_reduce, "rign").find("did you mean \"ring\""),
            std::string::npos);
  EXPECT_NE(message(Collective::all_gather, "tree").find("cannot do all_gather"),
            std::string::npos);
  EXPECT_NE(message(Collective::all_reduce, "hierarchical").find("two domains"), std::string::npos);
  EXPECT_NE(message(Collective::broadcast, "pat").find("by: ring"), std::string::npos);
}

// Traffic and costs are kept for a schedule that comes again: made anew it has to be the same.
TEST(Algorithms, MadeTwiceHasTheSamePeers) {
  const RankSpace space{8, 3};
  for (const AlgorithmEntry& entry : algorithm_catalogue()) {
    if (!algorithm_applies(std::string(entry.name), entry.collective, space)) continue;
    const auto peers = [&] {
      std::vector<PeerMap> result;
      const auto plan = make_plan(entry.collective, std::string(entry.name), space, 1 << 20, 4, {});
      for (const Stage& stage : plan.channels.front().schedule->stages) {
        for (const PhaseGroup& group : stage.groups) {
          for (const Phase& phase : group.phases) {
            result.push_back(phase.peer_in);
            result.push_back(phase.peer_out);
          }
        }
      }
      return result;
    };
    EXPECT_TRUE(peers() == peers()) << entry.name;
  }
}

TEST(Algorithms, SmallMessagesUseFewerChannelsAndLargeOnesMoreLoops) {
  PlanLimits limits;
  limits.channels = 16;
  limits.min_bytes_per_channel = 1 << 16;
  const RankSpace space{8};
  EXPECT_EQ(make_plan(Collective::all_reduce, "ring", space, 8, 4, limits).channels.size(), 1u);
  EXPECT_EQ(make_plan(Collective::all_reduce, "ring", space, 1 << 18, 4, limits).channels.size(),
            4u);
  const auto large =
      make_plan(Collective::all_reduce, "ring", space, std::int64_t{1} << 34, 4, limits);
  EXPECT_EQ(large.channels.size(), 16u);
  EXPECT_EQ(large.loops, 64);  // 2^34 / 16 channels / 8 chunks / 2 MiB
  EXPECT_EQ(large.slices, 2);
  EXPECT_EQ(large.slice_bytes, 1 << 20);
}

}  // namespace
}  // namespace fabricast
