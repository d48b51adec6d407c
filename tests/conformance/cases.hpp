// The cases of the conformance suite: every row of the catalogue of algorithms, on fixed and on
// seeded random shapes. Pure functions.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "emulator/schedule/catalogue.hpp"
#include "emulator/schedule/plan.hpp"
#include "kernels/data_type.hpp"
#include "kernels/hand_off.hpp"

namespace fabricast {
// How GoogleTest prints a parameter: "2x3", "hierarchical_all_gather".
void PrintTo(const RankSpace& space, std::ostream* out);
void PrintTo(const AlgorithmEntry& row, std::ostream* out);
void PrintTo(HandOff hand_off, std::ostream* out);
}  // namespace fabricast

namespace fabricast::conformance {

struct Case {
  const AlgorithmEntry* row = nullptr;
  RankSpace space;
  std::int64_t elements = 0;  // of the nccl-tests size
  DataType type = DataType::float32;
  ReduceOp op = ReduceOp::sum;
  bool in_place = false;
  PlanLimits limits;
  std::int32_t root = 0;
};
std::string to_string(const Case& c);

// "hierarchical_all_gather", also the name of a row's tests.
std::string name_of(const AlgorithmEntry& row);

// In and out of place, sizes from nothing to many loops and slices, one to three channels; types,
// operators and roots take turns.
std::vector<Case> shape_cases(const AlgorithmEntry& row, const RankSpace& space);
// Every type with every operator, in and out of place in turn.
std::vector<Case> type_cases(const AlgorithmEntry& row, const RankSpace& space);
// Everything drawn: ranks 1 ... max_ranks in one domain or several, channels, slots, chunks,
// slices, size (none, one element, odd, some thousands), type, operator, place, root.
std::vector<Case> random_cases(const AlgorithmEntry& row, std::int32_t max_ranks,
                               std::uint64_t seed, int count);
// A megabyte, cut as it is by default.
Case large_case(const AlgorithmEntry& row, const RankSpace& space);

// Why this case must be refused; empty: it must run. Part of the error's message.
std::string refusal(const Case& c);

}  // namespace fabricast::conformance
