// Forward models of one machine at the rank counts of its samples, and the library's choice.
//
// A sample over 4 of 8 GPUs is modeled on the machine cut to 4. One ForwardSet per thread; the
// topology must outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "emulator/calibrate/calibrate.hpp"
#include "emulator/calibrate/observations.hpp"
#include "emulator/sim/predict.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

class ForwardSet {
 public:
  explicit ForwardSet(const Topology& topology);
  // Throws UsageError when the machine cannot be cut to so many ranks.
  Forward& of(std::int32_t ranks);

 private:
  std::shared_ptr<const Topology> whole_;  // not owning
  struct Cut {
    std::shared_ptr<const Topology> topology;
    std::unique_ptr<Forward> forward;
  };
  std::map<std::int32_t, Cut> cuts_;
};

// What the library is taken to have chosen: as the rule says, where algorithm and protocol are both
// its choice and the model has that; else the (algorithm, protocol) with the least predicted time.
// Throws UsageError where the machine has nothing of what was asked.
void resolve_choice(Forward& forward, const ParameterValues& values, const LibraryRule& library,
                    Observation& observation);

// Throws UsageError where a sample is of an algorithm that the machine's model does not have: logs
// of others are given with machines that nobody ran them on.
void expect_offered(const Forward& forward, const Observation& observation);

}  // namespace fabricast
