// A pairwise exchange in closed form: all N (N - 1) messages, at the price of those inside groups
// that have no parts.
//
// Every position sends to x + 1, x + 2, ... and receives from x - 1, x - 2, ..., on two lanes that
// do not wait for each other. A sender never waits (its messages fit into the slots). While it
// sends to other parts of a group its messages leave at a constant pace: the time at which message
// j is ready is the larger of at most two linear functions of j (semantics 3.1 to 3.3). A receiver
// is through at the maximum over its messages of (ready + what it still has to receive, this one
// included): the max-plus recurrence unrolled. What y has left after x of another part is the sum
// of a function of x and one of y; the maximum over all such pairs is one over prefixes of
// positions. So upwards from the smallest groups to the whole, once round it, and down again: x
// reaches those below it in its own groups last. Pairs in groups without parts are looked at one by
// one; all of it once for parts of the whole that are alike, whose clocks are the same. Where costs
// depend on classes of positions too, run by run of receivers of one class; where they depend on
// labels that come round (ExchangePattern), with paces that repeat after a period instead of one,
// once its first messages have been looked at (exchange_between.hpp). Integers, equal to the
// sweep's to the picosecond. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "emulator/cost/exchange_costs.hpp"
#include "emulator/cost/step_costs.hpp"
#include "emulator/schedule/schedule.hpp"
#include "emulator/sim/sweep.hpp"

namespace fabricast {

struct PairwiseExchange {
  ExchangeCosts costs;
  std::int64_t ready_at = 0;  // the sending lanes begin, ps
  std::int32_t slices = 1;    // messages to each peer
};

// When the last lane has ended, ps. At least two positions.
std::int64_t exchange_end(const PairwiseExchange& exchange);

// Pairs that are looked at, both ways, and positions at every level, for each run of one class, as
// often as a period of labels asks; some 10 ns each.
double exchange_work(const ExchangeGroups& all);
inline constexpr double most_exchange_work = 1e9;  // ten seconds per evaluation

// Is the schedule, or all but local copies before it, such an exchange?
bool is_pairwise_exchange(const Schedule& schedule);

// Do they have a closed form? Not where costs do not follow from the pair alone (CostsOfExchange),
// as with slow elements, nor where it would take long.
bool has_closed_form(const Schedule& schedule, const StepCosts& costs);

// What sweep() says of makespan and stages; nothing without a closed form, where it would be more
// than `most_work`, or where messages may have to wait for slots. All positions count as evaluated.
std::optional<SweepResult> pairwise_exchange(const Schedule& schedule, const StepCosts& costs,
                                             std::int32_t loops, std::int32_t slices,
                                             double most_work = most_exchange_work);

}  // namespace fabricast
