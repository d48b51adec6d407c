#include "emulator/coordinator/recorded_stage.hpp"

#include "emulator/base/stop.hpp"
#include "emulator/coordinator/agreement.hpp"
#include "emulator/coordinator/ensemble_tables.hpp"
#include "emulator/coordinator/library_tables.hpp"
#include "emulator/coordinator/trace_assembly.hpp"

namespace fabricast {

void stop_if_asked(RunRecord& record) {
  if (stop_signal() == 0) return;
  record.flush();
  throw Interrupted(stopped_text() + ": " + record.left_behind());
}

Emulation emulate_stage(const Communicator& communicator, const Topology& topology,
                        const CalibrationProfile& profile, const Scenario& scenario,
                        std::int32_t stage, RunRecord* record,
                        const std::function<void()>& progress) {
  EmulationSink sink;
  const auto all = scenario.library ? points_of(scenario, topology) : std::vector<ScenarioPoint>{};
  if (record != nullptr) {
    sink.done = [record, stage](std::size_t point) {
      return record->has(stage, static_cast<std::int64_t>(point));
    };
    sink.take = [&, record, stage](const std::vector<std::size_t>& points,
                                   const std::vector<Prediction>& predictions,
                                   const std::vector<MemberTimes>& members) {
      if (!points.empty()) {
        TraceAssembly rows;
        rows.add_predictions(topology, predictions, scenario.trace.level);
        const std::vector<std::int64_t> positions(points.begin(), points.end());
        TraceContent content = rows.take();
        add_ensembles(members, content);
        std::vector<ScenarioPoint> chosen;
        for (const std::size_t point : points) {
          if (scenario.library) chosen.push_back(all[point]);
        }
        add_library_choices(scenario, chosen, content);
        record->add(stage, positions, std::move(content));
      }
      stop_if_asked(*record);
    };
  }
  agree_that(communicator, [&] {
    TraceAssembly frame;
    frame.add_machine(topology);
    frame.add_profile(profile);
    record->frame(stage, frame.finish(scenario.to_yaml(), nullptr, {}));
  });
  return emulate(communicator, topology, profile, scenario, sink, progress);
}

}  // namespace fabricast
