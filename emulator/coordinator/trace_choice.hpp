// How much of its own time a run writes down, and a bound on how large that may become.
//
//   summary  results only
//   phases   /timeline as well: when each stage runs on the slowest channel
//   steps    /steps as well: every step of one rank per symmetric class of that channel
//
// Value type; the functions are pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/base/time_window.hpp"

namespace fabricast {

enum class TraceLevel : std::uint8_t { summary, phases, steps };
std::string_view to_string(TraceLevel level);
// Throws UsageError with a did-you-mean.
TraceLevel trace_level_from_name(const std::string& name);

struct TraceChoice {
  TraceLevel level = TraceLevel::phases;
  // Of level steps only:
  std::vector<std::int32_t> classes;  // empty: all
  TimeWindow window;

  std::string to_yaml() const;
};

// Rows of /steps: of one result (the first ones in time are kept), and of a whole run (more are
// refused). A row is some 140 bytes in memory and, on disk, 4 to 12.
inline constexpr std::int64_t most_steps_per_result = 10'000;
inline constexpr std::int64_t most_step_rows = 1'000'000;

struct Scenario;
class Topology;

// An upper bound for the rows of /steps, whichever protocols are chosen. 0 below level steps.
std::int64_t step_rows_at_most(const Scenario& scenario, const Topology& topology);
// Throws UsageError when the rows of a run might be more than `most_step_rows`.
void check_step_rows(std::int64_t rows);

}  // namespace fabricast
