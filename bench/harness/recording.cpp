#include "bench/harness/recording.hpp"

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "emulator/coordinator/recorded_stage.hpp"
#include "emulator/coordinator/sample_tables.hpp"
#include "emulator/coordinator/trace_assembly.hpp"

namespace fabricast {
namespace {

// Stored samples by condition.
struct Known {
  std::vector<Conditions> conditions;
  std::vector<std::vector<Sample>> samples;

  explicit Known(const SampleSet& set) : conditions(set.conditions), samples(conditions.size()) {
    for (const Sample& sample : set.samples) {
      samples[static_cast<std::size_t>(sample.condition)].push_back(sample);
    }
  }
  const std::vector<Sample>* find(const Conditions& asked) const {
    const auto found = std::find_if(conditions.begin(), conditions.end(), [&](Conditions stored) {
      if (asked.algorithm == "nccl") {  // what NCCL chose is known only after it has run
        stored.algorithm = asked.algorithm;
        stored.protocol = asked.protocol;
        stored.channels = asked.channels;
      }
      return stored == asked;
    });
    return found == conditions.end()
               ? nullptr
               : &samples[static_cast<std::size_t>(found - conditions.begin())];
  }
};

}  // namespace

MeasureSink recording_sink(RunRecord* record, std::int32_t stage, bool with_results) {
  MeasureSink sink;
  if (record == nullptr) return sink;
  const auto known = std::make_shared<Known>(read_sample_tables(record->content()));
  sink.known = [known](const Conditions& asked) { return known->find(asked); };
  sink.measured = [record, stage, with_results](std::size_t condition, const SampleSet& samples) {
    TraceAssembly rows;
    if (with_results) rows.add_measurements(samples);
    TraceContent content = rows.take();
    add_sample_tables(samples, content);
    const auto point = static_cast<std::int64_t>(condition);
    record->add(stage, std::span(&point, 1), std::move(content));
  };
  sink.stop = [record] { stop_if_asked(*record); };
  return sink;
}

}  // namespace fabricast
