// Predictions whose time is the flow engine's: everything else about them stays the sweep's.
//
// Time, bound, loads, stages and statistics are those of the flows. Protocol, shares, sensitivities
// and label are the sweep's, and the interval keeps its ratio to the time. Not thread safe; the
// topology must outlive it.
#pragma once

#include <memory>

#include "emulator/calibrate/calibrate.hpp"
#include "emulator/coordinator/scenario.hpp"
#include "emulator/flow/job_file.hpp"
#include "emulator/flow/job_run.hpp"

namespace fabricast {

class FlowStage {
 public:
  FlowStage(const Topology& topology, ParameterValues values, const Scenario& scenario);

  // Throws UsageError for schedules that are no flows.
  void retime(Prediction& prediction);

 private:
  std::shared_ptr<const Topology> topology_;  // not owned
  ParameterValues values_;
  FlowChoice routes_;
  CaseBuilder builder_;
  SlowElements slow_;
};

// The jobs of a file: a prediction of each beside the others, and what the tables of jobs say.
struct JobPredictions {
  std::vector<Prediction> predictions;
  std::vector<std::shared_ptr<const Topology>> selections;  // what each job sees of the machine
  std::vector<std::int32_t> domains;
  std::vector<std::string> link_names, link_classes;  // of busiest links, by job and place there
  JobRun run;
};

// Sizes are rounded as they run (effective_bytes.hpp). Throws UsageError that names the job.
JobPredictions predict_jobs(const std::shared_ptr<const Topology>& topology,
                            const CalibrationProfile& profile, ExecutorKind executor,
                            const JobFile& file);

}  // namespace fabricast
