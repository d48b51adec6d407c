#include "bench/harness/harness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "bench/harness/environment.hpp"
#include "bench/harness/executor_choice.hpp"
#include "bench/harness/library_choices.hpp"
#include "bench/harness/sweep_cases.hpp"
#include "bench/harness/time_budget.hpp"
#include "emulator/base/error.hpp"
#include "emulator/base/log.hpp"
#include "emulator/base/run_phase.hpp"
#include "emulator/base/scaled_number.hpp"
#include "emulator/base/stop.hpp"
#include "emulator/coordinator/agreement.hpp"

namespace fabricast {
namespace {

using Clock = std::chrono::steady_clock;
constexpr double us_per_s = 1e6;
// Runnable processes of others per core, one-minute average, above which a measurement is suspect.
constexpr double max_foreign_load = 0.5;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string case_name(const Conditions& c) {
  return fmt::format("{} {} {}", to_string(c.collective), c.algorithm, format_size(c.bytes));
}

void refuse_untimeable(const Executor& executor, const std::vector<SweepCase>& cases,
                       const MeasureOptions& options) {
  if (options.check_only) return;
  for (const auto& entry : cases) {
    const auto verdict = executor.may_time(entry.plan);
    bool refused = !verdict.allowed;
    // One process without enough cores spoils the times of all.
    if (options.communicator != nullptr) {
      refused = options.communicator->max(static_cast<std::int64_t>(refused)) != 0;
    }
    if (!refused) continue;
    throw TimingRefused(fmt::format(
        "the {} executor refuses to time {} ({}): use fewer ranks or channels, or --check-only to "
        "verify the data without timing",
        executor.name(), case_name(entry.conditions),
        verdict.allowed ? "another process of this run cannot" : verdict.reason));
  }
}

// One sweep. Pass 1 checks the data and warms up every size; pass 2 times them. Both go through the
// cases by ascending size, so that a budget cuts the largest sizes of all collectives, not the
// whole last collective.
class Sweep {
 public:
  Sweep(Executor& executor, const MeasureOptions& options, SweepCases cases,
        const MeasureProgress& progress, const MeasureSink& sink)
      : executor_(executor),
        options_(options),
        progress_(progress),
        sink_(sink),
        budget_(options.budget_seconds),
        rule_(options.iterations > 0 ? fixed_count_rule(options.iterations)
                                     : median_error_rule(options.stopping)),
        cases_(std::move(cases.cases)),
        notes_(std::move(cases.notes)),
        state_(cases_.size()) {
    for (std::size_t i = 0; i < cases_.size(); ++i) {
      order_.push_back(i);
      state_[i].report.conditions = cases_[i].conditions;
    }
    std::stable_sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
      return cases_[a].conditions.bytes < cases_[b].conditions.bytes;
    });
  }

  MeasureReport run() {
    start_ = Clock::now();
    enter_phase(RunPhase::measure);
    take_known();
    check_and_warm_up();
    throw_if_wrong();
    if (!options_.check_only) time_all();
    return report();
  }

  std::string rule_description() const { return rule_->description(); }

 private:
  struct CaseState {
    CaseReport report;
    bool known = false;           // from an earlier process; the samples are rank 0's
    std::vector<Sample> samples;  // complete and judged
    double floor_seconds = 0;     // estimate of what the floor will take
  };

  // Rank 0's verdict, everywhere.
  bool agreed(bool mine) const {
    if (options_.communicator == nullptr) return mine;
    auto verdict = static_cast<std::int64_t>(mine);
    options_.communicator->broadcast(verdict);
    return verdict != 0;
  }

  Communicator communicator() const {
    return options_.communicator == nullptr ? Communicator::null() : *options_.communicator;
  }

  void stop_if_asked() const {
    if (!agreed(stop_signal() != 0)) return;
    agree_that(communicator(), [&] {
      if (sink_.stop) sink_.stop();
      throw Interrupted(stopped_text() + ": no samples are kept without -o FILE");
    });
  }

  void take_known() {
    for (CaseState& state : state_) {
      const std::vector<Sample>* samples =
          sink_.known && !options_.check_only ? sink_.known(state.report.conditions) : nullptr;
      state.known = agreed(samples != nullptr);
      if (state.known) state.report.stop_reason = "resumed";
      if (samples != nullptr) state.samples = *samples;
    }
  }

  void advance() {
    ++done_;
    mark_progress();
    const auto passes = options_.check_only ? 1u : 2u;
    if (progress_) progress_(done_, static_cast<int>(passes * cases_.size()));
  }

  void prepare(const SweepCase& entry) {
    executor_.prepare({&entry.plan, options_.type, options_.op, entry.conditions.in_place,
                       entry.hand_off, options_.symmetric, options_.graph});
  }

  void check_and_warm_up() {
    const int warmups = options_.check_only ? 0 : options_.warmup;
    bool first = true;
    for (const std::size_t i : order_) {
      CaseState& state = state_[i];
      stop_if_asked();
      if (state.known) {
        advance();
        continue;
      }
      const auto begin = Clock::now();
      // The first case always runs: a budget that is too small for anything still gives a point.
      if (!agreed(first || budget_.admits(seconds_since(start_), promised_, 0))) {
        skip(state, "the time budget was spent before its warm-up");
        advance();
        continue;
      }
      prepare(cases_[i]);
      if (options_.check) state.report.wrong = executor_.check();
      if (!options_.check_only) observe(state.report);
      double last = 0;
      for (int n = 0; n < warmups; ++n) last = executor_.run();
      // Timing prepares again, runs once untimed, then at least the floor.
      const double setup = std::max(0.0, seconds_since(begin) - warmups * last);
      state.floor_seconds = setup + last * (rule_->floor() + 1);
      if (!agreed(first || budget_.admits(seconds_since(start_), promised_, state.floor_seconds))) {
        skip(state,
             fmt::format("{} iterations would not fit into the time budget", rule_->floor()));
      } else {
        promised_ += state.floor_seconds;
      }
      first = false;
      advance();
    }
  }

  // What a library says it does becomes the condition; what it does not say stays as it was.
  void observe(CaseReport& report) {
    report.choice = executor_.observe();
    if (!report.choice) return;
    if (!report.choice->algorithm.empty() && !report.choice->protocol.empty()) {
      report.conditions.algorithm = report.choice->algorithm;
      report.conditions.protocol = report.choice->protocol;
    }
    report.conditions.channels = report.choice->channels;
  }

  void skip(CaseState& state, const std::string& why) {
    state.report.skipped = why;
    state.report.stop_reason = "skipped";
  }

  // check() sums over the processes, so every process throws the same.
  void throw_if_wrong() const {
    std::string wrong;
    for (const auto& state : state_) {
      if (state.report.wrong <= 0) continue;
      wrong += fmt::format("{}{}: {} wrong elements", wrong.empty() ? "" : "; ",
                           case_name(state.report.conditions), state.report.wrong);
    }
    if (wrong.empty()) return;
    throw CheckError(fmt::format(
        "wrong data from the {} executor ({}): nothing was timed; please report this with the "
        "command line",
        executor_.name(), wrong));
  }

  void time_all() {
    int left = 0;
    for (const auto& state : state_) left += wanted(state) ? 1 : 0;
    for (const std::size_t i : order_) {
      CaseState& state = state_[i];
      if (wanted(state)) {
        promised_ -= state.floor_seconds;
        time_one(cases_[i], state, left--);
        hand_over(i);
      }
      advance();
    }
  }

  static bool wanted(const CaseState& state) {
    return !state.known && state.report.skipped.empty();
  }

  void hand_over(std::size_t condition) const {
    agree_that(communicator(), [&] {
      if (!sink_.measured) return;
      SampleSet one;
      one.conditions.push_back(state_[condition].report.conditions);
      one.samples = state_[condition].samples;
      sink_.measured(condition, one);
    });
  }

  void time_one(const SweepCase& entry, CaseState& state, int left) {
    prepare(entry);
    if (options_.warmup > 0) executor_.run();  // fresh buffers, other sizes ran since the warm-up
    rule_->start();
    const double ceiling =
        budget_.ceiling(seconds_since(start_), promised_, left, options_.max_seconds_per_size);
    const auto begin = Clock::now();
    std::vector<double> us;
    while (true) {
      us.push_back(executor_.run() * us_per_s);
      mark_progress();
      rule_->add(us.back());
      const auto verdict = rule_->verdict(seconds_since(begin), ceiling);
      if (!agreed(verdict.has_value() || stop_signal() != 0)) continue;
      stop_if_asked();
      if (verdict) state.report.stop_reason = to_string(*verdict);
      break;
    }
    const auto flags = disturbed(us, options_.disturbance);
    for (std::size_t n = 0; n < us.size(); ++n) {
      state.samples.push_back({0, static_cast<std::int32_t>(n), us[n], flags[n]});
    }
  }

  MeasureReport report() {
    MeasureReport result;
    result.notes = std::move(notes_);
    for (const bool measured : {true, false}) {
      for (auto& state : state_) {
        if (state.report.skipped.empty() != measured) continue;
        if (measured) {
          if (options_.check_only) state.report.stop_reason = "check_only";
          add_samples(state, result.samples);
        } else {
          result.notes.push_back(fmt::format("{} skipped: {}", case_name(state.report.conditions),
                                             state.report.skipped));
        }
        result.cases.push_back(state.report);
      }
    }
    return result;
  }

  void add_samples(CaseState& state, SampleSet& samples) const {
    if (options_.check_only) return;
    const auto condition = static_cast<std::int32_t>(samples.conditions.size());
    samples.conditions.push_back(state.report.conditions);
    for (Sample sample : state.samples) {
      sample.condition = condition;
      samples.samples.push_back(sample);
      state.report.discarded += sample.discarded ? 1 : 0;
    }
    state.report.iterations = static_cast<int>(state.samples.size());
  }

  Executor& executor_;
  const MeasureOptions& options_;
  const MeasureProgress& progress_;
  const MeasureSink& sink_;
  TimeBudget budget_;
  std::unique_ptr<StoppingRule> rule_;
  std::vector<SweepCase> cases_;
  std::vector<std::string> notes_;
  std::vector<CaseState> state_;
  std::vector<std::size_t> order_;  // ascending size
  Clock::time_point start_;
  double promised_ = 0;  // floors of admitted conditions not yet timed, seconds
  int done_ = 0;
};

// What the harness did, next to where it did it.
void describe(const MeasureOptions& options, const std::string& rule, const MeasureReport& report,
              std::map<std::string, std::string>& environment) {
  int samples = 0;
  int discarded = 0;
  int checked = 0;
  int skipped = 0;
  std::map<std::string, int> reasons;
  for (const auto& entry : report.cases) {
    samples += entry.iterations;
    discarded += entry.discarded;
    checked += entry.wrong == 0 ? 1 : 0;
    skipped += entry.skipped.empty() ? 0 : 1;
    ++reasons[entry.stop_reason];
  }
  std::string why;
  for (const auto& [reason, count] : reasons) {
    why += fmt::format("{}{} {}", why.empty() ? "" : ", ", reason, count);
  }
  environment["harness_stopping_rule"] = rule;
  environment["harness_stop_reasons"] = why;
  environment["harness_discard_rule"] = options.disturbance.description();
  environment["harness_discarded"] = fmt::format("{} of {} samples", discarded, samples);
  environment["harness_data_check"] =
      options.check ? fmt::format("{} conditions checked, 0 wrong elements", checked) : "off";
  environment["harness_warmup"] =
      fmt::format("{} iterations of every size before the first timed one", options.warmup);
  environment["harness_skipped"] = fmt::format("{} conditions", skipped);
  std::string notes;
  for (const auto& note : report.notes) notes += (notes.empty() ? "" : "; ") + note;
  if (!notes.empty()) environment["harness_notes"] = notes;
  if (options.budget_seconds > 0) {
    environment["harness_budget_s"] = fmt::format("{}", options.budget_seconds);
  }
}

// Others at work when the sweep began: the times hold their share of the cores, too.
void note_foreign_load(const Surroundings& before, MeasureReport& report) {
  const auto load = before.host.find("load_1min");
  const auto cores = before.host.find("usable_cores");
  if (load == before.host.end() || cores == before.host.end()) return;
  if (std::atof(load->second.c_str()) <= max_foreign_load * std::atof(cores->second.c_str()))
    return;
  report.notes.push_back(fmt::format(
      "the load average was {} on {} cores before the first iteration: these times include waiting "
      "for other processes; measure again on a quiet machine",
      load->second, cores->second));
}

}  // namespace

MeasureReport measure_sweep(Executor& executor, ExecutorKind kind, const std::string& machine,
                            const MeasureOptions& options, const MeasureProgress& progress,
                            const MeasureSink& sink) {
  auto cases = make_sweep_cases(executor.max_ranks(), kind, machine, options);
  refuse_untimeable(executor, cases.cases, options);
  const auto use = measures_cores(kind) ? CudaDriverUse::left_alone : CudaDriverUse::started;
  const Surroundings before = observe_surroundings(use);
  Sweep sweep(executor, options, std::move(cases), progress, sink);
  MeasureReport report = sweep.run();
  report.samples.environment = describe_environment(executor, before, observe_surroundings(use));
  note_foreign_load(before, report);
  describe_choices(report);
  if (executor.max_ranks() == 1) {
    report.notes.push_back(
        "one rank moves nothing to another: these times are call and copy overhead, not a "
        "collective");
  }
  describe(options, sweep.rule_description(), report, report.samples.environment);
  return report;
}

void check_sweep(const Executor& executor, ExecutorKind kind, const std::string& machine,
                 const MeasureOptions& options) {
  const auto cases = make_sweep_cases(executor.max_ranks(), kind, machine, options);
  refuse_untimeable(executor, cases.cases, options);
}

SampleSet measure_collectives(Executor& executor, ExecutorKind kind, const std::string& machine,
                              const MeasureOptions& options, const MeasureProgress& progress,
                              const MeasureSink& sink) {
  MeasureReport report = measure_sweep(executor, kind, machine, options, progress, sink);
  for (const auto& note : report.notes) log_warning(note);
  return std::move(report.samples);
}

}  // namespace fabricast
