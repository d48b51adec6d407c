// Every row of the catalogue on threads, 1 to 16 ranks, with every hand-off.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <tuple>

#include "emulator/runtime/executor.hpp"
#include "tests/conformance/conformance.hpp"

namespace fabricast::conformance {
namespace {

class HostConformance : public testing::TestWithParam<std::tuple<AlgorithmEntry, HandOff>> {};

TEST_P(HostConformance, EveryShapeIsBitExactOrRefusedForItsReason) {
  const auto& [entry, hand_off] = GetParam();
  const AlgorithmEntry* row = find_algorithm(entry.name, entry.collective);
  const auto ranks = from_environment("FABRICAST_CONFORMANCE_RANKS", 16);
  const auto executor = make_host_executor(static_cast<std::int32_t>(ranks));
  run_row(*executor, *row,
          {RankSpace{1}, RankSpace{2}, RankSpace{3}, RankSpace{8}, RankSpace{2, 2}, RankSpace{3, 4},
           RankSpace{2, 5}, RankSpace{1, 7}},
          hand_off == HandOff::simple ? 50 : 15, hand_off);
}

INSTANTIATE_TEST_SUITE_P(Catalogue, HostConformance,
                         testing::Combine(testing::ValuesIn(algorithm_catalogue().begin(),
                                                            algorithm_catalogue().end()),
                                          testing::ValuesIn(hand_offs)),
                         [](const auto& named) {
                           return fmt::format("{}_{}", name_of(std::get<0>(named.param)),
                                              to_string(std::get<1>(named.param)));
                         });

TEST(ConformanceCases, AreTheSameEveryTimeAndCoverWhatTheyShould) {
  const AlgorithmEntry& row = algorithm_catalogue().front();
  const auto first = random_cases(row, 16, 1, 200);
  const auto second = random_cases(row, 16, 1, 200);
  int most_ranks = 0, in_place = 0, several_domains = 0, empty = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(to_string(first[i]), to_string(second[i]));
    most_ranks = std::max(most_ranks, first[i].space.size());
    in_place += first[i].in_place ? 1 : 0;
    several_domains += first[i].space.domains() > 1 ? 1 : 0;
    empty += first[i].elements == 0 ? 1 : 0;
  }
  EXPECT_EQ(most_ranks, 16);
  EXPECT_GT(in_place, 60);
  EXPECT_GT(several_domains, 60);
  EXPECT_GT(empty, 10);
}

}  // namespace
}  // namespace fabricast::conformance
