#include "emulator/coordinator/emulate.hpp"

#include <algorithm>

#include "emulator/calibrate/predictor.hpp"
#include "emulator/coordinator/prediction_text.hpp"

namespace fabricast {
namespace {

// The row of a point: of the allowed protocols the one with the least predicted time. Ties go to the
// protocol listed first.
Prediction predict_point(Predictor& predictor, const Scenario& scenario, const ScenarioPoint& point) {
  const auto protocols = protocols_for(scenario, point);
  PointSpec asked;
  asked.executor = scenario.executor;
  asked.collective = point.collective;
  asked.algorithm = point.algorithm;
  asked.protocol = protocols.front();
  asked.bytes = point.bytes;
  asked.element_bytes = scenario.element_bytes;
  if (point.file) {
    asked.schedule = point.file->imported.schedule;
  } else {
    asked.channels = scenario.channels;
    asked.max_slices = scenario.max_slices;
  }
  return predictor.predict(protocols.size() > 1 ? predictor.fastest(asked, protocols) : asked);
}

// Results of one process as lines "index<TAB>json".
std::string encode(const std::vector<std::pair<std::size_t, Prediction>>& mine) {
  std::string text;
  for (const auto& [index, prediction] : mine) {
    text += std::to_string(index) + '\t' + to_text(prediction) + '\n';
  }
  return text;
}

// Schedules of files do not travel: every process has them.
void decode(const std::string& text, const std::vector<ScenarioPoint>& points,
            std::vector<Prediction>& into) {
  for (std::size_t begin = 0; begin < text.size();) {
    const auto tab = text.find('\t', begin);
    const auto end = text.find('\n', tab);
    const std::size_t index = std::stoul(text.substr(begin, tab - begin));
    Prediction& prediction = into.at(index);
    prediction = prediction_from_text(text.substr(tab + 1, end - tab - 1));
    if (const auto& file = points[index].file) {
      prediction.point.schedule = file->imported.schedule;
      prediction.channels = file->imported.channels;
    }
    begin = end + 1;
  }
}

}  // namespace

Emulation emulate(const Communicator& communicator, const Topology& topology,
                  const CalibrationProfile& profile, const Scenario& scenario,
                  const std::function<void()>& progress) {
  const auto points = points_of(scenario, topology);
  Predictor predictor(topology, profile, EngineOptions{scenario.fold, ""});
  std::vector<std::pair<std::size_t, Prediction>> mine;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (static_cast<int>(i % static_cast<std::size_t>(communicator.size())) != communicator.rank()) {
      continue;
    }
    mine.emplace_back(i, predict_point(predictor, scenario, points[i]));
    if (progress) progress();
  }
  Emulation emulation;
  const auto parts = communicator.gather(encode(mine));
  if (!communicator.is_root()) return emulation;
  emulation.predictions.resize(points.size());
  for (const auto& part : parts) decode(part, points, emulation.predictions);
  for (const auto& prediction : emulation.predictions) {
    emulation.stats.updates += prediction.updates;
    emulation.stats.engine_seconds += prediction.engine_seconds;
    emulation.stats.state_bytes = std::max(emulation.stats.state_bytes, prediction.state_bytes);
    emulation.stats.instruction_set = prediction.instruction_set;
  }
  return emulation;
}

}  // namespace fabricast
