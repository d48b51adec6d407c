// Is a schedule correct? Proven for one (schedule, placement, D, slices), not sampled.
//
// 1. Shape: legal actions, chunks and buffers that exist, one lane per end of a connection, as many
//    messages received as sent, of equal length.
// 2. Result: a sequential interpreter of docs/semantics.md runs all lanes on 64-bit fingerprints,
//    one random word per (rank, input chunk), reduced by wrapping addition. A contribution that is
//    missing, doubled or in the wrong place escapes with probability about 2^-64 per chunk. Up to
//    `exact_ranks` ranks a failing schedule is run again on exact sets, for readable messages.
// 3. Hazards: where lanes of one rank touch the same chunk and one writes, vector clocks prove that
//    messages or declared dependences order them; results then cannot depend on timing.
// 4. Deadlock: lanes and FIFOs of D slots form a marked graph, so that one run to the end with
//    bounded FIFOs proves freedom from deadlock for every timing (semantics 2.5).
// Time O(steps); memory O(ranks * chunks). 1,008-rank ring: below a second. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/schedule/plan.hpp"
#include "emulator/schedule/verify/lane_source.hpp"

namespace fabricast {

struct VerifyOptions {
  std::int32_t slices = 1;         // messages per chunk step
  std::int32_t loops = 1;          // each on buffers of its own (semantics 2.8)
  std::int32_t root = 0;           // rank, of collectives that have one
  bool in_place = false;           // input and output are one buffer, by NCCL's rules
  std::int32_t exact_ranks = 64;   // up to here messages name contributions
  // Of all lanes in one run for hazards, 4 bytes each; messages in flight have some as well. More
  // lanes take more runs (lane_clocks.hpp).
  std::int64_t clock_counters = 32'000'000;
  std::size_t most_findings = 10;  // further ones are only counted
};

struct Finding {
  enum class Kind : std::uint8_t {
    bad_step,      // illegal action, chunk, buffer or peer
    connection,    // two lanes on one end, or messages that never meet
    wrong_result,
    hazard,
    deadlock,
  };
  Kind kind = Kind::bad_step;
  std::string text;
};
std::string_view to_string(Finding::Kind kind);

struct VerifyReport {
  std::vector<Finding> findings;
  std::int64_t further_findings = 0;  // not listed
  std::int64_t lanes = 0;
  std::int64_t steps = 0;       // one loop, slices not counted
  std::int64_t messages = 0;    // one loop, slices not counted
  std::int64_t connections = 0;
  std::int64_t shared_chunks = 0;   // chunks touched by several lanes of their rank, one writing
  bool hazards_proven = true;       // false: too many lanes for vector clocks, said in `note`
  std::string note;
  bool ok() const { return findings.empty(); }
};

VerifyReport verify(const LaneSource& source, const VerifyOptions& options = {});
VerifyReport verify(const Schedule& schedule, const Placement& placement,
                    const VerifyOptions& options = {});

// Every distinct (schedule, placement) of a plan with its slices; counts are summed over those.
VerifyReport verify(const ExecutionPlan& plan, VerifyOptions options = {});

}  // namespace fabricast
