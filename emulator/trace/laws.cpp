#include "emulator/trace/laws.hpp"

#include <cmath>
#include <map>
#include <string_view>

#include <fmt/format.h>

#include "emulator/trace/row_pieces.hpp"

namespace fabricast {
namespace {

// Doubles derived from exact integers along different paths differ by a few units in the last
// place.
constexpr double tolerance = 1e-9;

bool close(double a, double b) {
  return std::abs(a - b) <= tolerance * std::max(std::abs(a), std::abs(b));
}

const Column::Integers* integers(const Table* table, std::string_view name) {
  const Column* column = table != nullptr ? table->find(name) : nullptr;
  return column != nullptr ? std::get_if<Column::Integers>(&column->values) : nullptr;
}

const Column::Reals* reals(const Table* table, std::string_view name) {
  const Column* column = table != nullptr ? table->find(name) : nullptr;
  return column != nullptr ? std::get_if<Column::Reals>(&column->values) : nullptr;
}

class Laws {
 public:
  explicit Laws(const TraceContent& content) : content_(content) {}

  std::vector<TraceProblem> run() {
    for (const RowReference& reference : row_references()) refers(reference);
    results();
    evidence();
    correlations();
    device_states();
    shares();
    links();
    timeline();
    steps();
    step_coverage();
    ensemble();
    jobs();
    return std::move(found_);
  }

 private:
  template <class Holds>
  void law(std::string_view path, std::size_t rows, std::string_view text, Holds holds) {
    for (std::size_t row = 0; row < rows; ++row) {
      if (holds(row)) continue;
      found_.push_back({std::string(path), fmt::format("row {} breaks the law: {}", row, text)});
      return;
    }
  }

  void refers(const RowReference& reference) {
    const auto* rows = integers(content_.find(reference.table), reference.column);
    const Table* table = content_.find(reference.target);
    if (rows == nullptr || table == nullptr) return;
    const auto count = static_cast<std::int64_t>(table->rows());
    law(reference.table, rows->size(),
        fmt::format("`{}` is a row of {}", reference.column, reference.target),
        [&](std::size_t i) { return (*rows)[i] >= 0 && (*rows)[i] < count; });
  }

  void results() {
    const Table* table = content_.find("/results");
    const auto *bytes = integers(table, "bytes"), *ps = integers(table, "time_ps");
    const auto *us = reals(table, "time_us"), *algbw = reals(table, "algbw_gbps");
    const auto *low = reals(table, "low_us"), *high = reals(table, "high_us");
    const auto *share = reals(table, "measured_share"), *bound = reals(table, "bound_us");
    if (!bytes || !ps || !us || !algbw || !low || !high || !share || !bound) return;
    const std::size_t rows = table->rows();
    law("/results", rows, "time_us is time_ps / 1e6 and positive", [&](std::size_t i) {
      return (*ps)[i] > 0 && close((*us)[i], static_cast<double>((*ps)[i]) / 1e6);
    });
    law("/results", rows, "algbw_gbps is bytes / time_us / 1e3", [&](std::size_t i) {
      return close((*algbw)[i], static_cast<double>((*bytes)[i]) / (*us)[i] / 1e3);
    });
    law("/results", rows, "low_us <= time_us <= high_us", [&](std::size_t i) {
      return (*low)[i] <= (*us)[i] * (1 + tolerance) && (*us)[i] <= (*high)[i] * (1 + tolerance);
    });
    law("/results", rows, "measured_share lies in 0..1",
        [&](std::size_t i) { return (*share)[i] >= 0 && (*share)[i] <= 1 + tolerance; });
    const Column* engine = table->find("engine");
    const auto* texts = engine != nullptr ? std::get_if<Column::Texts>(&engine->values) : nullptr;
    if (texts == nullptr) return;
    law("/results", rows, "a predicted time_us is not below bound_us", [&](std::size_t i) {
      return (*texts)[i] == "measured" || (*us)[i] >= (*bound)[i] * (1 - tolerance);
    });
    const Column* label = table->find("label");
    const auto* codes = label != nullptr ? std::get_if<Column::Codes>(&label->values) : nullptr;
    if (codes == nullptr) return;
    law("/results", rows, "only a row of engine measured has the label measured",
        [&](std::size_t i) {
          return (*texts)[i] == "measured" || (*codes)[i] >= label->flag_meanings.size() ||
                 label->flag_meanings[(*codes)[i]] != "measured";
        });
  }

  void evidence() {
    const Table* table = content_.find("/evidence");
    const auto *ranks = integers(table, "ranks"), *bytes = integers(table, "bytes");
    const auto* channels = integers(table, "channels");
    if (!ranks || !bytes || !channels) return;
    law("/evidence", table->rows(), "ranks and bytes are positive, channels >= 0",
        [&](std::size_t i) { return (*ranks)[i] > 0 && (*bytes)[i] > 0 && (*channels)[i] >= 0; });
  }

  // Row by row: one table says what the other leaves out.
  void device_states() {
    const Table *samples = content_.find("/samples"), *device = content_.find("/sample_device");
    if (samples == nullptr || device == nullptr) return;
    law("/sample_device", std::max(samples->rows(), device->rows()),
        "one row for each of /samples",
        [&](std::size_t i) { return i < samples->rows() && i < device->rows(); });
  }

  void correlations() {
    const Table* table = content_.find("/profile_correlations");
    const auto* value = reals(table, "correlation");
    if (!value) return;
    law("/profile_correlations", table->rows(), "correlation lies in -1..1",
        [&](std::size_t i) { return std::abs((*value)[i]) <= 1; });
  }

  void shares() {
    const Table* table = content_.find("/result_shares");
    const auto* result = integers(table, "result");
    const auto* share = reals(table, "share");
    const Table* of = content_.find("/results");
    if (!result || !share || !of) return;
    std::vector<double> sums(of->rows(), 0.0);
    law("/result_shares", table->rows(), "share lies in 0..1 and sums to at most 1 per result",
        [&](std::size_t i) {
          const auto row = static_cast<std::size_t>((*result)[i]);
          if (row >= sums.size()) return true;  // refers() says so
          sums[row] += (*share)[i];
          return (*share)[i] >= 0 && sums[row] <= 1 + 1e-6;  // a sum of many rounded fractions
        });
  }

  void links() {
    const Table* table = content_.find("/links");
    const auto* load = integers(table, "wire_bytes_max");
    const auto* use = reals(table, "utilization");
    if (!load || !use) return;
    law("/links", table->rows(), "wire_bytes_max >= 0",
        [&](std::size_t i) { return (*load)[i] >= 0; });
    law("/links", table->rows(), "utilization lies in 0..1 (no link above its capacity)",
        [&](std::size_t i) { return (*use)[i] >= 0 && (*use)[i] <= 1 + tolerance; });
  }

  void timeline() {
    const Table* table = content_.find("/timeline");
    const auto *start = integers(table, "start_ps"), *end = integers(table, "end_ps");
    if (!start || !end) return;
    law("/timeline", table->rows(), "0 <= start_ps <= end_ps",
        [&](std::size_t i) { return (*start)[i] >= 0 && (*start)[i] <= (*end)[i]; });
    const auto* result = integers(table, "result");
    const auto* time = integers(content_.find("/results"), "time_ps");
    if (!result || !time) return;
    law("/timeline", table->rows(), "end_ps <= time_ps of the result", [&](std::size_t i) {
      const auto row = static_cast<std::size_t>((*result)[i]);
      return row >= time->size() || (*end)[i] <= (*time)[row];
    });
  }

  // Consecutive rows of one lane do not overlap.
  void steps() {
    const Table* table = content_.find("/steps");
    const auto *start = integers(table, "start_ps"), *end = integers(table, "end_ps");
    const auto *ready = integers(table, "ready_ps"), *step = integers(table, "step");
    const auto *result = integers(table, "result"), *rank = integers(table, "rank");
    const auto* role = integers(table, "role");
    if (!start || !end || !ready || !step || !result || !rank || !role) return;
    law("/steps", table->rows(), "0 <= start_ps <= end_ps, and ready_ps is 0 or not before end_ps",
        [&](std::size_t i) {
          return (*start)[i] >= 0 && (*start)[i] <= (*end)[i] &&
                 ((*ready)[i] == 0 || (*ready)[i] >= (*end)[i]);
        });
    law("/steps", table->rows(), "steps of a lane come in order and do not overlap",
        [&](std::size_t i) {
          const bool same_lane = i > 0 && (*result)[i] == (*result)[i - 1] &&
                                 (*rank)[i] == (*rank)[i - 1] && (*role)[i] == (*role)[i - 1];
          return !same_lane || ((*step)[i] > (*step)[i - 1] && (*start)[i] >= (*end)[i - 1]);
        });
    const auto* time = integers(content_.find("/results"), "time_ps");
    if (!time) return;
    law("/steps", table->rows(), "end_ps <= time_ps of the result", [&](std::size_t i) {
      const auto row = static_cast<std::size_t>((*result)[i]);
      return row >= time->size() || (*end)[i] <= (*time)[row];
    });
  }

  void step_coverage() {
    const Table* table = content_.find("/step_coverage");
    const auto *result = integers(table, "result"), *rows = integers(table, "rows");
    const auto* all = integers(table, "steps");
    const auto* of = integers(content_.find("/steps"), "result");
    if (!result || !rows || !all) return;
    std::map<std::int64_t, std::int64_t> there;
    if (of != nullptr) {
      for (const std::int64_t row : *of) ++there[row];
    }
    law("/step_coverage", table->rows(), "rows <= steps, and so many rows are in /steps",
        [&](std::size_t i) {
          return (*rows)[i] <= (*all)[i] && (*rows)[i] == there[(*result)[i]];
        });
  }

  void ensemble() {
    const Table* table = content_.find("/ensemble");
    const auto *result = integers(table, "result"), *members = integers(table, "members");
    const auto* of = integers(content_.find("/ensemble_members"), "result");
    if (!result || !members || !of) return;
    std::map<std::int64_t, std::int64_t> there;
    for (const std::int64_t row : *of) ++there[row];
    law("/ensemble", table->rows(), "so many members of the result are in /ensemble_members",
        [&](std::size_t i) { return (*members)[i] == there[(*result)[i]]; });
  }

  void jobs() {
    const Table *table = content_.find("/jobs"), *links = content_.find("/job_links");
    const auto *result = integers(table, "result"), *alone = integers(table, "alone_ps");
    const auto* slow_down = reals(table, "slow_down");
    const auto* time = integers(content_.find("/results"), "time_ps");
    if (result != nullptr && alone != nullptr && slow_down != nullptr && time != nullptr) {
      law("/jobs", table->rows(), "slow_down is time_ps of the result / alone_ps, both positive",
          [&](std::size_t i) {
            const auto row = static_cast<std::size_t>((*result)[i]);
            return row >= time->size() ||
                   ((*alone)[i] > 0 && close((*slow_down)[i], static_cast<double>((*time)[row]) /
                                                                  static_cast<double>((*alone)[i])));
          });
    }
    const auto* use = reals(links, "utilization");
    if (use == nullptr) return;
    law("/job_links", links->rows(), "utilization lies in 0..1 (no link above its capacity)",
        [&](std::size_t i) { return (*use)[i] >= 0 && (*use)[i] <= 1 + tolerance; });
  }

  const TraceContent& content_;
  std::vector<TraceProblem> found_;
};

}  // namespace

std::vector<TraceProblem> law_problems(const TraceContent& content) { return Laws(content).run(); }

}  // namespace fabricast
