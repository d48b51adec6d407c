// Builds the content of a trace from what a run produced: the only place that fills the schema.
//
// Order of calls decides row order. Deterministic: equal inputs give equal content. Not thread safe.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "emulator/calibrate/calibrate.hpp"
#include "emulator/coordinator/scenario.hpp"
#include "emulator/profile/sample.hpp"
#include "emulator/trace/table_rows.hpp"
#include "emulator/trace/trace_file.hpp"
#include "topologies/model/topology.hpp"

namespace fabricast {

class TraceAssembly {
 public:
  TraceAssembly();

  // Contract: machines of one name have one document.
  void add_machine(const Topology& topology);
  void add_profile(const CalibrationProfile& profile);
  // `level` says whether /timeline is filled; /steps is when the predictions have steps.
  void add_predictions(const Topology& topology, const std::vector<Prediction>& predictions,
                       TraceLevel level = TraceLevel::phases);
  // One row per condition of suite "collective": the median, with the 5th and 95th percentile.
  void add_measurements(const SampleSet& samples);
  // The symmetric classes of these points (largest_points), one of each algorithm: what folding used.
  void add_rank_classes(const Topology& topology, const CalibrationProfile& profile,
                        const std::vector<PointSpec>& points, const MachineChanges& changes = {});

  // What was added, without attributes and /config. Nothing may be added afterwards.
  TraceContent take();

  // /config is `config_yaml`; attributes are written as given. `samples` may be null.
  TraceContent finish(const std::string& config_yaml, const SampleSet* samples,
                      std::map<std::string, std::string> attributes);

 private:
  void add_shares(std::int64_t result, const Prediction& prediction);
  void add_links(std::int64_t result, const Topology& topology, const Prediction& prediction);
  void add_timeline(std::int64_t result, const Topology& topology, const Prediction& prediction);

  TraceContent content_;
  TableRows profile_{"/profile"}, correlations_{"/profile_correlations"}, evidence_{"/evidence"},
      holdout_{"/holdout"}, results_{"/results"}, shares_{"/result_shares"}, links_{"/links"},
      classes_{"/rank_classes"}, timeline_{"/timeline"}, steps_{"/steps"},
      coverage_{"/step_coverage"};
};

// Of each algorithm in the rows of `results` that belong to the machine, the first point with the most
// bytes, as `scenario` asked for it.
std::vector<PointSpec> largest_points(const Table& results, const Scenario& scenario);

// Root attributes every trace has: software, versions, backend, command line.
std::map<std::string, std::string> run_attributes(const std::string& backend,
                                                  const std::string& command_line);

// The row of /profile that holds a profile's model discrepancy (std of ln(time)).
inline constexpr const char* discrepancy_id = "model.discrepancy";

// The profiles stored in a trace (tables /profile, /profile_correlations, /evidence and /holdout),
// by (machine, executor). Throws CheckError when a row is malformed.
std::vector<CalibrationProfile> profiles_of(const TraceContent& content);

}  // namespace fabricast
