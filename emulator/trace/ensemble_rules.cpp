#include "emulator/trace/ensemble_rules.hpp"

namespace fabricast {

TableRule ensemble_rule() {
  using enum ColumnType;
  return {
      "/ensemble",
      "Quantiles of a result under jitter, with 90 % intervals from order statistics",
      {{"result", integer, "1", "row of /results"},
       {"members", integer, "1", "runs drawn"},
       {"mean_us", real, "us", "mean time"},
       {"p50_us", real, "us", "median"},
       {"p50_low_us", real, "us", "lower end of its interval; 0: not bounded by so few members"},
       {"p50_high_us", real, "us", "upper end; 0: not bounded"},
       {"p95_us", real, "us", "95th percentile"},
       {"p95_low_us", real, "us", "lower end of its interval; 0: not bounded"},
       {"p95_high_us", real, "us", "upper end; 0: not bounded"},
       {"p99_us", real, "us", "99th percentile"},
       {"p99_low_us", real, "us", "lower end of its interval; 0: not bounded"},
       {"p99_high_us", real, "us", "upper end; 0: not bounded"}},
      {"/results", "/ensemble_members"}};
}

TableRule ensemble_members_rule() {
  using enum ColumnType;
  return {"/ensemble_members",
          "The time of every run drawn under jitter",
          {{"result", integer, "1", "row of /results"},
           {"member", integer, "1", "number of the run, from 0"},
           {"time_ps", integer, "ps", "its time"}},
          {"/results", "/ensemble"}};
}

}  // namespace fabricast
