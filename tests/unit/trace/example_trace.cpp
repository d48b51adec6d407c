#include "tests/unit/trace/example_trace.hpp"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

#include "emulator/trace/table_rows.hpp"

namespace fabricast {
namespace {

struct Case {
  std::string machine, executor, collective, algorithm, protocol;
  int ranks = 0, channels = 0;
  double latency_us = 0, gb_per_s = 0;  // busbw at infinite size
  bool measured = false;
};

double factor(const Case& c) {
  return (c.collective == "all_reduce" ? 2.0 : 1.0) * (c.ranks - 1) / c.ranks;
}

void add_result(TableRows& rows, const Case& c, std::int64_t bytes) {
  const double wire_us = static_cast<double>(bytes) * factor(c) / c.gb_per_s / 1e3;
  const auto ps = static_cast<std::int64_t>((c.latency_us + wire_us) * 1e6);
  const double us = static_cast<double>(ps) / 1e6;
  const double algbw = static_cast<double>(bytes) / us / 1e3;
  rows.set("machine", c.machine).set("executor", c.executor).set("collective", c.collective);
  rows.set("algorithm", c.algorithm).set("protocol", c.protocol).set("channels", c.channels);
  rows.set("ranks", c.ranks).set("bytes", bytes).set("dtype", "float32");
  rows.set("redop", c.collective == "all_reduce" ? "sum" : "none");
  rows.set("time_ps", ps).set("time_us", us);
  rows.set("algbw_gbps", algbw).set("busbw_gbps", algbw * factor(c));
  rows.set("low_us", us / 1.25).set("high_us", us * 1.25).set("interval", "90 %");
  rows.set("label", c.measured ? "measured" : "extrapolated");
  rows.set("evidence_ranks_ratio", c.measured ? 1.0 : c.ranks / 2.0);
  rows.set("evidence_bytes_ratio", 1.0).set("measured_share", c.measured ? 1.0 : 0.0);
  rows.set("limiting_term", wire_us > c.latency_us ? "nvlink bandwidth" : "nvlink latency");
  rows.set("top1_id", "nvlink.bandwidth").set("top1_share", wire_us / us);
  rows.set("top2_id", "nvlink.latency").set("top2_share", c.latency_us / us);
  rows.set("top3_id", "").set("top3_share", 0.0);
  rows.set("bound_us", wire_us * 0.5).set("engine", c.measured ? "measured" : "sweep");
  rows.set("classes", c.measured ? c.ranks : 1).end_row();
}

void add_details(std::int64_t row, const Case& c, TableRows& shares, TableRows& links,
                 TableRows& timeline) {
  if (c.measured) return;
  shares.set("result", row).set("parameter", "nvlink.bandwidth").set("share", 0.75);
  shares.set("origin", "datasheet").end_row();
  shares.set("result", row).set("parameter", "nvlink.latency").set("share", 0.25);
  shares.set("origin", "assumed").end_row();
  links.set("result", row).set("link_class", "nvlink").set("links", 2 * c.ranks);
  links.set("wire_bytes_max", 4096).set("utilization", 0.5).set("capacity_gbps", c.gb_per_s);
  links.end_row();
  timeline.set("result", row).set("channel", 0).set("stage", "reduce-scatter");
  timeline.set("start_ps", 0).set("end_ps", 5).end_row();
}

void add_parameter(TableRows& rows, const char* id, const char* scope, const char* unit,
                   double value, const char* origin, const char* source) {
  rows.set("id", id).set("scope", scope).set("unit", unit).set("executor", "nccl");
  rows.set("prior_value", value).set("prior_sigma_ln", 0.2).set("origin", origin);
  rows.set("machine", "gb300-nvl72").set("prior_origin", origin).set("prior_source", source);
  rows.set("source", source).set("value", value).set("sigma_ln", 0.2).set("identified", "prior");
  rows.set("samples", 0).set("transfer_rule", "").end_row();
}

// Two classes of the first result; three steps of nine.
void add_steps(TraceContent& content) {
  TableRows steps("/steps"), coverage("/step_coverage");
  const auto add = [&](int rank_class, int step, const char* action, int from, int to, int start) {
    steps.set("result", 0).set("channel", 0).set("class", rank_class).set("members", 36);
    steps.set("rank", rank_class).set("role", 0).set("step", step).set("stage", "reduce-scatter");
    steps.set("loop", 0).set("repetition", step).set("slice", 0).set("action", action);
    steps.set("peer_in", from).set("peer_out", to).set("bytes", 16);
    steps.set("bound", step == 0 ? "nothing" : "data").set("start_ps", start);
    steps.set("end_ps", start + 1).set("ready_ps", start + 2).end_row();
  };
  add(0, 0, "send", -1, 1, 0);
  add(0, 1, "recv_reduce_copy_send", 71, 1, 2);
  add(1, 0, "send", -1, 2, 0);
  coverage.set("result", 0).set("channel", 0).set("classes", 2).set("steps", 9).set("rows", 3);
  coverage.set("complete_until_ps", 2).end_row();
  content.tables.push_back(steps.take());
  content.tables.push_back(coverage.take());
}

Table profile() {
  TableRows rows("/profile");
  add_parameter(rows, "nvlink.bandwidth", "link class nvlink", "GB/s", 900, "datasheet",
                "GB300 NVL72 datasheet: 1.8 TB/s per GPU, both directions");
  add_parameter(rows, "nvlink.latency", "link class nvlink", "us", 1.0, "assumed",
                "H100 NVLink hop, carried over");
  rows.set("id", "host.step").set("scope", "host").set("unit", "us").set("executor", "host");
  rows.set("prior_value", 1.0).set("prior_sigma_ln", 1.0).set("origin", "measured");
  rows.set("machine", "this-host").set("prior_origin", "assumed").set("prior_source", "a guess");
  rows.set("source", "suite step_latency").set("value", 0.4).set("sigma_ln", 0.05);
  rows.set("identified", "identified").set("samples", 3).set("transfer_rule", "").end_row();
  return rows.take();
}

void add_samples(TraceContent& content) {
  TableRows conditions("/sample_conditions");
  conditions.set("executor", "host").set("machine", "this-host").set("suite", "step_latency");
  conditions.set("collective", "").set("algorithm", "").set("protocol", "none").set("ranks", 2);
  conditions.set("channels", 1).set("bytes", 8).set("parameter", "host.step").set("unit", "us");
  conditions.set("dtype", "float32").set("in_place", false).set("redop", "");
  conditions.end_row();
  TableRows samples("/samples");
  for (int i = 0; i < 4; ++i) {
    samples.set("condition", 0).set("iteration", i).set("value", 0.4 + 0.01 * i);
    samples.set("discarded", i == 3).end_row();
  }
  content.tables.push_back(conditions.take());
  content.tables.push_back(samples.take());
  TableRows device("/sample_device");
  for (int i = 0; i < 4; ++i) {
    device.set("sm_clock_mhz", 1755).set("memory_clock_mhz", 3201).set("temperature_c", 40 + i);
    device.set("power_w", 250.5).set("throttle", i == 3 ? "sw_thermal" : "");
    device.set("discard", i == 3 ? "throttled" : "none").end_row();
  }
  content.tables.push_back(device.take());
  TableRows environment("/sample_environment");
  environment.set("key", "kernel").set("value", "6.18").end_row();
  content.tables.push_back(environment.take());
  TableRows sources("/sample_sources");
  sources.set("sample", 0).set("file", "log.txt").set("sha256", std::string(64, 'a'));
  sources.set("line", 7).set("description", "nccl-tests 2.13.8").end_row();
  content.tables.push_back(sources.take());
  TableRows holdout("/holdout");
  holdout.set("executor", "host").set("machine", "this-host").set("collective", "all_reduce");
  holdout.set("algorithm", "ring").set("protocol", "none").set("ranks", 2).set("bytes", 4096);
  holdout.set("channels", 1);
  holdout.set("predicted_us", 2.2).set("measured_us", 2.0).set("error_ln", std::log(1.1));
  holdout.set("inside_interval", true).end_row();
  content.tables.push_back(holdout.take());
}

const char* const machine_yaml =
    "name: gb300-nvl72\n"
    "links:\n"
    "  nvlink:\n"
    "    bandwidth: {value: 900 GB/s, origin: datasheet,\n"
    "                source: \"GB300 NVL72 datasheet: 1.8 TB/s per GPU, both directions\"}\n"
    "    latency: {value: 1.0 us, origin: assumed, source: \"H100 NVLink hop, carried over\"}\n";

// The first result under jitter: two runs.
void add_ensemble(TraceContent& content) {
  TableRows ensemble("/ensemble"), members("/ensemble_members");
  ensemble.set("result", 0).set("members", 2).set("mean_us", 1.5);
  ensemble.set("p50_us", 1.0).set("p50_low_us", 0.0).set("p50_high_us", 0.0);
  ensemble.set("p95_us", 2.0).set("p95_low_us", 0.0).set("p95_high_us", 0.0);
  ensemble.set("p99_us", 2.0).set("p99_low_us", 0.0).set("p99_high_us", 0.0).end_row();
  for (int member = 0; member < 2; ++member) {
    members.set("result", 0)
        .set("member", member)
        .set("time_ps", 1'000'000 * (member + 1))
        .end_row();
  }
  content.tables.push_back(ensemble.take());
  content.tables.push_back(members.take());
}

// The first result was a job beside another one.
void add_library_choice(TraceContent& content) {
  TableRows rows("/library_choice");
  rows.set("result", 0).set("library", "NCCL 2.28.9").set("choice", "Ring").set("channels", 24);
  rows.set("threads", 544).set("tuner_us", 120.5).set("closed_us", 130.25).end_row();
  content.tables.push_back(rows.take());
}

void add_jobs(TraceContent& content) {
  TableRows jobs("/jobs"), links("/job_links");
  const auto time = static_cast<double>(content.at("/results").integers("time_ps")[0]);
  jobs.set("result", 0).set("job", "train").set("placement", "packed").set("domains", 1);
  jobs.set("start_ps", 0).set("alone_ps", 100'000'000).set("slow_down", time / 1e8).end_row();
  links.set("result", 0).set("link", "gpu 0 nvlink up").set("link_class", "nvlink").set("jobs", 2);
  links.set("wire_bytes", 4096).set("utilization", 0.25).end_row();
  content.tables.push_back(jobs.take());
  content.tables.push_back(links.take());
}

}  // namespace

TraceContent example_trace() {
  TraceContent content;
  content.attributes = {{"software", "fabricast 0.1.0"},
                        {"software_versions", "HDF5 1.10.8; Open MPI 4.1.4"},
                        {"backend", "host"},
                        {"seed", "1"},
                        {"command_line", "fabricast run -o trace.h5"}};
  content.documents = {{"/config", "machine: gb300-nvl72\nsizes: 1K..1G\n"},
                       {"/host", "load: 0.5\nkernel: µ-kernel 6.18\n"},
                       {"/machine/gb300-nvl72", machine_yaml},
                       {"/machine/gb300-nvl72x140", "name: gb300-nvl72x140\nracks: 140\n"}};
  TableRows results("/results"), shares("/result_shares"), links("/links"), timeline("/timeline");
  const std::vector<Case> cases{
      {"gb300-nvl72", "nccl", "all_reduce", "ring", "simple", 72, 16, 150, 690, false},
      {"gb300-nvl72", "nccl", "all_reduce", "tree", "ll", 72, 16, 20, 300, false},
      {"gb300-nvl72x140", "nccl", "all_reduce", "ring", "simple", 10080, 16, 20000, 360, false},
      {"gb300-nvl72x140", "nccl", "all_reduce", "tree", "ll", 10080, 16, 60, 90, false},
      {"gb300-nvl72", "nccl", "all_gather", "ring", "simple", 72, 16, 75, 680, false},
      {"this-host", "host", "all_reduce", "ring", "none", 2, 1, 1.2, 9, true}};
  for (const Case& c : cases) {
    for (std::int64_t bytes = 1024; bytes <= (1 << 30); bytes *= 32) {
      add_details(static_cast<std::int64_t>(results.rows()), c, shares, links, timeline);
      add_result(results, c, bytes);
    }
  }
  content.tables = {results.take(), shares.take(), links.take(), timeline.take(), profile()};
  add_steps(content);
  add_samples(content);
  add_ensemble(content);
  add_jobs(content);
  add_library_choice(content);
  TableRows evidence("/evidence");
  evidence.set("machine", "gb300-nvl72").set("executor", "nccl");
  evidence.set("sampled_machine", "gb200-nvl72").set("sampled_executor", "nccl");
  evidence.set("collective", "all_reduce").set("algorithm", "ring").set("protocol", "simple");
  evidence.set("channels", 0).set("ranks", 72).set("bytes", 1 << 20).end_row();
  content.tables.push_back(evidence.take());
  TableRows correlations("/profile_correlations");
  correlations.set("machine", "gb300-nvl72").set("executor", "nccl").set("a", "nvlink.bandwidth");
  correlations.set("b", "nvlink.latency").set("correlation", -0.25).end_row();
  content.tables.push_back(correlations.take());
  TableRows classes("/rank_classes");
  classes.set("machine", "gb300-nvl72").set("algorithm", "ring").set("channel", 0).set("class", 0);
  classes.set("members", 72).set("representative", 0).end_row();
  content.tables.push_back(classes.take());
  return content;
}

ScratchDirectory::ScratchDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "fabricast-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no scratch directory");
  path_ = name;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::size_t ScratchDirectory::entries() const {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
}

std::string file_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

void put_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace fabricast
