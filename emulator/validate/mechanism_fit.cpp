#include "emulator/validate/mechanism_fit.hpp"

#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <Eigen/Dense>

namespace fabricast {
namespace {

constexpr int max_steps = 40;
constexpr double small_step = 1e-3;       // of ln(value): converged
constexpr double difference = 1e-4;       // of ln(value), for derivatives
constexpr double degrees_of_freedom = 4;  // of Student's t

using Sensitivities = std::array<double, mechanism_count>;
using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

// d ln(time) / d ln(mechanism), forward differences.
Sensitivities sensitivities(const TimeCase& time_case, const TimeChoice& choice,
                            const MechanismValues& values, double time, MechanismSet used) {
  Sensitivities result{};
  MechanismValues moved = values;
  for (std::size_t m = 0; m < mechanism_count; ++m) {
    if ((used & mechanism_bit(static_cast<Mechanism>(m))) == 0) continue;
    moved[m] = values[m] * (1 + difference);
    const double changed = time_us(time_case, choice, moved);
    if (changed != time) result[m] = std::log(changed / time) / std::log1p(difference);
    moved[m] = values[m];
  }
  return result;
}

}  // namespace

struct MechanismFit::State {
  struct Prepared {
    MechanismValues prior;
    std::array<int, mechanism_count> scope;  // places among the shared effects
    std::array<int, mechanism_count> row;    // and of these in the coupling of the system
    int system = 0;
  };
  // Effects of one system and what the last step knew of them.
  struct Local {
    Vector effect = Vector::Zero(mechanism_count);
    Matrix information = Matrix::Zero(mechanism_count, mechanism_count);
    std::vector<int> rows;         // the shared effects that its points depend on ...
    std::map<int, int> row_index;  // ... and their places among them
    Matrix coupling;               // rows x local
    Vector gradient;

    void add_row(int shared_place) {
      const int next = static_cast<int>(rows.size());
      if (row_index.emplace(shared_place, next).second) rows.push_back(shared_place);
    }
  };

  std::map<std::string, int> scope_index;  // "mechanism scope" -> place among the shared effects
  std::map<std::string, int> system_index;
  std::vector<std::string> shared_names;
  std::vector<Local> locals;
  Vector shared;              // universal effects, then scopes
  Vector shared_information;  // 1 / σ² of the priors
  Matrix covariance;          // of the shared effects

  int scope_place(std::size_t m, const TimeShape& shape) const {
    const auto found = scope_index.find(scope_name(m, shape));
    return found == scope_index.end() ? -1 : found->second;
  }
  static std::string scope_name(std::size_t m, const TimeShape& shape) {
    const auto mechanism = static_cast<Mechanism>(m);
    return fmt::format("{} {}", mechanism_spec(mechanism).id, scope_key(mechanism, shape));
  }

  void enumerate(const std::vector<MechanismPoint>& points);
  Prepared prepare(const MechanismPoint& point) const;
  MechanismValues values(const Prepared& prepared) const;
  double objective(const std::vector<MechanismPoint>& points,
                   const std::vector<Prepared>& prepared) const;
  // Takes the systems out of normal equations of all effects.
  void eliminate(Matrix& information, Vector& gradient) const;
  // One Newton step; the largest change of an effect.
  double step(const std::vector<MechanismPoint>& points, const std::vector<Prepared>& prepared);
  void linearize(const std::vector<MechanismPoint>& points, const std::vector<Prepared>& prepared,
                 Matrix& information, Vector& gradient);
  void start_from(const State& other);
};

void MechanismFit::State::enumerate(const std::vector<MechanismPoint>& points) {
  std::vector<double> sigmas;
  for (std::size_t m = 0; m < mechanism_count; ++m) {
    const MechanismSpec& spec = mechanism_spec(static_cast<Mechanism>(m));
    shared_names.push_back(std::string(spec.id) + " universal");
    sigmas.push_back(spec.universal_sigma);
  }
  for (const MechanismPoint& point : points) {
    if (system_index.emplace(point.system, static_cast<int>(locals.size())).second) {
      locals.emplace_back();
      for (std::size_t m = 0; m < mechanism_count; ++m) {
        locals.back().add_row(static_cast<int>(m));
      }
    }
    Local& local = locals[static_cast<std::size_t>(system_index.at(point.system))];
    for (std::size_t m = 0; m < mechanism_count; ++m) {
      const std::string name = scope_name(m, point.time_case.shape);
      const auto [place, fresh] = scope_index.emplace(name, static_cast<int>(shared_names.size()));
      local.add_row(place->second);
      if (!fresh) continue;
      shared_names.push_back(name);
      sigmas.push_back(mechanism_spec(static_cast<Mechanism>(m)).scope_sigma);
    }
  }
  const auto count = static_cast<Eigen::Index>(shared_names.size());
  shared = Vector::Zero(count);
  shared_information.resize(count);
  for (Eigen::Index i = 0; i < count; ++i) {
    const double sigma = sigmas[static_cast<std::size_t>(i)];
    shared_information[i] = 1 / (sigma * sigma);
  }
  covariance = shared_information.cwiseInverse().asDiagonal();
  for (Local& local : locals) {
    local.coupling = Matrix::Zero(static_cast<Eigen::Index>(local.rows.size()), mechanism_count);
  }
}

MechanismFit::State::Prepared MechanismFit::State::prepare(const MechanismPoint& point) const {
  Prepared prepared{mechanism_priors(point.time_case.shape), {}, {}, -1};
  const auto found = system_index.find(point.system);
  if (found != system_index.end()) prepared.system = found->second;
  for (std::size_t m = 0; m < mechanism_count; ++m) {
    prepared.scope[m] = scope_place(m, point.time_case.shape);
    prepared.row[m] = -1;
    if (prepared.system < 0) continue;
    const Local& local = locals[static_cast<std::size_t>(prepared.system)];
    const auto row = local.row_index.find(prepared.scope[m]);
    if (row != local.row_index.end()) prepared.row[m] = row->second;
  }
  return prepared;
}

MechanismValues MechanismFit::State::values(const Prepared& prepared) const {
  MechanismValues result = prepared.prior;
  for (std::size_t m = 0; m < mechanism_count; ++m) {
    double effect = shared[static_cast<Eigen::Index>(m)];
    if (prepared.scope[m] >= 0) effect += shared[prepared.scope[m]];
    if (prepared.system >= 0) {
      effect +=
          locals[static_cast<std::size_t>(prepared.system)].effect[static_cast<Eigen::Index>(m)];
    }
    result[m] *= std::exp(effect);
  }
  return result;
}

namespace {

double system_information(std::size_t m) {
  const double sigma = mechanism_spec(static_cast<Mechanism>(m)).system_sigma;
  return 1 / (sigma * sigma);
}

}  // namespace

double MechanismFit::State::objective(const std::vector<MechanismPoint>& points,
                                      const std::vector<Prepared>& prepared) const {
  double sum = shared.cwiseAbs2().dot(shared_information) / 2;
  for (const Local& local : locals) {
    for (std::size_t m = 0; m < mechanism_count; ++m) {
      const double effect = local.effect[static_cast<Eigen::Index>(m)];
      sum += effect * effect * system_information(m) / 2;
    }
  }
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double time = time_us(points[i].time_case, points[i].choice, values(prepared[i]));
    const double residual = (std::log(time) - points[i].log_time) / points[i].sigma;
    sum += (degrees_of_freedom + 1) / 2 * std::log1p(residual * residual / degrees_of_freedom);
  }
  return sum;
}

void MechanismFit::State::linearize(const std::vector<MechanismPoint>& points,
                                    const std::vector<Prepared>& prepared, Matrix& information,
                                    Vector& gradient) {
  information = shared_information.asDiagonal();
  gradient = -shared_information.cwiseProduct(shared);
  for (Local& local : locals) {
    local.information.setZero();
    local.coupling.setZero();
    local.gradient.resize(mechanism_count);
    for (std::size_t m = 0; m < mechanism_count; ++m) {
      const auto at = static_cast<Eigen::Index>(m);
      local.information(at, at) = system_information(m);
      local.gradient[at] = -system_information(m) * local.effect[at];
    }
  }
  for (std::size_t i = 0; i < points.size(); ++i) {
    const MechanismValues at = values(prepared[i]);
    MechanismSet used = 0;
    const double time = time_us(points[i].time_case, points[i].choice, at, &used);
    const Sensitivities slope =
        sensitivities(points[i].time_case, points[i].choice, at, time, used);
    const double sigma = points[i].sigma;
    const double residual = std::log(time) - points[i].log_time;
    const double scaled = residual / sigma;
    const double weight =
        (degrees_of_freedom + 1) / (degrees_of_freedom + scaled * scaled) / (sigma * sigma);
    Local& local = locals[static_cast<std::size_t>(prepared[i].system)];
    for (std::size_t a = 0; a < mechanism_count; ++a) {
      if (slope[a] == 0) continue;
      const auto ma = static_cast<Eigen::Index>(a);
      const std::array<Eigen::Index, 2> rows{ma, prepared[i].scope[a]};
      for (const Eigen::Index row : rows) gradient[row] -= weight * slope[a] * residual;
      local.gradient[ma] -= weight * slope[a] * residual;
      for (std::size_t b = 0; b < mechanism_count; ++b) {
        if (slope[b] == 0) continue;
        const auto mb = static_cast<Eigen::Index>(b);
        const double product = weight * slope[a] * slope[b];
        const std::array<Eigen::Index, 2> columns{mb, prepared[i].scope[b]};
        for (const Eigen::Index row : rows) {
          for (const Eigen::Index column : columns) information(row, column) += product;
        }
        local.coupling(ma, mb) += product;
        local.coupling(prepared[i].row[a], mb) += product;
        local.information(ma, mb) += product;
      }
    }
  }
}

void MechanismFit::State::eliminate(Matrix& information, Vector& gradient) const {
  for (const Local& local : locals) {
    const Eigen::LLT<Matrix> factor(local.information);
    const Matrix lost = local.coupling * factor.solve(local.coupling.transpose());
    const Vector moved = local.coupling * factor.solve(local.gradient);
    const auto count = static_cast<Eigen::Index>(local.rows.size());
    for (Eigen::Index i = 0; i < count; ++i) {
      const int row = local.rows[static_cast<std::size_t>(i)];
      gradient[row] -= moved[i];
      for (Eigen::Index j = 0; j < count; ++j) {
        information(row, local.rows[static_cast<std::size_t>(j)]) -= lost(i, j);
      }
    }
  }
}

double MechanismFit::State::step(const std::vector<MechanismPoint>& points,
                                 const std::vector<Prepared>& prepared) {
  Matrix information;
  Vector gradient;
  linearize(points, prepared, information, gradient);
  eliminate(information, gradient);
  const Vector change = information.llt().solve(gradient);
  std::vector<Vector> old_effect, local_change;
  for (const Local& local : locals) {
    Vector seen(static_cast<Eigen::Index>(local.rows.size()));
    for (std::size_t i = 0; i < local.rows.size(); ++i) {
      seen[static_cast<Eigen::Index>(i)] = change[local.rows[i]];
    }
    local_change.push_back(
        local.information.llt().solve(local.gradient - local.coupling.transpose() * seen));
    old_effect.push_back(local.effect);
  }
  const double before = objective(points, prepared);
  const Vector old_shared = shared;
  for (double part = 1; part > 1e-3; part /= 2) {
    double largest = part * change.cwiseAbs().maxCoeff();
    shared = old_shared + part * change;
    for (std::size_t s = 0; s < locals.size(); ++s) {
      locals[s].effect = old_effect[s] + part * local_change[s];
      largest = std::max(largest, part * local_change[s].cwiseAbs().maxCoeff());
    }
    if (objective(points, prepared) <= before) return largest;
  }
  shared = old_shared;
  for (std::size_t s = 0; s < locals.size(); ++s) locals[s].effect = old_effect[s];
  return 0;
}

void MechanismFit::State::start_from(const State& other) {
  for (std::size_t i = 0; i < shared_names.size(); ++i) {
    const auto at = static_cast<Eigen::Index>(i);
    if (i < mechanism_count) {
      shared[at] = other.shared[at];
      continue;
    }
    const auto found = other.scope_index.find(shared_names[i]);
    if (found != other.scope_index.end()) shared[at] = other.shared[found->second];
  }
  for (const auto& [name, at] : system_index) {
    const auto found = other.system_index.find(name);
    if (found == other.system_index.end()) continue;
    locals[static_cast<std::size_t>(at)].effect =
        other.locals[static_cast<std::size_t>(found->second)].effect;
  }
}

MechanismFit::MechanismFit(const std::vector<MechanismPoint>& points, const MechanismFit* start)
    : state_(std::make_unique<State>()) {
  state_->enumerate(points);
  if (start != nullptr) state_->start_from(*start->state_);
  if (points.empty()) return;
  std::vector<State::Prepared> prepared;
  prepared.reserve(points.size());
  for (const MechanismPoint& point : points) prepared.push_back(state_->prepare(point));
  for (int i = 0; i < max_steps && state_->step(points, prepared) > small_step; ++i) {
  }
  Matrix information;
  Vector gradient;
  state_->linearize(points, prepared, information, gradient);
  state_->eliminate(information, gradient);
  state_->covariance =
      information.llt().solve(Matrix::Identity(information.rows(), information.cols()));
}

MechanismFit::~MechanismFit() = default;
MechanismFit::MechanismFit(MechanismFit&&) noexcept = default;

MechanismValues MechanismFit::values(const TimeShape& shape, const std::string& system) const {
  MechanismPoint point;
  point.time_case.shape = shape;
  point.system = system;
  return state_->values(state_->prepare(point));
}

PointPrediction MechanismFit::predict(const TimeCase& time_case, const TimeChoice& choice,
                                      const std::string& system) const {
  MechanismPoint point{time_case, choice, system, 0, 0};
  const State::Prepared prepared = state_->prepare(point);
  const MechanismValues at = state_->values(prepared);
  PointPrediction prediction;
  MechanismSet used = 0;
  prediction.time_us = time_us(time_case, choice, at, &used);
  const Sensitivities slope = sensitivities(time_case, choice, at, prediction.time_us, used);
  Vector shared_slope = Vector::Zero(state_->shared.size()), local_slope(mechanism_count);
  double unseen = 0;  // variance of a scope that no point has
  for (std::size_t m = 0; m < mechanism_count; ++m) {
    const auto row = static_cast<Eigen::Index>(m);
    local_slope[row] = slope[m];
    shared_slope[row] += slope[m];
    const double sigma = mechanism_spec(static_cast<Mechanism>(m)).scope_sigma;
    if (prepared.scope[m] >= 0) {
      shared_slope[prepared.scope[m]] += slope[m];
    } else {
      unseen += slope[m] * slope[m] * sigma * sigma;
    }
  }
  double variance = unseen;
  if (prepared.system >= 0) {
    const State::Local& local = state_->locals[static_cast<std::size_t>(prepared.system)];
    const Vector solved = local.information.llt().solve(local_slope);
    variance += local_slope.dot(solved);
    const Vector moved = local.coupling * solved;
    for (std::size_t i = 0; i < local.rows.size(); ++i) {
      shared_slope[local.rows[i]] -= moved[static_cast<Eigen::Index>(i)];
    }
  } else {
    for (std::size_t m = 0; m < mechanism_count; ++m) {
      variance += slope[m] * slope[m] / system_information(m);
    }
  }
  variance += shared_slope.dot(state_->covariance * shared_slope);
  prediction.sigma = std::sqrt(variance);
  return prediction;
}

std::vector<EffectReport> MechanismFit::effects() const {
  std::vector<EffectReport> reports;
  for (std::size_t i = 0; i < state_->shared_names.size(); ++i) {
    const auto at = static_cast<Eigen::Index>(i);
    const double prior = 1 / std::sqrt(state_->shared_information[at]);
    const double posterior = std::sqrt(state_->covariance(at, at));
    const std::string& name = state_->shared_names[i];
    const auto space = name.find(' ');
    reports.push_back(
        {name.substr(0, space), name.substr(space + 1), state_->shared[at], prior, posterior});
  }
  for (const auto& [name, place] : state_->system_index) {
    const State::Local& local = state_->locals[static_cast<std::size_t>(place)];
    const Matrix inverse =
        local.information.llt().solve(Matrix::Identity(mechanism_count, mechanism_count));
    for (std::size_t m = 0; m < mechanism_count; ++m) {
      const auto at = static_cast<Eigen::Index>(m);
      const MechanismSpec& spec = mechanism_spec(static_cast<Mechanism>(m));
      reports.push_back({std::string(spec.id), "system " + name, local.effect[at],
                         spec.system_sigma, std::sqrt(inverse(at, at))});
    }
  }
  return reports;
}

}  // namespace fabricast
