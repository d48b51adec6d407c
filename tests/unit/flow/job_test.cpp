#include <gtest/gtest.h>

#include <algorithm>

#include "emulator/base/counter_rng.hpp"
#include "emulator/base/error.hpp"
#include "emulator/flow/job_file.hpp"
#include "emulator/flow/job_run.hpp"
#include "emulator/flow/link_names.hpp"
#include "tests/unit/topologies/example_machines.hpp"
#include "topologies/model/machine_file.hpp"
#include "topologies/model/rank_selection.hpp"

namespace fabricast {
namespace {

// 16 boxes of two GPUs and two NICs on two rails, leaves of few ports, half the uplinks.
std::shared_ptr<const Topology> machine() {
  return parse_machine(tree_yaml({16, 2, 2, 2, 2, 12, 2, 1}), "tree");
}

// Jobs of a file on the priors of the machine.
struct Prepared {
  std::vector<std::shared_ptr<const Topology>> selections;
  std::vector<CollectiveCase> cases;
  std::vector<PreparedJob> jobs;
  LinkRates rates;
};

Prepared prepare(const JobFile& file, const std::shared_ptr<const Topology>& topology) {
  const auto values = values_of(prior_profile(*topology, ExecutorKind::nccl));
  Prepared prepared;
  prepared.cases.reserve(file.jobs.size());
  for (const FlowJob& job : file.jobs) {
    PointSpec point;
    point.collective = job.collective;
    point.algorithm = job.algorithm;
    point.bytes = job.bytes;
    point.channels = job.channels;
    prepared.selections.push_back(std::make_shared<const RankSelection>(topology, job.ranks));
    prepared.cases.push_back(build_case(*prepared.selections.back(), values, point));
    const auto& made = prepared.cases.back();
    prepared.rates = link_rates(*topology, values, point, made.plan);
    prepared.jobs.push_back({point, &made, job.ranks, job.start_ps});
  }
  return prepared;
}

JobRun run(const std::string& yaml, std::vector<std::size_t> order = {}) {
  const auto topology = machine();
  const JobFile file = parse_job_file(yaml, "jobs.yaml", topology);
  const Prepared prepared = prepare(file, topology);
  const FlowNetwork network(topology, file.choice.routing, file.choice.seed, prepared.rates.usable);
  std::vector<PreparedJob> jobs;
  for (std::size_t i = 0; i < prepared.jobs.size(); ++i) {
    jobs.push_back(prepared.jobs[order.empty() ? i : order[i]]);
  }
  return run_jobs(network, prepared.rates.nominal, jobs,
                  capacity_changes(file.faults, network.capacities()));
}

std::string job(const std::string& name, const std::string& collective,
                const std::string& algorithm, const std::string& rest, int channels = 1) {
  return "  - {name: " + name + ", collective: " + collective + ", algorithm: " + algorithm +
         ", protocol: simple, channels: " + std::to_string(channels) + ", " + rest + "}\n";
}

double slow_down(const JobTime& time) {
  return static_cast<double>(time.beside.value()) / static_cast<double>(time.alone.value());
}

TEST(Jobs, a_job_that_shares_no_link_takes_as_long_as_alone) {
  const JobRun done = run("jobs:\n" + job("a", "all_reduce", "ring", "bytes: 4M, ranks: [0-1]") +
                          job("b", "all_reduce", "ring", "bytes: 4M, ranks: [2-3]"));
  EXPECT_EQ(done.jobs[0].beside, done.jobs[0].alone);
  EXPECT_EQ(done.jobs[1].beside, done.jobs[1].alone);
  EXPECT_EQ(done.jobs[0].busiest.front().jobs, 1);
}

// Two groups of the same GPUs halve each other's NICs; one that comes later leaves the first be.
TEST(Jobs, groups_on_one_nic_share_it_while_both_run) {
  const std::string send = "bytes: 64M, ranks: [0, 4]";
  const JobRun both = run("jobs:\n" + job("a", "send_recv", "direct", send, 8) +
                          job("b", "send_recv", "direct", send, 8));
  for (const JobTime& time : both.jobs) {
    EXPECT_NEAR(slow_down(time), 2, 0.05);
    EXPECT_EQ(time.busiest.front().jobs, 2);
    EXPECT_LE(time.busiest.front().utilization, 1);
  }
  const JobRun later = run("jobs:\n" + job("a", "send_recv", "direct", send, 8) +
                           job("b", "send_recv", "direct", send + ", start: 1 s", 8));
  EXPECT_EQ(later.jobs[0].beside, later.jobs[0].alone);
  EXPECT_EQ(later.jobs[1].beside, both.jobs[1].alone);
}

// Fifteen send to one: its NIC is the limit, and its share of the time is what they sent.
TEST(Jobs, incast_is_bound_by_the_receivers_link) {
  const JobRun done = run(
      "jobs:\n" +
      job("in", "gather", "direct",
          "bytes: 256M, ranks: [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30]", 16));
  const BusyLink& busiest = done.jobs[0].busiest.front();
  EXPECT_EQ(busiest.wire_bytes, 15 * (std::int64_t{16} << 20));
  EXPECT_GT(busiest.utilization, 0.6);
}

TEST(Jobs, a_nic_that_fails_recovers_or_degrades_on_the_way_costs_that_long) {
  const std::string jobs =
      "jobs:\n" + job("a", "send_recv", "direct", "bytes: 64M, ranks: [0, 4]", 8);
  const auto time = [&](const std::string& faults) {
    return run(jobs + faults).jobs[0].alone.value();
  };
  const std::int64_t whole = time("");
  const std::int64_t out = time(
      "faults:\n  - {nic: 0, at: 100 us, capacity: 0}\n  - {nic: 0, at: 300 us, capacity: 1}\n");
  EXPECT_NEAR(static_cast<double>(out - whole), 200e6, 2e6);  // it waited
  const std::int64_t half = time("faults:\n  - {nic: 0, at: 0 us, capacity: 0.5}\n");
  EXPECT_NEAR(static_cast<double>(half) / static_cast<double>(whole), 2, 0.05);
  EXPECT_EQ(time("faults:\n  - {nic: 0, at: 1 s, capacity: 0}\n"), whole);
  try {
    time("faults:\n  - {nic: 0, at: 100 us, capacity: 0}\n");
    FAIL() << "flows that wait for ever";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("nic"), std::string::npos) << error.what();
  }
}

// A failed uplink: hashed flows take another one, sprayed ones a smaller trunk.
TEST(Jobs, a_dead_uplink_is_gone_round) {
  const auto topology = machine();
  const LinkNames names(topology, Routing::ecmp);
  const FlowNetwork network(topology, Routing::ecmp, 3);
  const std::string uplink = network.link_name(network.links() - 1);
  const std::string jobs = "routing: ecmp\nseed: 3\njobs:\n" +
                           job("a", "all_to_all", "pairwise", "bytes: 16M, gpus: 32");
  const std::string fault = "faults:\n  - {link: \"" + uplink + "\", at: 50 us, capacity: 0}\n";
  EXPECT_GT(run(jobs + fault).jobs[0].alone, run(jobs).jobs[0].alone);
  EXPECT_EQ(names.named(uplink).size(), 1u);
  EXPECT_GT(names.named(topology->link_name(network.origin(network.links() - 1))).size(), 1u);
}

TEST(Jobs, placements_say_where_ranks_are) {
  const auto topology = machine();
  const auto ranks = [&](const std::string& placement) {
    const JobFile file = parse_job_file("placement: " + placement + "\nseed: 5\njobs:\n" +
                                            job("a", "all_reduce", "ring", "bytes: 1M, gpus: 16"),
                                        "jobs.yaml", topology);
    return file.jobs[0].ranks;
  };
  const auto domains = [&](const std::string& placement) {
    return RankSelection(topology, ranks(placement)).domains_touched();
  };
  EXPECT_EQ(domains("packed"), 8);
  EXPECT_EQ(domains("spread"), 16);
  EXPECT_EQ(RankSelection(topology, ranks("packed")).space(), (RankSpace{2, 8}));
  EXPECT_EQ(RankSelection(topology, ranks("spread")).space(), (RankSpace{1, 16}));
  for (const RankId rank : ranks("rail_aligned")) EXPECT_EQ(rank.value() % 2, 0u);
  EXPECT_NE(ranks("random"), ranks("packed"));
}

// Whatever the jobs: bytes are conserved, no link is above its capacity, nobody ends before his
// bytes could have arrived, and the order in which jobs are listed decides nothing.
TEST(Jobs, random_ones_keep_the_laws) {
  const char* const routings[] = {"spray", "ecmp", "dmodk", "rail"};
  const char* const placements[] = {"packed", "spread", "random", "rail_aligned"};
  const char* const kinds[][2] = {{"all_reduce", "ring"}, {"all_to_all", "pairwise"},
                                  {"gather", "direct"},   {"all_reduce", "tree"},
                                  {"all_gather", "ring"}, {"reduce_scatter", "ring"}};
  for (std::uint64_t seed = 0; seed < 16; ++seed) {
    std::string text = std::string("routing: ") + routings[seed % 4] +
                       "\nseed: " + std::to_string(seed) + "\nplacement: " + placements[seed / 4] +
                       "\njobs:\n";
    for (std::uint64_t j = 0; j < 2; ++j) {
      const auto& kind = kinds[random_int(seed, 1, j, 0, 5)];
      text += job("j" + std::to_string(j), kind[0], kind[1],
                  "gpus: 16, bytes: " + std::to_string(random_int(seed, 2, j, 1, 64) * 65536) +
                      ", start: " + std::to_string(random_int(seed, 3, j, 0, 50)) + " us");
    }
    const JobRun done = run(text);
    for (const JobTime& time : done.jobs) {
      EXPECT_GE(time.beside, bound_of(time.loads)) << text;
      EXPECT_GE(time.alone, bound_of(time.loads)) << text;
      for (const BusyLink& link : time.busiest) EXPECT_LE(link.utilization, 1 + 1e-12) << text;
    }
    const JobRun other = run(text, {1, 0});
    EXPECT_EQ(other.jobs[1].beside, done.jobs[0].beside) << text;
    EXPECT_EQ(other.jobs[0].beside, done.jobs[1].beside) << text;
    EXPECT_EQ(other.stats.events, done.stats.events);
    EXPECT_EQ(done.stats.flows, done.jobs[0].flows + done.jobs[1].flows);
  }
}

TEST(Jobs, mistakes_are_told_with_line_and_key) {
  const auto topology = machine();
  const std::string good = job("a", "all_reduce", "ring", "bytes: 1M, gpus: 4");
  const std::pair<std::string, std::string> cases[] = {
      {"jobs: []\n", "jobs.yaml:1:7: jobs: 0 jobs"},
      {"routing: random\njobs:\n" + good, "jobs.yaml:1:10: routing: "},
      {"jobs:\n" + good + good, "jobs.yaml:3:12: jobs[1].name: two jobs"},
      {"jobs:\n" + job("a", "all_reduce", "ringg", "bytes: 1M, gpus: 4"), "jobs[0].algorithm: "},
      {"jobs:\n" + job("a", "all_reduce", "ring", "bytes: 1X, gpus: 4"), "jobs[0].bytes: "},
      {"jobs:\n" + job("a", "all_reduce", "ring", "bytes: 1M"), "either `gpus`"},
      {"jobs:\n" + job("a", "all_reduce", "ring", "bytes: 1M, gpus: 400"), "jobs[0].gpus: "},
      {"jobs:\n" + job("a", "all_reduce", "ring", "bytes: 1M, ranks: [0, 32]"),
       "rank 32 is not there"},
      {"jobs:\n" + job("a", "all_reduce", "ring", "bytes: 1M, ranks: [0-3, 2]"), "listed twice"},
      {"jobs:\n" + job("a", "all_reduce", "ring", "bytes: 1M, gpus: 4, prio: 1"), "prio"},
      {"jobs:\n" + good + "faults:\n  - {link: x, at: 0 us, capacity: 0}\n",
       "jobs.yaml:4:12: faults[0].link: "},
      {"jobs:\n" + good + "faults:\n  - {nic: 0, at: 0 us, capacity: 2}\n", "faults[0].capacity: "},
      {"jobs:\n" + good + good.substr(0, 0) + "placement: packd\n", "placement: "},
  };
  for (const auto& [text, message] : cases) {
    try {
      parse_job_file(text, "jobs.yaml", topology);
      ADD_FAILURE() << "accepted: " << text;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find(message), std::string::npos)
          << text << error.what() << "\nlacks " << message;
    }
  }
}

}  // namespace
}  // namespace fabricast
