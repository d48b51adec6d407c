#include "emulator/report/compare.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"
#include "emulator/report/compare_environment.hpp"
#include "emulator/report/compare_noise.hpp"
#include "emulator/report/compare_parameters.hpp"

namespace fabricast {
namespace {

// A prediction moves with the samples its parameters were fitted to; three standard errors of that
// are noise. (Rows of a profile move together, so correcting for their number would be too strict.)
constexpr double fit_noise_factor = 3;

void check(const CompareOptions& options) {
  const auto refuse = [](const char* what, double value, const char* range) {
    throw UsageError(fmt::format("{} {} is outside {} choose one inside", what, value, range));
  };
  if (!(options.threshold > 0 && options.threshold <= 10)) {
    refuse("threshold", options.threshold, "(0, 10] (it is a part of the time: 0.05 is 5 %)");
  }
  if (!(options.alpha > 0 && options.alpha <= 0.5)) {
    refuse("alpha", options.alpha, "(0, 0.5] (it is the chance of a false alarm)");
  }
  if (options.run_noise && !(*options.run_noise > 0 && *options.run_noise <= 1)) {
    refuse("run noise", *options.run_noise, "(0, 1] (it is a part of the time: 0.01 is 1 %)");
  }
}

// Empty, or why these samples of a row say nothing.
std::string sample_problem(const TraceRow& row, const std::vector<double>& samples,
                           const CompareOptions& options, const char* side) {
  if (samples.empty()) return fmt::format("no kept sample in {}", side);
  for (const double value : samples) {
    if (!(std::isfinite(value) && value > 0)) {
      return fmt::format("a sample of {} is not a positive number", side);
    }
  }
  if (samples.size() < min_samples && !(row.of_logs && options.run_noise)) {
    return fmt::format("{} kept samples in {}, at least {} are needed{}", samples.size(), side,
                       min_samples,
                       row.of_logs ? ", or --run-noise, for the means of single logs" : "");
  }
  return "";
}

MedianEstimate estimate_ln(std::vector<double> samples) {
  for (double& value : samples) value = std::log(value);
  return estimate_median(std::move(samples));
}

class Comparer {
 public:
  Comparer(std::span<const TraceContent> bases, const TraceContent& fresh,
           const CompareOptions& options)
      : bases_(bases), fresh_(fresh), new_(comparable_rows(fresh)) {
    result_.options = options;
    result_.bases = bases.size();
    for (const TraceContent& base : bases) old_.push_back(comparable_rows(base));
    pair_unknown_reductions();
  }

  Comparison run() {
    add_warnings();
    result_.parameters = changed_parameters(bases_.back(), fresh_, result_.warnings);
    std::set<RowKey> keys;
    for (const auto& [key, row] : new_.rows) keys.insert(key);
    for (const TraceRows& old : old_) {
      for (const auto& [key, row] : old.rows) keys.insert(key);
    }
    for (const RowKey& key : keys) compare_row(key);
    judge_measured();
    order_rows();
    conclude();
    return std::move(result_);
  }

 private:
  void add_warnings() {
    std::map<std::string, std::string> bases_of;  // a warning, and which bases it is about
    for (std::size_t i = 0; i < bases_.size(); ++i) {
      for (const std::string& warning : environment_warnings(bases_[i], fresh_)) {
        std::string& names = bases_of[warning];
        names += fmt::format("{}{}", names.empty() ? "" : ", ", i + 1);
      }
    }
    for (const auto& [warning, names] : bases_of) {
      result_.warnings.push_back(bases_.size() > 1 ? fmt::format("base {}: {}", names, warning)
                                                   : warning);
    }
    if (new_.micro_benchmarks > 0) {
      result_.warnings.push_back(fmt::format(
          "{} micro-benchmark conditions are not compared: calibrate turns them into parameters",
          new_.micro_benchmarks));
    }
  }

  // Files written before samples had their reduction are paired as they were then.
  void pair_unknown_reductions() {
    if (!lacks_reductions(new_) && std::none_of(old_.begin(), old_.end(), lacks_reductions)) return;
    drop_reductions(new_);
    for (TraceRows& old : old_) drop_reductions(old);
    result_.warnings.emplace_back(
        "some samples do not say which reduction ran (an older file or log): measured rows are "
        "paired without it");
  }

  void compare_row(const RowKey& key) {
    ComparedRow row;
    row.key = key;
    const auto now = new_.rows.find(key);
    const bool in_bases = std::any_of(old_.begin(), old_.end(),
                                      [&](const TraceRows& old) { return old.rows.contains(key); });
    if (now == new_.rows.end()) {
      row.outcome = Outcome::missing;
    } else if (!in_bases) {
      row.outcome = Outcome::added;
    } else if (key.measured) {
      compare_measured(now->second, row);
    } else {
      compare_predicted(now->second, row);
    }
    if (!key.measured) show_choice(row);
    result_.rows.push_back(std::move(row));
  }

  // A row says what was taken for its question: in the new trace, or else in the last base.
  void show_choice(ComparedRow& row) const {
    const auto now = new_.rows.find(row.key);
    const auto old = std::find_if(old_.rbegin(), old_.rend(), [&](const TraceRows& rows) {
      return rows.rows.contains(row.key);
    });
    const TraceRow* before = old == old_.rend() ? nullptr : &old->rows.at(row.key);
    const TakenChoice taken = now != new_.rows.end() ? now->second.taken : before->taken;
    if (before != nullptr && !(before->taken == taken)) {
      row.other_choice = fmt::format("{} {}, {} ch", before->taken.algorithm,
                                     before->taken.protocol, before->taken.channels);
    }
    row.key.algorithm = taken.algorithm;
    row.key.protocol = taken.protocol;
    row.key.channels = taken.channels;
  }

  // Runs of this row in all bases; a trace can hold several.
  void compare_measured(const TraceRow& now, ComparedRow& row) {
    RowRuns runs;
    std::vector<double> medians;
    for (std::size_t trace = 0; trace < old_.size(); ++trace) {
      const auto found = old_[trace].rows.find(row.key);
      if (found == old_[trace].rows.end()) continue;
      if (found->second.runs.empty()) row.reason = "measured without samples in a base";
      for (std::size_t i = 0; i < found->second.runs.size(); ++i) {
        const auto& samples = found->second.runs[i];
        if (row.reason = sample_problem(found->second, samples, result_.options, "a base");
            !row.reason.empty())
          break;
        const auto id = run_ids_.try_emplace({trace, i}, run_ids_.size()).first->second;
        runs.bases.emplace_back(id, estimate_ln(samples));
        medians.push_back(runs.bases.back().second.median);
      }
      if (!row.reason.empty()) break;
    }
    if (row.reason.empty()) row.reason = fresh_estimate(now, runs.fresh);
    if (!row.reason.empty()) {
      row.outcome = Outcome::unjudged;
      return;
    }
    row.bases = runs.bases.size();
    row.base_us = std::exp(median_of(std::move(medians)));
    row.new_us = std::exp(runs.fresh.median);
    auto& group = groups_[{row.key.machine, row.key.executor}];
    group.places.push_back(result_.rows.size());
    group.rows.rows.push_back(std::move(runs));
  }

  std::string fresh_estimate(const TraceRow& now, MedianEstimate& fresh) const {
    if (now.runs.empty()) return "measured without samples in the new trace";
    const auto runs = static_cast<double>(now.runs.size());
    double variance = 0;
    for (const auto& samples : now.runs) {
      if (auto problem = sample_problem(now, samples, result_.options, "the new trace");
          !problem.empty())
        return problem;
      const MedianEstimate run = estimate_ln(samples);
      fresh.median += run.median / runs;
      variance += run.error * run.error / runs / runs;
    }
    fresh.error = std::sqrt(variance);
    return "";
  }

  void compare_predicted(const TraceRow& now, ComparedRow& row) {
    const auto old = std::find_if(old_.rbegin(), old_.rend(), [&](const TraceRows& rows) {
      return rows.rows.contains(row.key);
    });
    const TraceRow& before = old->rows.at(row.key);
    row.bases = 1;
    if (before.times_us.size() != 1 || now.times_us.size() != 1) {
      row.reason = "several predictions of the same thing in one trace";
    } else if (!(std::isfinite(before.times_us[0]) && before.times_us[0] > 0 &&
                 std::isfinite(now.times_us[0]) && now.times_us[0] > 0)) {
      row.reason = "a predicted time is not a positive number";
    }
    if (!row.reason.empty()) {
      row.outcome = Outcome::unjudged;
      return;
    }
    row.base_us = before.times_us[0];
    row.new_us = now.times_us[0];
    row.change_ln = std::log(row.new_us / row.base_us);
    if (row.change_ln == 0) return;
    const auto explanations = explain(fresh_, row.key, now.result, result_.parameters);
    row.noise_ln = fit_noise(explanations, result_.parameters);
    const double limit = std::max(threshold_ln(), fit_noise_factor * row.noise_ln);
    row.detectable_ln = limit;
    if (std::abs(row.change_ln) > limit) {
      row.outcome = row.change_ln > 0 ? Outcome::slower : Outcome::faster;
      row.explanations = explanations;
    }
  }

  void judge_measured() {
    std::vector<RowGroup> groups;
    for (auto& [name, group] : groups_) {
      group.rows.assumed = result_.options.run_noise
                               ? RunNoise{*result_.options.run_noise, *result_.options.run_noise}
                               : assumed_noise(name.second);
      groups.push_back(group.rows);
    }
    const auto judged = judge_groups(groups, {result_.options.alpha, threshold_ln()});
    std::size_t next = 0;
    for (const auto& [name, group] : groups_) take_judgement(name, group, judged[next++]);
  }

  struct Group {
    RowGroup rows;
    std::vector<std::size_t> places;  // in result_.rows
  };

  void take_judgement(const std::pair<std::string, std::string>& name, const Group& group,
                      const GroupJudgement& judged) {
    std::vector<double> detectable;
    std::size_t most = 0;
    for (std::size_t i = 0; i < group.places.size(); ++i) {
      ComparedRow& row = result_.rows[group.places[i]];
      const RowJudgement& found = judged.rows[i];
      row.change_ln = found.change_ln;
      row.noise_ln = found.noise_ln;
      row.detectable_ln = found.detectable_ln;
      row.p = found.change_ln > 0 ? found.p_slower : found.p_faster;
      const bool large = std::abs(row.change_ln) > threshold_ln();
      if (large && row.p <= result_.options.alpha) {
        row.outcome = row.change_ln > 0 ? Outcome::slower : Outcome::faster;
      }
      detectable.push_back(row.detectable_ln);
      most = std::max(most, row.bases);
    }
    result_.groups.push_back({name.first, name.second, group.places.size(), most, judged.change_ln,
                              judged.noise_ln, judged.detectable_ln,
                              median_of(std::move(detectable)), most < 2});
  }

  void order_rows() {
    std::stable_sort(result_.rows.begin(), result_.rows.end(),
                     [](const ComparedRow& a, const ComparedRow& b) {
                       if (a.outcome != b.outcome) return a.outcome < b.outcome;
                       return a.change_ln > b.change_ln;
                     });
  }

  void conclude() {
    const auto slower = result_.count(Outcome::slower), missing = result_.count(Outcome::missing);
    const auto unjudged = result_.count(Outcome::unjudged);
    const auto compared = slower + result_.count(Outcome::faster) + result_.count(Outcome::same);
    std::string why;
    const auto add = [&](const std::string& reason) { why += (why.empty() ? "" : "; ") + reason; };
    if (slower > 0) {
      add(fmt::format("{} of {} rows slower by more than {:.4g} %", slower, compared,
                      100 * result_.options.threshold));
    }
    if (compared == 0) {
      add("nothing could be compared" + (unjudged == 0 ? nearest_miss() : std::string()));
    }
    if (unjudged > 0) add(fmt::format("{} rows cannot be judged", unjudged));
    if (missing > 0 && !result_.options.allow_missing) {
      add(fmt::format("{} rows of the base are missing", missing));
    }
    if (slower == 0 && compared > 0 && blind()) {
      add("the noise hides even a doubling of every time: give more bases, or measure longer");
    }
    result_.ok = why.empty();
    result_.verdict = result_.ok
                          ? fmt::format("ok: none of {} rows is slower by more than {:.4g} %",
                                        compared, 100 * result_.options.threshold)
                          : fmt::format("{}: {}", slower > 0 ? "regression" : "not ok", why);
  }

  // Where no question is in both: what keeps the two most alike apart, as ": the nearest rows
  // differ in ...". Sizes count only if nothing else differs.
  std::string nearest_miss() const {
    std::set<RowKey> before, now;
    const auto add = [](const TraceRows& rows, std::set<RowKey>& kinds) {
      for (const auto& [key, row] : rows.rows) {
        RowKey kind = key;
        kind.bytes = 0;
        kinds.insert(std::move(kind));
      }
    };
    for (const TraceRows& old : old_) add(old, before);
    add(new_, now);
    std::optional<std::vector<std::string>> least;
    std::size_t left = 100'000;  // pairs to look at: kinds of rows are a few dozen
    for (const RowKey& old : before) {
      for (const RowKey& fresh : now) {
        if (left-- == 0) return "";
        auto found = differences(old, fresh);
        if (!least || found.size() < least->size()) least = std::move(found);
      }
    }
    if (!least) return "";
    if (least->empty()) least->emplace_back("size");
    return fmt::format(": the nearest rows differ in {}", fmt::join(*least, ", "));
  }

  // Not one row or group in which a doubling of the time would be seen.
  bool blind() const {
    const double doubling = std::log(2.0);
    return std::none_of(result_.rows.begin(), result_.rows.end(),
                        [&](const ComparedRow& row) {
                          return row.bases > 0 && row.detectable_ln < doubling;
                        }) &&
           std::none_of(result_.groups.begin(), result_.groups.end(),
                        [&](const ComparedGroup& group) { return group.detectable_ln < doubling; });
  }

  double threshold_ln() const { return std::log1p(result_.options.threshold); }

  std::span<const TraceContent> bases_;
  const TraceContent& fresh_;
  TraceRows new_;
  std::vector<TraceRows> old_;
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> run_ids_;  // (trace, run in it)
  std::map<std::pair<std::string, std::string>, Group> groups_;         // (machine, executor)
  Comparison result_;
};

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::slower:
      return "slower";
    case Outcome::unjudged:
      return "unjudged";
    case Outcome::missing:
      return "missing";
    case Outcome::faster:
      return "faster";
    case Outcome::same:
      return "same";
    case Outcome::added:
      return "new";
  }
  return "";
}

std::size_t Comparison::count(Outcome outcome) const {
  return static_cast<std::size_t>(std::count_if(
      rows.begin(), rows.end(), [&](const ComparedRow& row) { return row.outcome == outcome; }));
}

Comparison compare_traces(std::span<const TraceContent> bases, const TraceContent& fresh,
                          const CompareOptions& options) {
  FABRICAST_EXPECT(!bases.empty(), "a comparison needs a base");
  check(options);
  return Comparer(bases, fresh, options).run();
}

}  // namespace fabricast
