#include "emulator/coordinator/emulate.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "emulator/base/run_phase.hpp"
#include "emulator/base/stop.hpp"
#include "emulator/calibrate/predictor.hpp"
#include "emulator/coordinator/agreement.hpp"
#include "emulator/coordinator/flow_stage.hpp"
#include "emulator/coordinator/prediction_text.hpp"
#include "emulator/coordinator/work_shares.hpp"

namespace fabricast {
namespace {

// The row of a point: of the allowed protocols the one with the least predicted time. Ties go to
// the protocol listed first.
Prediction predict_point(Predictor& predictor, const Scenario& scenario,
                         const ScenarioPoint& point) {
  const auto protocols = protocols_for(scenario, point);
  const PointSpec asked = spec_of(scenario, point, protocols.front());
  const StepTraceRequest steps{scenario.trace.classes, scenario.trace.window,
                               most_steps_per_result};
  return predictor.predict(protocols.size() > 1 ? predictor.fastest(asked, protocols) : asked,
                           scenario.trace.level == TraceLevel::steps ? &steps : nullptr);
}

struct Finished {
  std::size_t point = 0;
  double seconds = 0;  // that it took
  Prediction prediction;
};

// Results of one process as lines "index<TAB>json".
std::string encode(const std::vector<Finished>& mine) {
  std::string text;
  for (const Finished& one : mine) {
    text += std::to_string(one.point) + '\t' + to_text(one.prediction) + '\n';
  }
  return text;
}

// Schedules of files do not travel: every process has them.
void decode(const std::string& text, const std::vector<ScenarioPoint>& points,
            std::map<std::size_t, Prediction>& into) {
  for (std::size_t begin = 0; begin < text.size();) {
    const auto tab = text.find('\t', begin);
    const auto end = text.find('\n', tab);
    const std::size_t index = std::stoul(text.substr(begin, tab - begin));
    Prediction& prediction = into[index];
    prediction = prediction_from_text(text.substr(tab + 1, end - tab - 1));
    if (const auto& file = points[index].file) {
      prediction.point.schedule = file->imported.schedule;
      prediction.channels = file->imported.channels;
    }
    begin = end + 1;
  }
}

// The finished points as they were evaluated, on every process: rank 0 tells which protocols won.
std::vector<PointSpec> agreed_specs(const Communicator& communicator, const Scenario& scenario,
                                    const std::vector<ScenarioPoint>& points,
                                    const std::map<std::size_t, Prediction>& finished) {
  std::istringstream lines(agree(communicator, [&] {
    std::string text;
    for (const auto& [index, prediction] : finished) {
      text += fmt::format("{} {}\n", index, static_cast<int>(prediction.point.protocol));
    }
    return text;
  }));
  std::vector<PointSpec> specs;
  std::size_t index = 0;
  int protocol = 0;
  while (lines >> index >> protocol) {
    specs.push_back(spec_of(scenario, points[index], static_cast<Protocol>(protocol)));
  }
  return specs;
}

// The points that rank 0 still wants, on every process.
std::vector<std::size_t> pending_points(const Communicator& communicator, std::size_t count,
                                        const EmulationSink& sink) {
  std::string wanted = agree(communicator, [&] {
    std::string flags(count, '1');
    for (std::size_t i = 0; sink.done && i < count; ++i) flags[i] = sink.done(i) ? '0' : '1';
    return flags;
  });
  std::vector<std::size_t> points;
  for (std::size_t i = 0; i < count; ++i) {
    if (wanted[i] == '1') points.push_back(i);
  }
  return points;
}

// How many points the next batch has, given what the last one took.
std::size_t next_batch(std::size_t last, double seconds, std::size_t processes) {
  constexpr double most_growth = 4;  // the next points may be much dearer than the last
  const double growth = std::min(most_growth, batch_seconds / std::max(seconds, 1e-9));
  return std::max(processes, static_cast<std::size_t>(static_cast<double>(last) * growth));
}

void count(const std::vector<Prediction>& predictions, EmulationStats& stats) {
  for (const auto& prediction : predictions) {
    stats.updates += prediction.updates;
    stats.engine_seconds += prediction.engine_seconds;
    stats.state_bytes = std::max(stats.state_bytes, prediction.state_bytes);
    stats.instruction_set = prediction.instruction_set;
    stats.flows += prediction.flows;
    stats.flow_events += prediction.flow_events;
  }
}

// This process's part of each batch.
class Evaluation {
 public:
  Evaluation(const Communicator& communicator, const Topology& topology,
             const CalibrationProfile& profile, const Scenario& scenario,
             const std::vector<ScenarioPoint>& points)
      : communicator_(communicator),
        scenario_(scenario),
        points_(points),
        shares_(static_cast<std::size_t>(communicator.size())),
        predictor_(topology, profile, options(nullptr)),
        joint_predictor_(topology, profile, options(&communicator)) {
    if (scenario.engine.flow) flows_.emplace(topology, values_of(profile), scenario);
  }

  // Collective. After a signal some are missing.
  std::vector<Finished> run(const std::vector<std::size_t>& todo,
                            const std::function<void()>& progress);

 private:
  EngineOptions options(const Communicator* team) const {
    EngineOptions options;
    options.fold = scenario_.fold;
    options.changes = scenario_.changes;
    options.team = team;
    return options;
  }
  void share_seconds(const std::vector<Finished>& mine);

  const Communicator& communicator_;
  const Scenario& scenario_;
  const std::vector<ScenarioPoint>& points_;
  WorkShares shares_;
  Predictor predictor_;
  // Of its own, so that every process has evaluated, and remembers, the same with it.
  Predictor joint_predictor_;
  std::optional<FlowStage> flows_;
};

std::vector<Finished> Evaluation::run(const std::vector<std::size_t>& todo,
                                      const std::function<void()>& progress) {
  const auto processes = static_cast<std::size_t>(communicator_.size());
  const auto me = static_cast<std::size_t>(communicator_.rank());
  const bool joint = todo.size() < processes && (todo.size() == 1 || !scenario_.fold);
  const auto owners = shares_.of(points_, todo);
  std::vector<Finished> mine;
  for (std::size_t i = 0; i < todo.size(); ++i) {
    if (!joint && owners[i] != me) continue;
    const bool stopped = stop_signal() != 0;
    if (joint ? communicator_.max(std::int64_t{stopped}) != 0 : stopped) break;
    const auto start = std::chrono::steady_clock::now();
    Prediction prediction =
        predict_point(joint ? joint_predictor_ : predictor_, scenario_, points_[todo[i]]);
    if (flows_ && owners[i] == me) flows_->retime(prediction);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    if (owners[i] == me) mine.push_back({todo[i], took.count(), std::move(prediction)});
    mark_progress();
    if (progress) progress();
  }
  share_seconds(mine);
  return mine;
}

// Every process learns what the points of all have taken.
void Evaluation::share_seconds(const std::vector<Finished>& mine) {
  if (communicator_.size() == 1) return;
  std::string text;
  for (const Finished& one : mine) text += fmt::format("{} {}\n", one.point, one.seconds);
  for (const std::string& part : communicator_.all_gather(text)) {
    std::istringstream lines(part);
    std::size_t point = 0;
    double seconds = 0;
    while (lines >> point >> seconds) shares_.learn(points_[point], seconds);
  }
}

}  // namespace

Emulation emulate(const Communicator& communicator, const Topology& topology,
                  const CalibrationProfile& profile, const Scenario& scenario,
                  const EmulationSink& sink, const std::function<void()>& progress) {
  using Clock = std::chrono::steady_clock;
  const auto points = points_of(scenario, topology);
  enter_phase(RunPhase::distribute);
  const auto pending = pending_points(communicator, points.size(), sink);
  enter_phase(RunPhase::simulate);
  const auto processes = static_cast<std::size_t>(communicator.size());
  Evaluation evaluation(communicator, topology, profile, scenario, points);
  std::optional<EnsembleStage> ensembles;
  if (scenario.ensemble.on()) ensembles.emplace(topology, values_of(profile), scenario);
  Emulation emulation;
  std::size_t batch = processes;
  for (std::size_t begin = 0; begin < pending.size();) {
    const std::size_t end = std::min(pending.size(), begin + batch);
    const auto start = Clock::now();
    const auto mine = evaluation.run({pending.begin() + static_cast<std::ptrdiff_t>(begin),
                                      pending.begin() + static_cast<std::ptrdiff_t>(end)},
                                     progress);
    std::map<std::size_t, Prediction> gathered;
    for (const auto& part : communicator.gather(encode(mine))) decode(part, points, gathered);
    std::vector<MemberTimes> members;
    if (ensembles) {
      members =
          ensembles->run(communicator, agreed_specs(communicator, scenario, points, gathered));
    }
    batch = std::stoul(agree(communicator, [&] {
      // Ensembles that a signal cut short are not results.
      for (const auto& of : members) {
        if (static_cast<std::int32_t>(of.size()) < scenario.ensemble.members) gathered.clear();
      }
      std::vector<std::size_t> finished;
      std::vector<Prediction> predictions;
      for (auto& [point, prediction] : gathered) {
        finished.push_back(point);
        predictions.push_back(std::move(prediction));
      }
      count(predictions, emulation.stats);
      if (gathered.empty()) members.clear();
      if (sink.take) sink.take(finished, predictions, members);
      emulation.members.insert(emulation.members.end(), members.begin(), members.end());
      for (auto& prediction : predictions) {
        if (sink.take) prediction.steps.reset();  // the sink has them
        emulation.predictions.push_back(std::move(prediction));
      }
      if (finished.size() < end - begin) {
        throw Interrupted(stopped_text());
      }
      const std::chrono::duration<double> seconds = Clock::now() - start;
      return std::to_string(next_batch(batch, seconds.count(), processes));
    }));
    begin = end;
  }
  return emulation;
}

}  // namespace fabricast
