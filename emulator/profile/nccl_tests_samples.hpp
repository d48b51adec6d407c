// From what nccl-tests wrote to samples: which rows are evidence, of what, and why the others are
// not.
//
// A row gives a sample per placement: the mean time that was printed. It is evidence where its
// collective and ranks are known, nothing was wrong in its data, and its bandwidths follow from its
// time and size within the digits that were printed (nccl-tests doc/PERFORMANCE.md). The first row
// of a run may hold the set-up of connections: where it takes more than twice the second row's
// time, its samples are discarded, which counts and shows them.
// Pure functions; O(rows x conditions).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "emulator/profile/nccl_tests_run.hpp"
#include "emulator/profile/sample.hpp"
#include "emulator/schedule/collective.hpp"

namespace fabricast {

struct ImportRules {
  std::optional<Collective> collective;  // where the text does not say
  std::int32_t ranks = 0;                // where the text does not say; 0: it must
  bool keep_wrong = false;               // rows with wrong elements are evidence as well
};

// Who ran what, where.
struct NcclTestsShape {
  std::optional<Collective> collective;
  std::int32_t ranks = 0;
  std::int32_t hosts = 0;     // 0: not said
  std::int32_t per_host = 0;  // ranks on each; 0: not said, or not the same on all
  std::string device;         // "NVIDIA H100 80GB HBM3"
  std::string refusal;        // why no row of the run is evidence; or empty
};

NcclTestsShape shape_of(const NcclTestsRun& run, const std::string& file, const ImportRules& rules);

// Empty, or why time, algbw and busbw do not belong together.
std::string bandwidth_problem(const NcclTestsTiming& timing, std::int64_t bytes,
                              Collective collective, std::int32_t ranks);

// Whose samples they become.
struct SampleOrigin {
  std::string machine;  // name of the machine file
  std::string file, sha256;
};

struct ImportCount {
  int accepted = 0;   // samples
  int discarded = 0;  // of them
};

// Appends the run's samples; refused rows go to `refused`. Expects a shape without refusal.
ImportCount add_samples(const NcclTestsRun& run, const NcclTestsShape& shape,
                        const ImportRules& rules, const SampleOrigin& origin, SampleSet& samples,
                        std::vector<RefusedLine>& refused);

// "NCCL 2.21.5, 20 iterations, NCCL_ALGO=Ring": what is known beyond the shape.
std::string describe(const NcclTestsRun& run);

}  // namespace fabricast
