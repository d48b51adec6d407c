#include "emulator/validate/form_error.hpp"

#include <algorithm>
#include <cmath>

#include "emulator/base/normal.hpp"
#include "emulator/base/units.hpp"

namespace fabricast {
namespace {

constexpr std::size_t enough_points = 30;

// Latency, its overlap with bytes, bytes.
int regime_of(const TimeCase& time_case) {
  if (time_case.bytes <= bytes_per_mib) return 0;
  return time_case.bytes < 32 * bytes_per_mib ? 1 : 2;
}

double spread_of(std::vector<double>& residuals) {
  const std::size_t at = residuals.size() * 9 / 10;
  const auto place = residuals.begin() + static_cast<std::ptrdiff_t>(at);
  std::nth_element(residuals.begin(), place, residuals.end());
  return *place / two_sided_90;
}

}  // namespace

FormError::FormError(const MechanismFit& fit, const std::vector<MechanismPoint>& fitted) {
  std::map<std::pair<int, int>, std::vector<double>> by_network;
  std::map<int, std::vector<double>> by_regime;
  for (const MechanismPoint& point : fitted) {
    const MechanismValues values = fit.values(point.time_case.shape, point.system);
    const double time = time_us(point.time_case, point.choice, values);
    const double residual = std::abs(std::log(time) - point.log_time);
    const int network = static_cast<int>(point.time_case.shape.network);
    const int regime = regime_of(point.time_case);
    by_network[{network, regime}].push_back(residual);
    by_regime[regime].push_back(residual);
  }
  for (auto& [key, residuals] : by_network) {
    if (residuals.size() >= enough_points) by_network_[key] = spread_of(residuals);
  }
  for (auto& [regime, residuals] : by_regime) by_regime_[regime] = spread_of(residuals);
}

double FormError::spread(const TimeCase& time_case) const {
  const int regime = regime_of(time_case);
  const auto own = by_network_.find({static_cast<int>(time_case.shape.network), regime});
  if (own != by_network_.end()) return own->second;
  const auto all = by_regime_.find(regime);
  return all != by_regime_.end() ? all->second : 0;
}

}  // namespace fabricast
