#include "emulator/coordinator/job_tables.hpp"

#include <fmt/format.h>

#include "emulator/trace/table_rows.hpp"

namespace fabricast {

void add_jobs(const JobFile& file, const JobPredictions& jobs, TraceContent& content) {
  TableRows rows("/jobs"), links("/job_links");
  std::size_t next = 0;
  for (std::size_t j = 0; j < file.jobs.size(); ++j) {
    const JobTime& time = jobs.run.jobs[j];
    const FlowJob& job = file.jobs[j];
    rows.set("result", j).set("job", job.name).set("placement", job.placement);
    rows.set("domains", jobs.domains[j]).set("start_ps", job.start_ps);
    rows.set("alone_ps", time.alone.value());
    rows.set("slow_down",
             static_cast<double>(time.beside.value()) / static_cast<double>(time.alone.value()));
    rows.end_row();
    for (const BusyLink& busy : time.busiest) {
      links.set("result", j).set("link", jobs.link_names[next]);
      links.set("link_class", jobs.link_classes[next++]).set("jobs", busy.jobs);
      links.set("wire_bytes", busy.wire_bytes).set("utilization", busy.utilization).end_row();
    }
  }
  content.tables.push_back(rows.take());
  content.tables.push_back(links.take());
}

std::string render_jobs(const TraceContent& content, const std::set<std::int64_t>& shown) {
  const Table *jobs = content.find("/jobs"), *links = content.find("/job_links");
  if (jobs == nullptr || links == nullptr || shown.empty()) return "";
  const Table& results = content.at("/results");
  std::string text = fmt::format(
      "# jobs: time (us) alone and beside the others, and the busiest of the links they use\n"
      "# {:>4} {:<16} {:>12} {:>8} {:>12} {:>12} {:>12} {:>9}  {}\n",
      "row", "job", "placement", "domains", "start", "alone", "beside", "slow-down",
      "busiest link (use, jobs on it)");
  const auto us = [](std::int64_t ps) { return static_cast<double>(ps) / 1e6; };
  for (std::size_t i = 0; i < jobs->rows(); ++i) {
    const auto result = jobs->integers("result")[i];
    if (!shown.contains(result)) continue;
    std::string busiest = "none";
    for (std::size_t l = 0; l < links->rows(); ++l) {
      if (links->integers("result")[l] != result) continue;
      busiest = fmt::format("{} ({:.0f} %, {})", links->texts("link")[l],
                            100 * links->reals("utilization")[l], links->integers("jobs")[l]);
      break;
    }
    text += fmt::format("# {:>4} {:<16} {:>12} {:>8} {:>12.2f} {:>12.2f} {:>12.2f} {:>9.3f}  {}\n",
                        result, jobs->texts("job")[i], jobs->texts("placement")[i],
                        jobs->integers("domains")[i], us(jobs->integers("start_ps")[i]),
                        us(jobs->integers("alone_ps")[i]),
                        us(results.integers("time_ps")[static_cast<std::size_t>(result)]),
                        jobs->reals("slow_down")[i], busiest);
  }
  return text;
}

}  // namespace fabricast
