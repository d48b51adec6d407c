#include "emulator/report/plot_series.hpp"

#include <algorithm>

namespace fabricast {
namespace {

void remember(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

PlotRow& row_of(PlotData& data, const ResultRow& r) {
  for (PlotRow& row : data.rows) {
    if (row.machine == r.machine && row.executor == r.executor && row.ranks == r.ranks) return row;
  }
  data.rows.push_back({r.machine, r.executor, r.ranks, 1, 0, {}});
  return data.rows.back();
}

PlotSeries& series_of(PlotRow& row, const ResultRow& r) {
  auto panel = std::find_if(row.panels.begin(), row.panels.end(),
                            [&](const PlotPanel& p) { return p.collective == r.collective; });
  if (panel == row.panels.end()) {
    row.panels.push_back({r.collective, {}, {}});
    panel = row.panels.end() - 1;
  }
  for (PlotSeries& series : panel->series) {
    if (series.algorithm == r.algorithm && series.measured == r.measured()) return series;
  }
  panel->series.push_back({r.algorithm, r.measured(), {}});
  return panel->series.back();
}

// No bus is slower or faster (GB/s). A trace may say anything, and an axis has to end somewhere.
bool drawable(double busbw) { return busbw >= 1e-15 && busbw <= 1e15; }

PlotPoint point_of(const ResultRow& r) {
  const double work = r.busbw_gbps * r.time_us;  // busbw = work / time
  const double bound = work / r.bound_us;
  return {static_cast<double>(r.bytes), r.busbw_gbps, work / r.high_us, work / r.low_us,
          drawable(bound) ? bound : 0,  r.protocol};
}

// Of several points of one size (protocols, channel counts) the fastest predicted one stays.
void keep_fastest(PlotSeries& series) {
  auto& points = series.points;
  std::stable_sort(points.begin(), points.end(), [](const PlotPoint& a, const PlotPoint& b) {
    return a.bytes != b.bytes ? a.bytes < b.bytes : a.busbw > b.busbw;
  });
  if (series.measured) return;
  points.erase(
      std::unique(points.begin(), points.end(),
                  [](const PlotPoint& a, const PlotPoint& b) { return a.bytes == b.bytes; }),
      points.end());
}

void find_bound(PlotPanel& panel) {
  for (const PlotSeries& series : panel.series) {
    for (const PlotPoint& point : series.points) {
      if (point.bound <= 0) continue;
      auto at = std::find_if(panel.bound.begin(), panel.bound.end(),
                             [&](const PlotPoint& b) { return b.bytes == point.bytes; });
      if (at == panel.bound.end()) {
        panel.bound.push_back({point.bytes, point.bound, 0, 0, 0, ""});
      } else {
        at->busbw = std::max(at->busbw, point.bound);
      }
    }
  }
  std::sort(panel.bound.begin(), panel.bound.end(),
            [](const PlotPoint& a, const PlotPoint& b) { return a.bytes < b.bytes; });
}

}  // namespace

PlotData plot_data(const std::vector<ResultRow>& rows) {
  PlotData data;
  for (const ResultRow& r : rows) {
    const PlotPoint point = point_of(r);
    if (r.bytes <= 0 || !drawable(point.busbw)) continue;
    if (!drawable(point.low) || !drawable(point.high)) continue;
    remember(data.collectives, r.collective);
    remember(data.algorithms, r.algorithm);
    PlotRow& row = row_of(data, r);
    if (!r.measured()) {
      row.least_measured_share = std::min(row.least_measured_share, r.measured_share);
      row.largest_measured_share = std::max(row.largest_measured_share, r.measured_share);
    }
    series_of(row, r).points.push_back(point);
  }
  for (PlotRow& row : data.rows) {
    for (PlotPanel& panel : row.panels) {
      for (PlotSeries& series : panel.series) keep_fastest(series);
      find_bound(panel);
    }
    std::vector<PlotPanel> ordered;
    for (const std::string& collective : data.collectives) {
      const auto found =
          std::find_if(row.panels.begin(), row.panels.end(),
                       [&](const PlotPanel& p) { return p.collective == collective; });
      ordered.push_back(found == row.panels.end() ? PlotPanel{collective, {}, {}} : *found);
    }
    row.panels = std::move(ordered);
  }
  return data;
}

}  // namespace fabricast
