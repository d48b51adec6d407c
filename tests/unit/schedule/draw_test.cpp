// Rounds of an algorithm and their picture.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "emulator/base/error.hpp"
#include "emulator/base/text_file.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "emulator/schedule/draw/chunk_colours.hpp"
#include "emulator/schedule/draw/rounds.hpp"
#include "emulator/schedule/draw/schedule_svg.hpp"
#include "emulator/schedule/plan.hpp"
#include "tests/unit/schedule/fitting_space.hpp"

namespace fabricast {
namespace {

using testing::HasSubstr;

ExecutionPlan plan_for(Collective collective, const char* algorithm, const RankSpace& space,
                       std::int64_t chunks = 1) {
  PlanLimits limits;
  limits.max_slice_bytes = 4096;
  return make_plan(collective, algorithm, space, 4096 * chunks, 4, limits);
}

Rounds rounds_for(Collective collective, const char* algorithm, const RankSpace& space) {
  const auto plan = plan_for(collective, algorithm, space);
  return rounds_of(*plan.channels[0].schedule, plan.channels[0].placement);
}

TEST(Rounds, NumbersOfRoundsAreTheTextbooks) {
  const auto rounds = [](Collective collective, const char* algorithm, const RankSpace& space) {
    return rounds_for(collective, algorithm, space).rounds - 1;  // the last only receives
  };
  EXPECT_EQ(rounds(Collective::all_reduce, "ring", RankSpace{6}), 10);
  EXPECT_EQ(rounds(Collective::all_gather, "ring", RankSpace{6}), 5);
  EXPECT_EQ(rounds(Collective::all_reduce, "halving_doubling", RankSpace{8}), 6);
  EXPECT_EQ(rounds(Collective::all_reduce, "doubling", RankSpace{8}), 3);
  EXPECT_EQ(rounds(Collective::all_gather, "pat", RankSpace{7}), 3);
  EXPECT_EQ(rounds(Collective::all_to_all, "pairwise", RankSpace{7}), 6);
  EXPECT_EQ(rounds(Collective::all_reduce, "nvls", RankSpace{6}), 2);
  EXPECT_EQ(rounds(Collective::send_recv, "direct", RankSpace{5}), 1);
}

TEST(Rounds, EveryAlgorithmEndsWithCompleteChunks) {
  for (const auto& entry : algorithm_catalogue()) {
    const RankSpace space = fitting_space(entry, {4, 2});
    const auto plan = plan_for(entry.collective, entry.name, space, 2);
    const auto rounds = rounds_of(*plan.channels[0].schedule, plan.channels[0].placement);
    const auto& root = rounds.after.back()[0].output;
    const auto complete = std::count_if(root.begin(), root.end(), [&](const CellValue& value) {
      return value.contributions() == rounds.full;
    });
    const bool own_block = output_is_own_block(entry.collective);
    EXPECT_EQ(complete, own_block ? 1 : std::ssize(root))
        << entry.name << to_string(entry.collective);
    for (const auto& message : rounds.messages) EXPECT_GT(message.received, message.sent);
  }
}

TEST(Rounds, AsText) {
  const auto plan = plan_for(Collective::all_reduce, "ring", RankSpace{2});
  EXPECT_EQ(rounds_text(*plan.channels[0].schedule,
                        rounds_of(*plan.channels[0].schedule, plan.channels[0].placement)),
            "round 0: 0>1 1 (1 of 2), 1>0 0 (1 of 2)\n"
            "round 1: 0>1 0 (2 of 2), 1>0 1 (2 of 2)\n");
}

TEST(Rounds, OnlySwitchesAreSaidToBeSwitches) {
  const auto text = [](const char* algorithm) {
    const auto plan = plan_for(Collective::all_reduce, algorithm, RankSpace{3});
    const auto& channel = plan.channels[0];
    return rounds_text(*channel.schedule, rounds_of(*channel.schedule, channel.placement));
  };
  EXPECT_NE(text("nvls").find("switch"), std::string::npos);
  EXPECT_EQ(text("two_shot").find("switch"), std::string::npos);
}

TEST(Rounds, RefusesWhatNobodyCanRead) {
  EXPECT_THROW(rounds_for(Collective::all_reduce, "ring", RankSpace{33}), UsageError);
}

TEST(SchedulePicture, HasEveryRankRoundAndMessage) {
  const auto plan = plan_for(Collective::all_gather, "ring", RankSpace{4});
  const auto& channel = plan.channels[0];
  const std::string svg = render_schedule_svg(*channel.schedule, channel.placement, 4, "a <title>");
  EXPECT_THAT(svg, HasSubstr("a &lt;title&gt;"));
  for (const char* text : {">rank 0<", ">rank 3<", ">round 0<", ">round 3<", ">last_receive<"}) {
    EXPECT_THAT(svg, HasSubstr(text));
  }
  std::size_t heads = 0;
  for (auto at = svg.find("<polygon"); at != std::string::npos; at = svg.find("<polygon", at + 1)) {
    ++heads;
  }
  // 12 messages, of which 3 leave at the right and come in at the left.
  EXPECT_EQ(heads, 15u);
  EXPECT_EQ(svg, render_schedule_svg(*channel.schedule, channel.placement, 4, "a <title>"));
}

// Of hierarchical_tree the positions of one member of all domains are neighbours.
TEST(SchedulePicture, ShadesDomainsWhereverTheirPositionsLie) {
  const auto plan = plan_for(Collective::all_reduce, "hierarchical_tree", RankSpace{2, 3});
  const auto& channel = plan.channels[0];
  ASSERT_NE(channel.placement.rank_at(1), 1) << "no case of it";
  const std::string svg = render_schedule_svg(*channel.schedule, channel.placement, 2, "title");
  std::size_t before = 0;
  for (int rank = 0; rank < 6; ++rank) {
    const auto at = svg.find(">rank " + std::to_string(rank) + "<");
    EXPECT_GT(at, before) << rank;
    before = at;
  }
  // A rectangle behind the two ranks of each domain, and behind no others.
  const auto number = [&svg](std::size_t from, const std::string& key) {
    const auto at = svg.find(key + "=\"", from) + key.size() + 2;
    return std::stod(svg.substr(at, svg.find('"', at) - at));
  };
  int shaded = 0;
  for (auto at = svg.find("<rect "); at != std::string::npos; at = svg.find("<rect ", at + 1)) {
    const std::string rectangle = svg.substr(at, svg.find('>', at) - at);
    if (rectangle.find("fill=\"#f4f6f8\"") == std::string::npos) continue;
    const double left = number(at, "x"), right = left + number(at, " width");
    std::string ranks;
    for (int rank = 0; rank < 6; ++rank) {
      const double x =
          number(svg.rfind("<text ", svg.find(">rank " + std::to_string(rank) + "<")), "x");
      if (left < x && x < right) ranks += std::to_string(rank);
    }
    EXPECT_EQ(ranks, std::to_string(2 * shaded) + std::to_string(2 * shaded + 1));
    ++shaded;
  }
  EXPECT_EQ(shaded, 3);
}

TEST(SchedulePicture, ColoursDiffer) {
  EXPECT_EQ(chunk_colour(0, 8, 0), "#ffffff");
  for (std::int32_t i = 0; i < 16; ++i) {
    for (std::int32_t j = 0; j < i; ++j) EXPECT_NE(chunk_colour(i, 16, 1), chunk_colour(j, 16, 1));
  }
}

// The pictures of docs/schedules.md are what the program draws today; the page says how to renew
// them.
TEST(SchedulePicture, ThoseInTheDocumentationAreCurrent) {
  const auto expect = [](const char* file, const char* title, const ExecutionPlan& plan) {
    const auto& channel = plan.channels[0];
    EXPECT_EQ(
        read_text_file(std::string(FABRICAST_DOCS) + "/pictures/" + file),
        render_schedule_svg(*channel.schedule, channel.placement, plan.space.domain_size(), title))
        << file;
  };
  expect("ring.svg", "all_reduce ring, 4 ranks",
         plan_for(Collective::all_reduce, "ring", RankSpace{4, 1}));
  expect("tree.svg", "all_reduce tree, 8 ranks (8 domains of 1)",
         plan_for(Collective::all_reduce, "tree", RankSpace{1, 8}, 2));
  expect("halving_doubling.svg", "all_reduce halving_doubling, 8 ranks",
         plan_for(Collective::all_reduce, "halving_doubling", RankSpace{8, 1}));
}

}  // namespace
}  // namespace fabricast
