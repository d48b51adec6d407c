#include "emulator/report/timeline_view.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/report/result_rows.hpp"

namespace fabricast {
namespace {

using RowsOf = std::map<std::int64_t, std::vector<std::size_t>>;  // by row of /results

RowsOf rows_of(const Table* table) {
  RowsOf rows;
  if (table == nullptr) return rows;
  const auto& result = table->integers("result");
  for (std::size_t i = 0; i < result.size(); ++i) rows[result[i]].push_back(i);
  return rows;
}

// A picosecond is the sixth decimal.
std::string us(std::int64_t ps) { return fmt::format("{:.6f}", static_cast<double>(ps) / 1e6); }

std::string peer(std::int64_t rank) {
  return rank == -1 ? "-" : rank == -2 ? "group" : fmt::format("{}", rank);
}

class View {
 public:
  View(const TraceContent& content, const TimelineOptions& options)
      : options_(options),
        timeline_(content.find("/timeline")),
        steps_(content.find("/steps")),
        coverage_(content.find("/step_coverage")),
        stage_rows_(rows_of(timeline_)),
        step_rows_(rows_of(steps_)),
        coverage_rows_(rows_of(coverage_)) {}

  std::string of(const ResultRow& result) const {
    const auto stages = stage_rows_.find(result.row);
    if (stages == stage_rows_.end()) return {};
    std::string text =
        fmt::format("# row {}: {} {} {}, {} ranks on {}, {}: {} us, channel {} of {}\n", result.row,
                    result.collective, result.algorithm, result.protocol, result.ranks,
                    result.machine, size_text(result.bytes), us(result.time_ps),
                    timeline_->integers("channel")[stages->second.front()], result.channels);
    text += stages_of(stages->second);
    if (!options_.steps) return text;
    return text + steps_of(result.row);
  }

 private:
  bool wanted(const Table& table, std::size_t i) const {
    return options_.window.overlaps(table.integers("start_ps")[i], table.integers("end_ps")[i]);
  }

  std::string stages_of(const std::vector<std::size_t>& rows) const {
    std::string text = fmt::format("#{:>15}{:>16}{:>16}  {}\n", "start (us)", "end (us)",
                                   "duration (us)", "stage");
    for (const std::size_t i : rows) {
      if (!wanted(*timeline_, i)) continue;
      const auto start = timeline_->integers("start_ps")[i], end = timeline_->integers("end_ps")[i];
      text += fmt::format("{:>16}{:>16}{:>16}  {}\n", us(start), us(end), us(end - start),
                          timeline_->texts("stage")[i]);
    }
    return text;
  }

  std::string steps_of(std::int64_t result) const {
    const auto covered = coverage_rows_.find(result);
    if (covered == coverage_rows_.end()) return "# no steps: they are written by --trace steps\n";
    const std::size_t c = covered->second.front();
    const auto all = coverage_->integers("steps")[c], kept = coverage_->integers("rows")[c];
    std::string text = fmt::format("# steps of {} classes: {} of {} in the trace",
                                   coverage_->integers("classes")[c], kept, all);
    if (kept < all)
      text += fmt::format(", all before {} us", us(coverage_->integers("complete_until_ps")[c]));
    text += fmt::format(
        "\n#{:>15}{:>16}{:>16}{:>7}{:>9}{:>8}{:>5}{:>9}{:>8}{:>8}{:>12}  {:<22}{:<11}{}\n",
        "start (us)", "end (us)", "ready (us)", "class", "members", "rank", "role", "step", "from",
        "to", "bytes", "action", "bound by", "stage");
    const auto found = step_rows_.find(result);
    if (found == step_rows_.end()) return text;
    for (const std::size_t i : found->second) {
      const auto number = [&](const char* column) { return steps_->integers(column)[i]; };
      const auto& classes = options_.classes;
      const bool of_class = classes.empty() || std::find(classes.begin(), classes.end(),
                                                         number("class")) != classes.end();
      if (!of_class || !wanted(*steps_, i)) continue;
      text += fmt::format(
          "{:>16}{:>16}{:>16}{:>7}{:>9}{:>8}{:>5}{:>9}{:>8}{:>8}{:>12}  {:<22}{:<11}{}\n",
          us(number("start_ps")), us(number("end_ps")),
          number("ready_ps") > 0 ? us(number("ready_ps")) : "-", number("class"), number("members"),
          number("rank"), number("role"), number("step"), peer(number("peer_in")),
          peer(number("peer_out")), number("bytes"), steps_->meaning("action", i),
          steps_->meaning("bound", i), steps_->texts("stage")[i]);
    }
    return text;
  }

  const TimelineOptions& options_;
  const Table *timeline_, *steps_, *coverage_;
  RowsOf stage_rows_, step_rows_, coverage_rows_;
};

}  // namespace

std::string render_timeline(const TraceContent& content, const TimelineOptions& options) {
  if (content.find("/timeline") == nullptr) {
    throw UsageError(
        "this trace has no /timeline (it was written with --trace summary, or holds measurements "
        "only): "
        "emulate with --trace phases or steps");
  }
  const auto results = result_rows(content);
  if (options.row &&
      (*options.row < 0 || *options.row >= static_cast<std::int64_t>(results.size()))) {
    throw UsageError(fmt::format("no row {} in /results (it has rows 0 to {}) choose one of them",
                                 *options.row, results.size() - 1));
  }
  const View view(content, options);
  std::string text;
  for (const ResultRow& result : results) {
    if (!options.row || *options.row == result.row) text += view.of(result);
  }
  return text.empty() ? "# no timeline: the row was measured\n" : text;
}

}  // namespace fabricast
