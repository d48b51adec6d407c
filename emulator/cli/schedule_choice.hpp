// A schedule as the command line names it: an algorithm of the catalogue at some size, or a file of
// another program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "emulator/schedule/import/file_program.hpp"
#include "emulator/schedule/plan.hpp"

namespace CLI {
class App;
}

namespace fabricast {

// Domains of `domain` ranks (0: one of all). Throws UsageError naming the option at fault.
RankSpace space_option(std::int32_t ranks, std::int32_t domain, std::int32_t root);

// A plan of one loop with exactly these counts: for proofs and pictures, where bytes play no part.
struct PlanCounts {
  std::int32_t channels = 1;
  std::int32_t chunks = 1;  // of algorithms that pipeline over them
  std::int32_t slices = 1;  // of the others
  std::int32_t slots = PlanLimits{}.fifo_depth;
  std::int32_t root = 0;
};
ExecutionPlan counted_plan(Collective collective, const std::string& algorithm,
                           const RankSpace& space, const PlanCounts& counts);

struct ScheduleChoice {
  std::string what;        // algorithm, or a .xml (MSCCL) or .json (MSCCL++) file
  std::string collective;  // empty: the first one that the algorithm can do
  std::int32_t ranks = 8, domain = 0, channels = 1, chunks = 3, root = 0;
};

// Adds the positional argument and the options; those about the size have no effect on files, and
// together with one they are an error.
void add_schedule_options(CLI::App& command, ScheduleChoice& choice);

struct ChosenSchedule {
  ExecutionPlan plan;
  std::optional<ImportedSchedule> imported;
};

// Throws UsageError (unknown names, refused files) or IoError. `sized`: were size options given?
ChosenSchedule choose_schedule(const ScheduleChoice& choice, bool sized);
bool size_options_given(const CLI::App& command);

}  // namespace fabricast
