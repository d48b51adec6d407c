#include "emulator/cli/engine_rows.hpp"

#include <cmath>
#include <map>
#include <memory>

#include "emulator/base/error.hpp"
#include "emulator/base/normal.hpp"
#include "emulator/calibrate/predictor.hpp"
#include "emulator/coordinator/library_choice.hpp"
#include "emulator/schedule/catalogue.hpp"

namespace fabricast {
namespace {

class Rows {
 public:
  std::optional<EngineRow> row(const TableMachine& machine, Collective collective, double bytes) {
    const auto size = static_cast<std::int64_t>(bytes);
    const LibraryPoint choice = library_point(*machine.communicator, collective, size);
    if (find_algorithm(choice.algorithm, collective) == nullptr) return std::nullopt;
    PointSpec point;
    point.collective = collective;
    point.algorithm = choice.algorithm;
    point.bytes = size;
    point.channels = choice.channels;
    try {
      Predictor& predictor = predictor_of(machine);
      point = predictor.fastest(
          point, choice.protocol
                     ? std::vector{*choice.protocol}
                     : usual_protocols(ExecutorKind::nccl, collective, choice.algorithm));
      const Prediction prediction = predictor.predict(point);
      const double time = to_us(prediction.time);
      return EngineRow{time, std::log(prediction.high_us / time) / two_sided_90};
    } catch (const UsageError&) {
      return std::nullopt;
    }
  }

 private:
  Predictor& predictor_of(const TableMachine& machine) {
    auto& found = predictors_[machine.topology.get()];
    if (!found) {
      found = std::make_unique<Predictor>(*machine.topology,
                                          prior_profile(*machine.topology, ExecutorKind::nccl));
    }
    return *found;
  }

  std::map<const Topology*, std::unique_ptr<Predictor>> predictors_;
};

}  // namespace

EngineRows engine_rows() {
  const auto rows = std::make_shared<Rows>();
  return [rows](const TableMachine& machine, Collective collective, double bytes) {
    return rows->row(machine, collective, bytes);
  };
}

}  // namespace fabricast
