#include "tests/conformance/conformance.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <string>

#include "emulator/base/error.hpp"

namespace fabricast::conformance {
namespace {

void run_case(Executor& executor, const Case& c, HandOff hand_off, Tally& tally) {
  SCOPED_TRACE(to_string(c));
  const std::string reason = refusal(c);
  bool fits = true;
  try {
    const auto plan = make_plan(c.row->collective, c.row->name, c.space,
                                c.elements * size_of(c.type), size_of(c.type), c.limits, c.root);
    fits = executor.may_time(plan).allowed;
    executor.prepare({&plan, c.type, c.op, c.in_place, hand_off});
    EXPECT_EQ(executor.check(), 0);
    EXPECT_EQ(executor.check(), 0);  // again, on connections that have been used
    EXPECT_EQ(reason, "") << "this should have been refused";
    ++tally.exact;
  } catch (const UsageError& error) {
    if (reason.empty() && !fits) {
      ++tally.too_large;
      return;
    }
    if (reason.empty() || std::string(error.what()).find(reason) == std::string::npos) {
      ADD_FAILURE() << "refused: " << error.what();
    }
    ++tally.refused;
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
}

}  // namespace

std::int64_t from_environment(const char* name, std::int64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::stoll(text) : otherwise;
}

Tally run_cases(Executor& executor, const std::vector<Case>& cases, HandOff hand_off) {
  Tally tally;
  for (const auto& c : cases) run_case(executor, c, hand_off, tally);
  return tally;
}

void run_row(Executor& executor, const AlgorithmEntry& row, const std::vector<RankSpace>& spaces,
             int random_count, HandOff hand_off) {
  const std::int64_t most = from_environment("FABRICAST_CONFORMANCE_RANKS", executor.max_ranks());
  const auto ranks = static_cast<std::int32_t>(std::min<std::int64_t>(executor.max_ranks(), most));
  const auto seed = from_environment("FABRICAST_CONFORMANCE_SEED", 20250301);
  const auto count =
      static_cast<int>(from_environment("FABRICAST_CONFORMANCE_CASES", random_count));
  const Tally drawn = run_cases(
      executor, random_cases(row, ranks, static_cast<std::uint64_t>(seed), count), hand_off);
  EXPECT_EQ(drawn.exact + drawn.refused + drawn.too_large, count);
  bool applies = false;
  for (const auto& space : spaces) {
    if (space.size() > most) continue;
    const Tally shapes = run_cases(executor, shape_cases(row, space), hand_off);
    if (!why_not(row, space).empty()) {
      EXPECT_EQ(shapes.exact, 0);
      continue;
    }
    EXPECT_GE(shapes.exact + shapes.too_large, 8);
    if (!applies) {  // the first space will do
      EXPECT_EQ(run_cases(executor, type_cases(row, space), hand_off).exact, 12);
      EXPECT_EQ(run_cases(executor, {large_case(row, space)}, hand_off).exact, 1);
    }
    applies = true;
  }
  EXPECT_TRUE(applies) << name_of(row) << " ran on none of the spaces";
}

}  // namespace fabricast::conformance
