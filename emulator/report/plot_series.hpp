// What a plot shows: panels of series, independent of how they are drawn.
#pragma once

#include <string>
#include <vector>

#include "emulator/report/result_rows.hpp"

namespace fabricast {

struct PlotPoint {
  double bytes = 0;
  double busbw = 0, low = 0, high = 0;  // GB/s; low and high from the interval of the time
  double bound = 0;                     // GB/s that bandwidth alone allows; 0: unknown
  std::string protocol;
};

struct PlotSeries {
  std::string algorithm;
  bool measured = false;
  std::vector<PlotPoint> points;  // by size
};

struct PlotPanel {
  std::string collective;
  std::vector<PlotSeries> series;
  std::vector<PlotPoint> bound;  // upper envelope; `busbw` is the bound
};

struct PlotRow {  // one machine
  std::string machine, executor;
  std::int64_t ranks = 0;
  double least_measured_share = 1, largest_measured_share = 0;
  std::vector<PlotPanel> panels;  // one per collective of the whole plot, perhaps without series
};

struct PlotData {
  std::vector<std::string> collectives, algorithms;  // in order of first appearance
  std::vector<PlotRow> rows;
};

// Rows that have no positive bandwidth (a size of 0) cannot be drawn on a log axis: left out.
PlotData plot_data(const std::vector<ResultRow>& rows);

}  // namespace fabricast
