#include "tests/unit/report/run_traces.hpp"

#include <cmath>

#include "emulator/base/counter_rng.hpp"
#include "emulator/trace/table_rows.hpp"

namespace fabricast {
namespace {

enum Stream : std::uint64_t { common_stream, own_stream, noise_stream };

double normal(const RunDraw& draw, Stream stream, std::uint64_t entity, std::uint64_t index) {
  return random_normal(draw.seed, mix64(mix64(draw.run) ^ mix64(stream + 3 * entity)), index);
}

}  // namespace

TraceContent run_trace(const RunDraw& draw) {
  TableRows conditions("/sample_conditions"), samples("/samples"),
      environment("/sample_environment"), sources("/sample_sources");
  const double common = draw.common_ln * normal(draw, common_stream, 0, 0);
  for (int row = 0; row < draw.rows; ++row) {
    const std::int64_t bytes = std::int64_t{1024} << row;
    const auto entity = static_cast<std::uint64_t>(row);
    conditions.set("executor", draw.executor).set("machine", draw.machine);
    conditions.set("suite", "collective").set("collective", "all_reduce").set("algorithm", "ring");
    conditions.set("protocol", "simple").set("ranks", 8).set("channels", 2).set("bytes", bytes);
    conditions.set("parameter", "").set("unit", "us").set("dtype", "float").set("in_place", false);
    conditions.set("redop", draw.redop);
    conditions.end_row();
    const double truth = std::log(10 + static_cast<double>(bytes) / 1e5) + common +
                         draw.own_ln * normal(draw, own_stream, entity, 0) +
                         (row < draw.slow_rows ? std::log(draw.slow_factor) : 0);
    for (int i = 0; i < draw.samples; ++i) {
      const double noise =
          draw.noise_ln * normal(draw, noise_stream, entity, static_cast<std::uint64_t>(i));
      samples.set("condition", row).set("iteration", i).set("value", std::exp(truth + noise));
      samples.set("discarded", false).end_row();
      sources.set("sample", row * draw.samples + i).set("file", "a.log").set("sha256", "0");
      sources.set("line", 1).set("description", "nccl-tests").end_row();
    }
  }
  for (const auto& [key, value] : draw.environment) {
    environment.set("key", key).set("value", value).end_row();
  }
  TraceContent content;
  content.tables = {conditions.take(), samples.take(), environment.take()};
  if (draw.imported) content.tables.push_back(sources.take());
  return content;
}

}  // namespace fabricast
