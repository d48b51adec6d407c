#include "emulator/trace/job_rules.hpp"

namespace fabricast {

TableRule jobs_rule() {
  using enum ColumnType;
  return {
      "/jobs",
      "Jobs that shared the machine, and what the others cost each of them",
      {{"result", integer, "1", "row of /results: the job beside the others"},
       {"job", text, "", "its name"},
       {"placement", text, "", "where its ranks are: packed, spread, random, rail_aligned, ranks"},
       {"domains", integer, "1", "domains of the machine that it has ranks in"},
       {"start_ps", integer, "ps", "when it began"},
       {"alone_ps", integer, "ps", "its time without the others, faults included"},
       {"slow_down", real, "1", "time_ps of the result / alone_ps"}},
      {"/results", "/job_links"}};
}

TableRule job_links_rule() {
  using enum ColumnType;
  return {"/job_links",
          "The busiest links that a job sends over, while all jobs run",
          {{"result", integer, "1", "row of /results"},
           {"link", text, "", "name of the link in the machine"},
           {"link_class", text, "", "name of its class"},
           {"jobs", integer, "1", "jobs that send over it"},
           {"wire_bytes", integer, "B", "bytes of all jobs over it"},
           {"utilization", real, "1",
            "wire_bytes / (capacity x time until the last job ended), at most 1"}},
          {"/results", "/jobs"}};
}

}  // namespace fabricast
