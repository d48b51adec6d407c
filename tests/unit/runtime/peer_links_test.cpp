#include "emulator/runtime/peer_links.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "emulator/base/error.hpp"
#include "emulator/schedule/plan.hpp"

namespace fabricast {
namespace {

struct Places {
  ExecutionPlan plan;
  std::vector<CompiledPlan> compiled;
  std::vector<PlaceLayout> layouts;
  std::vector<std::vector<std::byte>> storage;
  std::vector<std::byte*> memory;

  Places(std::int32_t places, std::int32_t ranks, const char* algorithm)
      : plan(make_plan(Collective::all_reduce, algorithm, RankSpace{ranks}, 4096, 4,
                       {2, 4096, 1024, 0, 8, 2})) {
    for (std::int32_t p = 0; p < places; ++p) {
      compiled.push_back(compile_plan({&plan, DataType::float32, ReduceOp::sum, false},
                                      first_rank_of_place(p, places, ranks),
                                      first_rank_of_place(p + 1, places, ranks)));
      layouts.push_back(layout_of_place(compiled.back()));
      storage.emplace_back(static_cast<std::size_t>(layouts.back().bytes));
    }
    for (auto& bytes : storage) memory.push_back(bytes.data());
  }
  std::size_t place_of(const void* address) const {
    for (std::size_t p = 0; p < storage.size(); ++p) {
      const auto* first = storage[p].data();
      if (address >= first && address < first + storage[p].size()) return p;
    }
    return storage.size();
  }
};

TEST(PeerLinks, RanksAreSpreadInBlocks) {
  EXPECT_EQ(first_rank_of_place(0, 3, 8), 0);
  EXPECT_EQ(first_rank_of_place(1, 3, 8), 2);
  EXPECT_EQ(first_rank_of_place(2, 3, 8), 5);
  EXPECT_EQ(first_rank_of_place(3, 3, 8), 8);
  EXPECT_EQ(first_rank_of_place(1, 2, 1), 0);  // a place without ranks
}

TEST(PeerLinks, WhatIsPolledLiesWithWhoPolls) {
  for (const char* algorithm : {"ring", "tree", "halving_doubling"}) {
    Places places(4, 4, algorithm);
    std::set<const void*> words;
    for (std::size_t p = 0; p < 4; ++p) {
      const auto links = link_place(places.compiled[p], places.layouts, places.memory);
      ASSERT_EQ(links.size(), places.compiled[p].connections.size());
      for (std::size_t c = 0; c < links.size(); ++c) {
        const auto& end = places.compiled[p].connections[c];
        EXPECT_EQ(places.place_of(links[c].credit), static_cast<std::size_t>(end.source));
        EXPECT_EQ(places.place_of(links[c].arrived), static_cast<std::size_t>(end.destination));
        EXPECT_EQ(places.place_of(links[c].slots), static_cast<std::size_t>(end.destination));
        const auto slots = places.compiled[p].image.depth * places.compiled[p].image.slot_bytes;
        EXPECT_EQ(places.place_of(links[c].slots + slots - 1),
                  static_cast<std::size_t>(end.destination));
        if (end.sending_lane >= 0) {
          EXPECT_TRUE(words.insert(links[c].credit).second) << "a word of its own";
        }
        if (end.receiving_lane >= 0) {
          EXPECT_TRUE(words.insert(links[c].arrived).second);
        }
      }
    }
  }
}

TEST(PeerLinks, BothEndsInOnePlaceAreOneEntry) {
  Places places(1, 3, "ring");
  const auto links = link_place(places.compiled[0], places.layouts, places.memory);
  EXPECT_EQ(links.size(), places.compiled[0].connections.size());
  EXPECT_EQ(places.layouts[0].ends.size(), 2 * links.size());
}

TEST(PeerLinks, LayoutsTravelAsText) {
  const Places places(2, 4, "tree");
  const auto again = place_layout_from(text_of(places.layouts[1]));
  ASSERT_EQ(again.ends.size(), places.layouts[1].ends.size());
  EXPECT_EQ(again.bytes, places.layouts[1].bytes);
  EXPECT_EQ(text_of(again), text_of(places.layouts[1]));
  EXPECT_THROW(place_layout_from("128 1\n0 1"), RuntimeError);
  EXPECT_THROW(place_layout_from(""), RuntimeError);
}

TEST(PeerLinks, AConnectionWithOneEndIsAnError) {
  Places places(2, 4, "ring");
  places.layouts[1].ends.clear();
  EXPECT_THROW(link_place(places.compiled[0], places.layouts, places.memory), RuntimeError);
}

}  // namespace
}  // namespace fabricast
