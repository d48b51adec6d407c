#include "emulator/calibrate/fit.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <Eigen/Dense>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

constexpr double longest_step = 1.0;    // of ln theta per iteration
constexpr double smallest_step = 1e-4;  // converged
constexpr double first_damping = 1e-3;
constexpr double largest_damping = 1e6;
constexpr double least_influence = 1e-6;  // elasticity below which a condition says nothing

double huber_cost(double r, double k) {
  const double a = std::abs(r);
  return a <= k ? r * r : 2 * k * a - k * k;
}
double huber_weight(double r, double k) {
  const double a = std::abs(r);
  return a <= k ? 1.0 : k / a;
}

class GaussNewton {
 public:
  GaussNewton(ForwardSet& forwards, const CalibrationProfile& prior,
              const std::vector<Observation>& observations, const CalibrateOptions& options)
      : forwards_(forwards), prior_(prior), options_(options) {
    for (const Observation& seen : observations) {
      if (!seen.held_out) fitted_.push_back(&seen);
    }
    const auto n = static_cast<Eigen::Index>(prior.parameters.size());
    center_.resize(n);
    precision_.resize(n);
    for (Eigen::Index j = 0; j < n; ++j) {
      const Prior& p = prior.parameters[static_cast<std::size_t>(j)].prior;
      center_[j] = std::log(p.value);
      const bool fixed = p.sigma_ln == 0;  // any positive precision keeps its row regular
      fixed_.push_back(fixed);
      precision_[j] = fixed ? 1 : 1 / (p.sigma_ln * p.sigma_ln);
    }
    theta_ = center_;
    noise_.resize(static_cast<Eigen::Index>(fitted_.size()));
    for (std::size_t i = 0; i < fitted_.size(); ++i) {
      noise_[static_cast<Eigen::Index>(i)] = fitted_[i]->sigma;
    }
  }

  void minimize() {
    Eigen::VectorXd residual = residuals(theta_);
    double cost = objective(theta_, residual);
    double damping = first_damping;
    for (int i = 0; i < options_.max_iterations; ++i) {
      linearize();
      const Eigen::VectorXd gradient = gradient_of(residual);
      const Eigen::MatrixXd hessian = hessian_of(residual);
      bool moved = false;
      double length = 0;
      while (!moved && damping <= largest_damping) {
        Eigen::MatrixXd damped = hessian;
        damped.diagonal() *= 1 + damping;
        Eigen::VectorXd step = -damped.ldlt().solve(gradient);
        step = step.cwiseMax(-longest_step).cwiseMin(longest_step);
        const Eigen::VectorXd next = theta_ + step;
        const Eigen::VectorXd next_residual = residuals(next);
        const double next_cost = objective(next, next_residual);
        if (next_cost <= cost) {
          theta_ = next;
          residual = next_residual;
          cost = next_cost;
          length = step.cwiseAbs().maxCoeff();
          damping = std::max(damping / 10, 1e-12);
          moved = true;
        } else {
          damping *= 10;
        }
      }
      if (!moved || length < smallest_step) break;
    }
  }

  // Raises the noise of every condition so that the residuals' robust scale is explained.
  double widen_noise() {
    const double scale = robust_scale();
    double typical = 0;
    for (Eigen::Index i = 0; i < noise_.size(); ++i) typical += noise_[i] * noise_[i];
    typical /= static_cast<double>(std::max<Eigen::Index>(1, noise_.size()));
    const double missing = scale * scale - typical;
    if (missing > 0) noise_ = (noise_.array().square() + missing).sqrt().matrix();
    return scale;
  }

  FitResult result() {
    linearize();
    const Eigen::VectorXd residual = residuals(theta_);
    const auto n = theta_.size();
    const Eigen::MatrixXd covariance =
        hessian_of(residual).ldlt().solve(Eigen::MatrixXd::Identity(n, n));
    FitResult made;
    for (Eigen::Index j = 0; j < n; ++j) {
      made.values.push_back(std::exp(theta_[j]));
      const bool fixed = fixed_[static_cast<std::size_t>(j)];
      made.sigma_ln.push_back(fixed ? 0 : std::sqrt(std::max(0.0, covariance(j, j))));
      for (Eigen::Index k = 0; k < n; ++k) {
        const bool known = fixed || fixed_[static_cast<std::size_t>(k)];
        made.covariance.push_back(known ? 0 : covariance(j, k));
      }
      made.informed_by.push_back(
          static_cast<int>((jacobian_.col(j).array().abs() > least_influence).count()));
    }
    made.residual_scale = robust_scale();
    return made;
  }

 private:
  ParameterValues values_at(const Eigen::VectorXd& theta) const {
    ParameterValues values;
    for (std::size_t j = 0; j < prior_.parameters.size(); ++j) {
      values[prior_.parameters[j].spec.id] = std::exp(theta[static_cast<Eigen::Index>(j)]);
    }
    return values;
  }

  Eigen::Index index_of(const std::string& id) const {
    for (std::size_t j = 0; j < prior_.parameters.size(); ++j) {
      if (prior_.parameters[j].spec.id == id) return static_cast<Eigen::Index>(j);
    }
    return -1;
  }

  // ln predicted - ln observed.
  Eigen::VectorXd residuals(const Eigen::VectorXd& theta) {
    const ParameterValues values = values_at(theta);
    Eigen::VectorXd r(static_cast<Eigen::Index>(fitted_.size()));
    for (std::size_t i = 0; i < fitted_.size(); ++i) {
      const Observation& seen = *fitted_[i];
      const double predicted =
          seen.micro ? std::log(micro_time_us(values, seen.conditions))
          : seen.parameter.empty()
              ? std::log(to_us(forwards_.of(seen.conditions.ranks).time(values, seen.point)))
              : theta[index_of(seen.parameter)];
      r[static_cast<Eigen::Index>(i)] = predicted - seen.ln_value;
    }
    return r;
  }

  void linearize() {
    const ParameterValues values = values_at(theta_);
    jacobian_.setZero(static_cast<Eigen::Index>(fitted_.size()), theta_.size());
    for (std::size_t i = 0; i < fitted_.size(); ++i) {
      const auto row = static_cast<Eigen::Index>(i);
      const Observation& seen = *fitted_[i];
      if (!seen.parameter.empty()) {
        jacobian_(row, index_of(seen.parameter)) = 1;
        continue;
      }
      if (seen.micro) {
        for (const MicroElasticity& e : micro_elasticities(values, seen.conditions)) {
          jacobian_(row, index_of(e.id)) = e.value;
        }
        continue;
      }
      Forward& forward = forwards_.of(seen.conditions.ranks);
      for (const Elasticity& e : forward.elasticities(values, seen.point)) {
        const auto column = index_of(e.id);
        if (!fixed_[static_cast<std::size_t>(column)]) jacobian_(row, column) = e.value;
      }
    }
  }

  double objective(const Eigen::VectorXd& theta, const Eigen::VectorXd& residual) const {
    double cost = 0;
    for (Eigen::Index i = 0; i < residual.size(); ++i) {
      cost += huber_cost(residual[i] / noise_[i], options_.huber);
    }
    return cost + ((theta - center_).array().square() * precision_.array()).sum();
  }

  Eigen::VectorXd weights(const Eigen::VectorXd& residual) const {
    Eigen::VectorXd w(residual.size());
    for (Eigen::Index i = 0; i < residual.size(); ++i) {
      w[i] = huber_weight(residual[i] / noise_[i], options_.huber) / (noise_[i] * noise_[i]);
    }
    return w;
  }

  Eigen::VectorXd gradient_of(const Eigen::VectorXd& residual) const {
    return jacobian_.transpose() * (weights(residual).cwiseProduct(residual)) +
           precision_.cwiseProduct(theta_ - center_);
  }

  Eigen::MatrixXd hessian_of(const Eigen::VectorXd& residual) const {
    Eigen::MatrixXd h = jacobian_.transpose() * weights(residual).asDiagonal() * jacobian_;
    h.diagonal() += precision_;
    return h;
  }

  double robust_scale() {
    const Eigen::VectorXd r = residuals(theta_);
    if (r.size() == 0) return 0;
    std::vector<double> sizes;
    for (Eigen::Index i = 0; i < r.size(); ++i) sizes.push_back(std::abs(r[i]));
    const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
    std::nth_element(sizes.begin(), middle, sizes.end());
    return 1.4826 * *middle;
  }

  ForwardSet& forwards_;
  const CalibrationProfile& prior_;
  const CalibrateOptions& options_;
  std::vector<const Observation*> fitted_;
  Eigen::VectorXd center_, precision_, theta_, noise_;
  std::vector<bool> fixed_;
  Eigen::MatrixXd jacobian_;
};

}  // namespace

FitResult fit(ForwardSet& forwards, const CalibrationProfile& prior,
              std::vector<Observation>& observations, const CalibrateOptions& options) {
  const ParameterValues values = values_of(prior);
  for (Observation& seen : observations) {
    if (seen.parameter.empty()) {
      if (!is_collective(seen)) continue;  // of the device, not of an algorithm
      Forward& forward = forwards.of(seen.conditions.ranks);
      if (seen.choose) {
        resolve_choice(forward, values, options.library, seen);
      } else {
        expect_offered(forward, seen);
      }
      continue;
    }
    const ParameterValue* observed = prior.find(seen.parameter);
    if (observed == nullptr || is_stated(*observed)) {
      throw UsageError(fmt::format(
          "a benchmark observed \"{}\" ({}) leave its samples out", seen.parameter,
          observed == nullptr ? "no parameter of this machine and executor"
                              : "stated by the machine file; its efficiency is what is fitted"));
    }
  }
  GaussNewton solver(forwards, prior, observations, options);
  solver.minimize();
  solver.widen_noise();
  solver.minimize();
  return solver.result();
}

}  // namespace fabricast
