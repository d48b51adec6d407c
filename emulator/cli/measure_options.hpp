// The options of `fabricast measure`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace fabricast {

struct MeasureArguments {
  std::string collective = "all_reduce", algorithm = "all", executor = "auto";
  std::string min = "8", max = "64M", increment, type = "float", op = "sum", machine, output;
  double factor = 2, budget = 0, noise = 0.03, outliers = 0.01;
  std::int32_t iterations = 0, warmup = 1, channels = 0, ranks = 0;
  bool in_place = false, check_only = false, no_check = false, json = false;
  bool force = false, resume = false;
  bool multimem = false;
  bool symmetric = false, graph = false, share_gpus = false, no_estimate = false;
  double deadline = 60;
  bool collective_given = false, op_given = false;
  std::string synthetic, protocol;
  std::vector<std::string> settings;
  std::uint64_t seed = 1;
};

void add_measure_options(CLI::App& command, MeasureArguments& arguments);

}  // namespace fabricast
