// What can be said of a schedule without running it: every step is legal, every connection has one
// lane at each end and as many messages in as out, and which chunks lanes of one rank share.
//
// O(steps); memory O(connections), and O(ranks * chunks) for schedules with several roles.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/schedule/verify/lane_source.hpp"
#include "emulator/schedule/verify/verify.hpp"

namespace fabricast {

struct ShapeResult {
  std::vector<Finding> findings;
  std::int64_t shared_chunks = 0;  // touched by several lanes of their rank, one of them writing
};

ShapeResult check_shape(const LaneSource& source, const VerifyOptions& options);

// "rank 3 role 1, stage turn, repetition 2"
std::string describe_step(const Schedule& schedule, std::int32_t lane, const StepOrigin& origin);

}  // namespace fabricast
