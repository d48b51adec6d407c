#include "emulator/validate/disciplines.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "emulator/base/error.hpp"
#include "emulator/base/units.hpp"
#include "emulator/validate/baselines.hpp"
#include "emulator/validate/form_error.hpp"
#include "topologies/match/text_words.hpp"

namespace fabricast {
namespace {

// σ of ln(time) of one point: spread of honest repeats (README of the open set) and what the forms
// leave out, by regime.
double point_sigma(const TimeCase& time_case) {
  constexpr double kib = 1024, mib = bytes_per_mib;
  const double bytes = time_case.bytes;
  if (time_case.shape.nodes == 1) return bytes >= 32 * mib ? 0.03 : 0.07;
  if (bytes >= 256 * mib) return 0.05;
  // Steps at switches of algorithm and protocol.
  if (bytes >= 256 * kib && bytes <= 16 * mib) return 0.15;
  return 0.08;
}
// Sizes of one table share their error: a table says no more than so many independent points.
constexpr double independent_points = 8;
// What intervals add to the uncertainty of mechanisms and to what the forms leave over in fitted
// tables, by discipline: other scales, other installations, no table at all. Judgement;
// docs/accuracy.md says how many points lie inside.
constexpr std::array<double, 4> model_error{0.03, 0.10, 0.20, 0.30};
// A system's network is identified by a size that is all latency and one that is all rate.
constexpr double latency_bytes = 64.0 * 1024, rate_bytes = 32.0 * 1024 * 1024;
// A first row so much slower than the second holds set-up, not the collective.
constexpr double first_row_excess = 1.3;

class Judge {
 public:
  explicit Judge(Validation& validation, std::size_t fit_count)
      : validation_(validation), fit_count_(fit_count) {
    for (std::size_t i = 0; i < validation_.tables.size(); ++i) cases_.push_back(cases_of(i));
  }

  bool usable(std::size_t table) const { return !cases_[table].empty(); }
  bool fitted_with(std::size_t table) const { return table < fit_count_ && usable(table); }

  std::vector<MechanismPoint> points_of(const std::vector<std::size_t>& tables) const {
    std::vector<MechanismPoint> points;
    for (const std::size_t table : tables) {
      points.insert(points.end(), cases_[table].begin(), cases_[table].end());
    }
    return points;
  }

  void judge(std::size_t table, Discipline discipline, const MechanismFit& fit,
             const FormError& form_error) {
    JudgedTable judged{table, discipline, {}};
    const double error = model_error.at(static_cast<std::size_t>(discipline));
    for (const MechanismPoint& point : cases_[table]) {
      const auto prediction = fit.predict(point.time_case, point.choice, point.system);
      judged.points.push_back(
          {point.time_case.bytes, std::exp(point.log_time), prediction.time_us,
           std::hypot(prediction.sigma, error, form_error.spread(point.time_case)), 0,
           point.choice});
    }
    validation_.judged.push_back(std::move(judged));
  }

 private:
  std::vector<MechanismPoint> cases_of(std::size_t at) {
    const PublishedTable& table = validation_.tables[at];
    const TableMachine& machine = validation_.machines[at];
    std::string reason = table.problem.empty() ? machine.unknown : table.problem;
    if (reason.empty() && table.low_confidence()) reason = "confidence is low";
    if (!reason.empty()) {
      if (!validation_.skipped.empty() && validation_.skipped.back().table == at) return {};
      validation_.skipped.push_back({at, reason});
      return {};
    }
    std::vector<MechanismPoint> points;
    const double count = static_cast<double>(table.points.size());
    const double dependence = std::sqrt(std::max(1.0, count / independent_points));
    for (std::size_t i = 0; i < table.points.size(); ++i) {
      MechanismPoint point;
      point.time_case = {machine.shape, table.collective, table.points[i].bytes};
      point.choice = time_choice(*machine.communicator, point.time_case, machine.type);
      point.system = table.column("system");
      double time = table.points[i].time_us;
      if (i == 0 && count > 1 && time > first_row_excess * table.points[1].time_us) {
        time = table.points[1].time_us;
      }
      point.log_time = std::log(time);
      point.sigma = point_sigma(point.time_case) * dependence;
      points.push_back(point);
    }
    return points;
  }

  Validation& validation_;
  std::size_t fit_count_;
  std::vector<std::vector<MechanismPoint>> cases_;
};

const std::string& system_of(const Validation& validation, std::size_t table) {
  return validation.tables[table].column("system");
}

// Which of the two a system's tables show, or those up to a scale.
struct SeenSizes {
  bool latency = false, rate = false;
};

SeenSizes seen_sizes(const Validation& validation, const Judge& judge, const std::string& system,
                     int most_nodes) {
  SeenSizes seen;
  for (std::size_t i = 0; i < validation.tables.size(); ++i) {
    if (!judge.usable(i) || system_of(validation, i) != system) continue;
    const int nodes = validation.machines[i].shape.nodes;
    if (nodes < 2 || nodes > most_nodes) continue;
    const auto& points = validation.tables[i].points;
    seen.latency = seen.latency || points.front().bytes <= latency_bytes;
    seen.rate = seen.rate || points.back().bytes >= rate_bytes;
  }
  return seen;
}

// The smallest scale with two nodes or more up to which the tables of a system identify its NICs:
// they show latency and rate, where any of its tables does. 0: none.
int identifying_nodes(const Validation& validation, const Judge& judge, const std::string& system) {
  std::set<int> scales;
  for (std::size_t i = 0; i < validation.tables.size(); ++i) {
    const int nodes = validation.machines[i].shape.nodes;
    if (judge.usable(i) && system_of(validation, i) == system && nodes >= 2) scales.insert(nodes);
  }
  if (scales.empty()) return 0;
  const SeenSizes all = seen_sizes(validation, judge, system, *scales.rbegin());
  for (const int nodes : scales) {
    const SeenSizes seen = seen_sizes(validation, judge, system, nodes);
    if (seen.latency == all.latency && seen.rate == all.rate) return nodes;
  }
  return *scales.rbegin();
}

using Tables = std::vector<std::size_t>;

template <typename Condition>
Tables tables_where(const Validation& validation, Condition condition) {
  Tables tables;
  for (std::size_t i = 0; i < validation.tables.size(); ++i) {
    if (condition(i)) tables.push_back(i);
  }
  return tables;
}

void judge_scale(Validation& validation, Judge& judge, const MechanismFit& all, std::size_t first) {
  std::set<std::string> systems;
  for (std::size_t i = 0; i < validation.tables.size(); ++i) {
    if (judge.usable(i)) systems.insert(system_of(validation, i));
  }
  for (const std::string& system : systems) {
    const int nodes = identifying_nodes(validation, judge, system);
    const auto larger = [&](std::size_t i) {
      return judge.usable(i) && system_of(validation, i) == system && nodes >= 2 &&
             validation.machines[i].shape.nodes > nodes;
    };
    const Tables predicted =
        tables_where(validation, [&](std::size_t i) { return i >= first && larger(i); });
    if (predicted.empty()) continue;
    const Tables known =
        tables_where(validation, [&](std::size_t i) { return judge.fitted_with(i) && !larger(i); });
    const auto points = judge.points_of(known);
    const MechanismFit fit(points, &all);
    const FormError form_error(fit, points);
    for (const std::size_t table : predicted) {
      judge.judge(table, Discipline::scale, fit, form_error);
      add_constant_rate_baseline(validation, validation.judged.back(), known);
    }
  }
}

void judge_transfer(Validation& validation, Judge& judge, const MechanismFit& all,
                    std::size_t first) {
  std::map<std::string, Tables> by_system;
  for (std::size_t i = first; i < validation.tables.size(); ++i) {
    if (judge.usable(i)) by_system[system_of(validation, i)].push_back(i);
  }
  for (const auto& [system, predicted] : by_system) {
    const Tables known = tables_where(validation, [&](std::size_t i) {
      return judge.fitted_with(i) && system_of(validation, i) != system;
    });
    const auto points = judge.points_of(known);
    const MechanismFit fit(points, &all);
    const FormError form_error(fit, points);
    for (const std::size_t table : predicted) {
      judge.judge(table, Discipline::transfer, fit, form_error);
      add_class_mean_baseline(validation, validation.judged.back(), known);
    }
  }
}

void judge_all(Validation& validation, Judge& judge, const MechanismFit& all,
               const FormError& form_error, std::size_t first, Discipline discipline) {
  const MechanismFit priors({});
  for (std::size_t i = first; i < validation.tables.size(); ++i) {
    if (!judge.usable(i)) continue;
    const bool datasheet = discipline == Discipline::datasheet;
    judge.judge(i, discipline, datasheet ? priors : all, datasheet ? FormError() : form_error);
    if (datasheet) {
      add_nominal_rate_baseline(validation, validation.judged.back());
    } else {
      add_interpolation_baseline(validation.judged.back());
    }
  }
}

// One process that calls for all GPUs of a host may be what small sizes wait for. The engine's rows
// are of a process per GPU: they are held against times ten times as long, or of such runs.
double least_time_us(const TimeShape& shape) {
  const bool one_process = shape.ranks == shape.host_ranks && !shape.process_per_gpu;
  const double launch = mechanism_priors(shape).at(index_of(Mechanism::launch));
  return one_process ? 10 * launch * shape.host_ranks : 0;
}

void judge_engine(Validation& validation, Judge& judge, const EngineRows& rows, std::size_t first) {
  for (std::size_t i = first; i < validation.tables.size(); ++i) {
    JudgedTable judged{i, Discipline::engine, {}};
    const double least = least_time_us(validation.machines[i].shape);
    for (const MechanismPoint& point : judge.points_of({i})) {
      if (std::exp(point.log_time) < least) continue;
      const auto row =
          rows(validation.machines[i], point.time_case.collective, point.time_case.bytes);
      if (!row) continue;
      judged.points.push_back({point.time_case.bytes, std::exp(point.log_time), row->time_us,
                               row->sigma, 0, point.choice});
    }
    if (judged.points.empty()) continue;
    validation.judged.push_back(std::move(judged));
    add_nominal_rate_baseline(validation, validation.judged.back());
  }
}

// Machines with Slingshot (HPE Cray EX) are run by batch systems. A table of one node does not say
// what network its system has; the others of the system do, or the system's name.
void mark_batch_systems(Validation& validation) {
  std::set<std::string> batch;
  const auto system_of = [&](std::size_t i) { return validation.tables[i].column("system"); };
  for (std::size_t i = 0; i < validation.tables.size(); ++i) {
    if (validation.machines[i].shape.network == TimeNetwork::slingshot && !system_of(i).empty()) {
      batch.insert(system_of(i));
    }
  }
  for (std::size_t i = 0; i < validation.tables.size(); ++i) {
    if (validation.machines[i].start_is_told) continue;
    TimeShape& shape = validation.machines[i].shape;
    shape.process_per_gpu = shape.network == TimeNetwork::slingshot ||
                            batch.contains(system_of(i)) ||
                            contains_text(in_lower_case(system_of(i)), "slingshot");
  }
}

}  // namespace

std::string_view to_string(Discipline discipline) {
  constexpr std::array<std::string_view, 5> names{"fit", "scale", "transfer", "datasheet",
                                                  "engine"};
  return names.at(static_cast<std::size_t>(discipline));
}

Discipline discipline_from_name(std::string_view name) {
  for (const Discipline discipline : all_disciplines) {
    if (to_string(discipline) == name) return discipline;
  }
  throw UsageError("no discipline " + std::string(name) +
                   " (they are fit, scale, transfer, datasheet, engine) choose one");
}

Validation validate(const ValidationRequest& request) {
  Validation validation;
  validation.tables = request.fit;
  validation.tables.insert(validation.tables.end(), request.predict.begin(), request.predict.end());
  for (const PublishedTable& table : validation.tables) {
    validation.machines.push_back(table.problem.empty() ? machine_of(table) : TableMachine{});
  }
  mark_batch_systems(validation);
  Judge judge(validation, request.fit.size());
  const std::size_t first = request.predict.empty() ? 0 : request.fit.size();
  const Tables known =
      tables_where(validation, [&](std::size_t i) { return judge.fitted_with(i); });
  const auto points = judge.points_of(known);
  const MechanismFit all(points);
  const FormError form_error(all, points);
  validation.effects = all.effects();
  for (const Discipline discipline : request.disciplines) {
    switch (discipline) {
      case Discipline::scale:
        judge_scale(validation, judge, all, first);
        break;
      case Discipline::transfer:
        judge_transfer(validation, judge, all, first);
        break;
      case Discipline::engine:
        judge_engine(validation, judge, request.engine, first);
        break;
      default:
        judge_all(validation, judge, all, form_error, first, discipline);
    }
  }
  return validation;
}

}  // namespace fabricast
