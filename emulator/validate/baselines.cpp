#include "emulator/validate/baselines.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace fabricast {
namespace {

// ln(time) at ln(bytes) between two points, or along the line through them.
double along(double x, double x0, double y0, double x1, double y1) {
  return x1 == x0 ? y0 : y0 + (y1 - y0) * (x - x0) / (x1 - x0);
}

// ln(busbw) of a table at a size inside its range, interpolated.
std::optional<double> log_rate(const PublishedTable& table, double bytes) {
  const auto& points = table.points;
  if (points.empty() || bytes < points.front().bytes * 0.999 ||
      bytes > points.back().bytes * 1.001) {
    return std::nullopt;
  }
  const double factor = busbw_factor(table.collective, table.ranks);
  const auto rate = [&](const PublishedPoint& point) {
    return std::log(point.bytes * factor / point.time_us);
  };
  std::size_t next = 0;
  while (next + 1 < points.size() && points[next].bytes < bytes) ++next;
  if (next == 0) return rate(points[0]);
  return along(std::log(bytes), std::log(points[next - 1].bytes), rate(points[next - 1]),
               std::log(points[next].bytes), rate(points[next]));
}

void set_from_log_rate(JudgedPoint& point, double factor, double log_rate) {
  point.baseline_us = point.bytes * factor / std::exp(log_rate);
}

}  // namespace

void add_interpolation_baseline(JudgedTable& judged) {
  auto& points = judged.points;
  if (points.size() < 3) return;
  for (std::size_t i = 0; i < points.size(); ++i) {
    std::size_t a = i == 0 ? 1 : i - 1, b = i + 1;
    if (i == 0) b = 2;
    if (i + 1 == points.size()) {
      a = i - 2;
      b = i - 1;
    }
    points[i].baseline_us = std::exp(
        along(std::log(points[i].bytes), std::log(points[a].bytes), std::log(points[a].measured_us),
              std::log(points[b].bytes), std::log(points[b].measured_us)));
  }
}

void add_constant_rate_baseline(const Validation& validation, JudgedTable& judged,
                                const std::vector<std::size_t>& known) {
  const PublishedTable& table = validation.tables[judged.table];
  const double factor = busbw_factor(table.collective, table.ranks);
  for (JudgedPoint& point : judged.points) {
    int ranks = 0;
    for (const std::size_t other_at : known) {
      const PublishedTable& other = validation.tables[other_at];
      if (other.column("system") != table.column("system") || other.ranks < ranks ||
          other.collective != table.collective || validation.machines[other_at].shape.nodes < 2) {
        continue;
      }
      const auto rate = log_rate(other, point.bytes);
      if (!rate) continue;
      ranks = other.ranks;
      set_from_log_rate(point, factor, *rate);
    }
  }
}

void add_class_mean_baseline(const Validation& validation, JudgedTable& judged,
                             const std::vector<std::size_t>& known) {
  const PublishedTable& table = validation.tables[judged.table];
  const double factor = busbw_factor(table.collective, table.ranks);
  for (JudgedPoint& point : judged.points) {
    double sum = 0, count = 0;
    for (const std::size_t other_at : known) {
      const PublishedTable& other = validation.tables[other_at];
      if (other.column("system_class") != table.column("system_class") ||
          other.collective != table.collective) {
        continue;
      }
      const auto rate = log_rate(other, point.bytes);
      if (!rate) continue;
      sum += *rate;
      ++count;
    }
    if (count > 0) set_from_log_rate(point, factor, sum / count);
  }
}

void add_nominal_rate_baseline(const Validation& validation, JudgedTable& judged) {
  const PublishedTable& table = validation.tables[judged.table];
  const TimeShape& shape = validation.machines[judged.table].shape;
  double rate = shape.link_gbps;
  if (shape.nodes > 1) {
    rate = shape.ranks_per_node() > 1 ? std::min(rate, shape.nic_gbps) : shape.nic_gbps;
  }
  const double factor = busbw_factor(table.collective, table.ranks);
  for (JudgedPoint& point : judged.points) {
    point.baseline_us = point.bytes * factor / (rate * 1e3);
  }
}

}  // namespace fabricast
