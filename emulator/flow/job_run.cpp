#include "emulator/flow/job_run.hpp"

#include <algorithm>
#include <utility>

#include "emulator/base/contracts.hpp"
#include "emulator/base/thread_seconds.hpp"

namespace fabricast {
namespace {

// One simulation of some of the jobs.
struct Simulated {
  std::vector<JobTime> jobs;  // `beside` is what this run says
  std::vector<std::int64_t> carried;
  std::int64_t last_end_ps = 0;
  FlowStats stats;
  double engine_seconds = 0;
};

Simulated simulate(const FlowNetwork& network, const std::vector<const PreparedJob*>& jobs,
                   const std::vector<CapacityChange>& changes) {
  const double begin = thread_seconds();
  std::vector<FlowProgram> programs;
  std::vector<std::size_t> first;
  for (const PreparedJob* job : jobs) {
    first.push_back(programs.size());
    const auto start = job->start_ps + job->made->launch.value();
    for (auto& program : flow_programs(*job->made, job->point, job->ranks, start)) {
      programs.push_back(std::move(program));
    }
  }
  first.push_back(programs.size());
  ScheduleFlows flows(network, programs);
  FlowSimulator simulator(network.capacities(), changes);
  flows.run(simulator);
  Simulated result;
  result.carried = simulator.carried_bytes();
  for (const PreparedJob* job : jobs) {
    take_off_padding(network, *job->made, job->point, job->ranks, result.carried);
  }
  result.stats = simulator.stats();
  result.stats.state_bytes += flows.state_bytes();
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    const auto& ends = flows.ends();
    const auto begin_of = ends.begin() + static_cast<std::ptrdiff_t>(first[j]);
    const auto end_of = ends.begin() + static_cast<std::ptrdiff_t>(first[j + 1]);
    const auto slowest =
        static_cast<std::size_t>(std::max_element(begin_of, end_of) - ends.begin());
    JobTime time;
    time.beside = SimDuration(ends[slowest] - jobs[j]->start_ps);
    time.stages = flows.stages(slowest);
    for (StageSpan& span : time.stages) {
      span.start_ps -= programs[slowest].start_ps;
      span.end_ps -= programs[slowest].start_ps;
    }
    time.slowest_channel = programs[slowest].channel;
    result.last_end_ps = std::max(result.last_end_ps, ends[slowest]);
    result.jobs.push_back(std::move(time));
  }
  result.engine_seconds = thread_seconds() - begin;
  return result;
}

}  // namespace

JobRun run_jobs(const FlowNetwork& network, const std::vector<Bandwidth>& nominal,
                const std::vector<PreparedJob>& jobs, const std::vector<CapacityChange>& changes) {
  FABRICAST_EXPECT(!jobs.empty(), "jobs to run");
  std::vector<const PreparedJob*> all;
  for (const PreparedJob& job : jobs) all.push_back(&job);
  Simulated together = simulate(network, all, changes);
  JobRun run;
  run.jobs = std::move(together.jobs);
  run.stats = together.stats;
  run.engine_seconds = together.engine_seconds;
  std::vector<std::vector<std::uint32_t>> used(jobs.size());  // links that each job uses alone
  std::vector<std::int32_t> users(network.links(), 0);
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    const Simulated alone = simulate(network, {all[j]}, changes);
    JobTime& time = run.jobs[j];
    time.alone = alone.jobs.front().beside;
    time.loads = carried_loads(network, alone.carried, nominal);
    time.flows = alone.stats.flows;
    time.events = alone.stats.events;
    time.state_bytes = alone.stats.state_bytes;
    time.engine_seconds = alone.engine_seconds;
    for (std::uint32_t link = 0; link < network.links(); ++link) {
      if (alone.carried[link] == 0) continue;
      used[j].push_back(link);
      ++users[link];
    }
  }
  const double seconds = static_cast<double>(together.last_end_ps) * 1e-12;
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    std::vector<BusyLink> links;
    for (const std::uint32_t link : used[j]) {
      const LinkClassId c = network.link_class(link);
      const auto capacity = static_cast<double>(nominal[c.value()].value() / network.parts(c));
      const auto bytes = static_cast<double>(together.carried[link]);
      links.push_back({link, together.carried[link], bytes / (seconds * capacity), users[link]});
    }
    const auto listed = std::min(links.size(), busy_links_listed);
    std::partial_sort(links.begin(), links.begin() + static_cast<std::ptrdiff_t>(listed),
                      links.end(), [](const BusyLink& a, const BusyLink& b) {
                        if (a.utilization != b.utilization) return a.utilization > b.utilization;
                        return a.link < b.link;
                      });
    links.resize(listed);
    run.jobs[j].busiest = std::move(links);
  }
  return run;
}

}  // namespace fabricast
