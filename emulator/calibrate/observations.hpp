// Samples as the fit sees them: one observation per condition, some of them held out.
//
// The value is the median of the kept samples; its sigma the median's standard error, from the
// spread between the 5th and 95th percentile, with a floor for what repeats of a whole run differ
// by. Pure function.
#pragma once

#include <string>
#include <vector>

#include "emulator/cost/forward_model.hpp"
#include "emulator/cost/micro_model.hpp"
#include "emulator/profile/sample.hpp"

namespace fabricast {

struct Observation {
  Conditions conditions;
  PointSpec point;        // algorithm empty or protocol none where the library chose: see `choose`
  bool choose = false;    // the library chose algorithm or protocol
  std::string parameter;  // micro-benchmarks: the parameter observed, else empty
  bool micro = false;     // a micro-benchmark that cost/micro_model.hpp predicts
  double ln_value = 0;    // ln us, or ln of the parameter in its unit
  double sigma = 0;       // of ln_value
  bool held_out = false;
  bool only_predicted = false;  // held out, and of samples that are no evidence at all
};

// Of a collective: has it a point in `point`?
inline bool is_collective(const Observation& seen) { return seen.parameter.empty() && !seen.micro; }

// Was it measured with an algorithm of a file (measure -a FILE)? Without the file there is no model
// of it, so it is not observed.
bool is_of_file(const Conditions& conditions);

// Was it measured with a protocol that the model of its executor does not have (LL on host
// threads)? Not observed either.
bool is_of_unmodelled_protocol(const Conditions& conditions);

// Was it measured between GPUs as the model of that has it not? Multimem on integers, which move 4
// bytes per access and have no parameters, and two_shot, whose loops overlap on the links. Not
// observed either.
bool is_unmodelled_between_gpus(const Conditions& conditions);

// What of a measurement no fit takes, and why, by the three above: "multimem on int32", "the switch
// takes ..."; empty: it is observed.
struct NotFitted {
  std::string what, why;
};
NotFitted not_fitted(const Conditions& conditions);

// The observations of a machine and executor. Held out: every n-th size of each sweep, n =
// round(1 / holdout_fraction), counted from the n-th; sweeps shorter than that give none.
std::vector<Observation> observations_of(const SampleSet& samples, const std::string& machine,
                                         ExecutorKind executor, double holdout_fraction);

}  // namespace fabricast
