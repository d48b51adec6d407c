#include "emulator/coordinator/flow_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "emulator/base/error.hpp"
#include "emulator/calibrate/predictor.hpp"
#include "emulator/coordinator/effective_bytes.hpp"
#include "emulator/cost/offered.hpp"
#include "topologies/model/rank_selection.hpp"

namespace fabricast {
namespace {

void set_time(Prediction& prediction, SimDuration time, SimDuration bound) {
  const double reach = prediction.high_us / to_us(prediction.time);
  prediction.time = time;
  prediction.bound = bound;
  set_interval(prediction, reach);
  prediction.engine = "flow";
  prediction.steps.reset();
  prediction.updates = 0;
  prediction.classes = prediction.ranks;
}

// A failure of one job, told with its name.
template <class Body>
auto of_job(const FlowJob& job, const Body& body) {
  try {
    return body();
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("job {}: {}", job.name, error.what()));
  }
}

std::vector<Protocol> protocols_for(const FlowJob& job, const Topology& topology,
                                    ExecutorKind executor) {
  if (job.protocols.empty()) return usual_protocols(executor, job.collective, job.algorithm);
  const Protocol asked = job.protocols.front();
  const auto known = protocols_of(executor, job.collective, job.algorithm);
  if (std::find(known.begin(), known.end(), asked) == known.end()) {
    throw UsageError(fmt::format("executor {} has no protocol {} for {} {}; use auto",
                                 to_string(executor), to_string(asked), job.algorithm,
                                 to_string(job.collective)));
  }
  const auto why = why_no_protocol(topology, executor, asked);
  if (!why.empty()) throw UsageError(fmt::format("protocol {} {} use auto", to_string(asked), why));
  return {asked};
}

PointSpec point_of(const FlowJob& job, const Topology& topology, ExecutorKind executor,
                   const std::vector<Protocol>& protocols, Predictor& predictor) {
  PointSpec point;
  point.executor = executor;
  point.collective = job.collective;
  point.algorithm = job.algorithm;
  point.channels = job.channels;
  point.bytes = effective_bytes(job.collective, job.bytes, topology.ranks(), point.element_bytes);
  if (point.bytes == 0) {
    throw UsageError(
        fmt::format("{} bytes round to 0 on {} ranks; ask for more", job.bytes, topology.ranks()));
  }
  const auto reason = why_not_offered(topology, executor, job.collective, job.algorithm);
  if (!reason.empty())
    throw UsageError(fmt::format("algorithm {} {} use another one", job.algorithm, reason));
  point.protocol = protocols.front();
  return protocols.size() > 1 ? predictor.fastest(point, protocols) : point;
}

// Links have what the most efficient of the jobs' protocols can have of them.
LinkRates common_rates(const std::vector<LinkRates>& each) {
  LinkRates rates = each.front();
  for (const LinkRates& other : each) {
    for (std::size_t c = 0; c < rates.usable.size(); ++c) {
      rates.usable[c] = std::max(rates.usable[c], other.usable[c]);
    }
  }
  return rates;
}

}  // namespace

FlowStage::FlowStage(const Topology& topology, ParameterValues values, const Scenario& scenario)
    : topology_(std::shared_ptr<const Topology>(), &topology),
      values_(std::move(values)),
      routes_(scenario.engine.routes),
      builder_(topology, scenario.changes),
      slow_(topology, scenario.changes.slow) {}

void FlowStage::retime(Prediction& prediction) {
  const CollectiveCase made = builder_.build(values_, prediction.point);
  const FlowTime timed = evaluate_flows(topology_, values_, prediction.point, made, routes_, slow_);
  set_time(prediction, timed.time, timed.bound);
  prediction.loads = timed.loads;
  prediction.stages = timed.stages;
  prediction.slowest_channel = timed.slowest_channel;
  prediction.flows = timed.stats.flows;
  prediction.flow_events = timed.stats.events;
  prediction.state_bytes = timed.stats.state_bytes;
  prediction.engine_seconds = timed.engine_seconds;
}

JobPredictions predict_jobs(const std::shared_ptr<const Topology>& topology,
                            const CalibrationProfile& profile, ExecutorKind executor,
                            const JobFile& file) {
  const auto values = values_of(profile);
  JobPredictions result;
  std::vector<CollectiveCase> cases;
  std::vector<LinkRates> rates;
  for (const FlowJob& job : file.jobs) {
    of_job(job, [&] {
      const auto selection = std::make_shared<const RankSelection>(topology, job.ranks);
      Predictor predictor(*selection, profile);
      const PointSpec point =
          point_of(job, *selection, executor, protocols_for(job, *topology, executor), predictor);
      cases.push_back(CaseBuilder(*selection).build(values, point));
      const auto& plan = cases.back().plan;
      const auto reason = why_no_flows(*plan.channels.front().schedule, executor);
      if (!reason.empty())
        throw UsageError(fmt::format("{} {}; use another algorithm", job.algorithm, reason));
      rates.push_back(link_rates(*selection, values, point, plan));
      result.predictions.push_back(predictor.predict(point));
      result.domains.push_back(selection->domains_touched());
      result.selections.push_back(selection);
    });
  }
  const LinkRates common = common_rates(rates);
  const FlowNetwork network(topology, file.choice.routing, file.choice.seed, common.usable);
  std::vector<PreparedJob> jobs;
  for (std::size_t j = 0; j < cases.size(); ++j) {
    jobs.push_back(
        {result.predictions[j].point, &cases[j], file.jobs[j].ranks, file.jobs[j].start_ps});
  }
  result.run =
      run_jobs(network, common.nominal, jobs, capacity_changes(file.faults, network.capacities()));
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    const JobTime& time = result.run.jobs[j];
    Prediction& prediction = result.predictions[j];
    set_time(prediction, time.beside, bound_of(time.loads));
    prediction.loads = time.loads;
    prediction.stages = time.stages;
    prediction.slowest_channel = time.slowest_channel;
    prediction.flows = time.flows;
    prediction.flow_events = time.events;
    prediction.state_bytes = time.state_bytes;
    prediction.engine_seconds = time.engine_seconds;
    for (const BusyLink& busy : time.busiest) {
      result.link_names.push_back(network.link_name(busy.link));
      const auto c = network.link_class(busy.link).value();
      result.link_classes.push_back(topology->link_classes()[c].name);
    }
  }
  return result;
}

}  // namespace fabricast
