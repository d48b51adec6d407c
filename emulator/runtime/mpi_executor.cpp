#include "emulator/runtime/mpi_executor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include "emulator/base/error.hpp"
#include "emulator/base/host_name.hpp"
#include "emulator/runtime/mpi_port.hpp"
#include "emulator/runtime/rank_buffers.hpp"
#include "emulator/runtime/thread_team.hpp"
#include "emulator/runtime/usable_cores.hpp"
#include "kernels/lane/group.hpp"
#include "kernels/lane/interpreter.hpp"

namespace fabricast {
namespace {

// MPI polls cost about 0.1 us each, so this is some 100 us of spinning before the first yield; on
// shared cores the awaited process may need this very core.
constexpr int polls_on_own_core = 1000;
constexpr int polls_on_shared_core = 4;

// Do the processes of every host have a core each? Collective: all processes get the same answer.
Executor::TimingVerdict cores_for_everyone(const Communicator& communicator) {
  std::string mine = this_host();
  const auto quota = cgroup_cores();
  mine += fmt::format(" {}", quota ? *quota : 1e9);
  for (const int cpu : affinity_cpus()) mine += fmt::format(" {}", cpu);
  struct Host {
    std::set<int> cpus;
    double quota = 1e9;
    int processes = 0;
  };
  std::map<std::string, Host> hosts;
  for (const auto& text : communicator.all_gather(mine)) {
    std::istringstream in(text);
    std::string name;
    double process_quota = 1e9;
    in >> name >> process_quota;
    Host& host = hosts[name];
    ++host.processes;
    host.quota = std::min(host.quota, process_quota);
    for (int cpu = 0; in >> cpu;) host.cpus.insert(cpu);
  }
  for (const auto& [name, host] : hosts) {
    const double cores = std::min(static_cast<double>(host.cpus.size()), host.quota);
    if (host.processes > cores) {
      return {false, fmt::format("{} processes on host {} share {:.4g} usable cores; the data are "
                                 "checked, the time would measure the scheduler",
                                 host.processes, name, cores)};
    }
  }
  return {true, ""};
}

class MpiExecutor final : public Executor {
 public:
  MpiExecutor(Communicator communicator, const MpiOptions& options)
      : communicator_(std::move(communicator)),
        options_(options),
        timing_(cores_for_everyone(communicator_)) {}

  std::string name() const override { return "mpi"; }
  std::string description() const override {
    return fmt::format("{} MPI processes, one rank each; {}", communicator_.size(),
                       Communicator::library_version());
  }
  std::int32_t max_ranks() const override { return communicator_.size(); }
  TimingVerdict may_time(const ExecutionPlan&) const override { return timing_; }

  void prepare(const RunRequest& request) override;
  double run() override;
  std::int64_t check() override;

 private:
  bool takes_part() const { return communicator_.rank() < plan_.ranks(); }
  std::byte* input() { return buffer_.data() + buffers().input_offset; }
  const lane::RankBuffers& buffers() const {
    return compiled_.image.buffers[static_cast<std::size_t>(communicator_.rank())];
  }
  void fill_own_input();
  void place_contribution();
  std::string run_own_lanes();  // empty, or what went wrong
  [[noreturn]] void fail_together(const std::string& problem);

  Communicator communicator_;
  MpiOptions options_;
  TimingVerdict timing_;
  ExecutionPlan plan_;
  RunRequest request_;
  CompiledPlan compiled_;
  std::vector<std::byte> buffer_;
  std::unique_ptr<MpiPort> port_;
  std::vector<lane::LaneView> lanes_;
  std::vector<lane::LaneCursor> cursors_;
  std::vector<lane::ProgressLine> lane_steps_;  // empty where no lane waits for another
  bool prepared_ = false;
};

void MpiExecutor::prepare(const RunRequest& request) {
  prepared_ = false;
  check_request(request);
  check_launches_plainly(request, "mpi");
  check_hands_off_simply(request, "mpi");
  if (request.plan->ranks() > communicator_.size()) {
    throw UsageError(
        fmt::format("the plan has {} ranks, but there are {} MPI processes (one rank per "
                    "process) start it with mpirun -n {}",
                    request.plan->ranks(), communicator_.size(), request.plan->ranks()));
  }
  check_labels(connection_labels(*request.plan));
  port_.reset();
  plan_ = *request.plan;
  request_ = request;
  request_.plan = &plan_;
  prepared_ = true;
  if (!takes_part()) return;
  compiled_ = compile_plan(request_, communicator_.rank(), communicator_.rank() + 1);
  if (options_.edit_program) options_.edit_program(compiled_);
  buffer_.resize(static_cast<std::size_t>(buffers().allocation_bytes));
  lanes_.clear();
  for (std::size_t l = 0; l < compiled_.image.lanes.size(); ++l) {
    lanes_.push_back(view_of(compiled_.image, l, buffer_.data()));
  }
  cursors_.resize(lanes_.size());
  lane_steps_.resize(compiled_.image.has_dependencies ? lanes_.size() : 0);
  port_ = std::make_unique<MpiPort>(communicator_, compiled_);
  fill_own_input();
}

void MpiExecutor::fill_own_input() {
  if (!takes_part()) return;
  std::fill(buffer_.begin(), buffer_.end(), std::byte{poison});
  fill_input(request_, communicator_.rank(),
             {input(), static_cast<std::size_t>(buffers().input_bytes)});
}

// Schedule::starts_in_output: a copy of the input where the schedule begins, before the clock runs.
void MpiExecutor::place_contribution() {
  if (buffers().contribution_offset < 0) return;
  std::copy_n(input(), buffers().input_bytes, buffer_.data() + buffers().contribution_offset);
}

std::string MpiExecutor::run_own_lanes() {
  lane::ProgressLine progress;
  std::uint64_t stop = 0;
  lane::StallRecord stall;
  const lane::RunControl control{&progress,
                                 1,
                                 &stop,
                                 &stall,
                                 static_cast<std::uint64_t>(options_.stall_limit_seconds * 1e9),
                                 lane_steps_.empty() ? nullptr : lane_steps_.data()};
  SpinThenYield pause(timing_.allowed ? polls_on_own_core : polls_on_shared_core);
  const bool finished =
      lane::run_lanes(lanes_.data(), cursors_.data(), static_cast<std::int32_t>(lanes_.size()), 0,
                      *port_, compiled_.image.data, control, lane::SingleThread{}, pause);
  return finished ? "" : stall_message("mpi", compiled_, stall, options_.stall_limit_seconds);
}

double MpiExecutor::run() {
  if (!prepared_) throw UsageError("run without a prepared request (nothing to run) call prepare");
  if (takes_part()) {
    for (std::size_t l = 0; l < lanes_.size(); ++l) cursors_[l] = lanes_[l].start();
    std::fill(lane_steps_.begin(), lane_steps_.end(), lane::ProgressLine{});
    place_contribution();
    port_->begin();
  }
  communicator_.barrier();
  std::string problem;
  const auto start = std::chrono::steady_clock::now();
  if (takes_part()) problem = run_own_lanes();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (takes_part() && problem.empty() && !port_->finish(options_.stall_limit_seconds)) {
    problem = fmt::format(
        "rank {} finished, but its messages were not received within {} s (sends "
        "and receives of the schedule do not match, or a peer is suspended)",
        communicator_.rank(), options_.stall_limit_seconds);
  }
  constexpr double failed = std::numeric_limits<double>::infinity();
  const double mine = takes_part() ? seconds.count() : 0.0;
  const double slowest = communicator_.max(problem.empty() ? mine : failed);
  if (slowest == failed) fail_together(problem);
  return slowest;
}

void MpiExecutor::fail_together(const std::string& problem) {
  prepared_ = false;
  port_.reset();
  MpiPort::begin_new_epoch();
  for (const auto& text : communicator_.all_gather(problem)) {
    if (!text.empty()) throw RuntimeError(text);
  }
  throw RuntimeError("the mpi executor failed on another process");
}

std::int64_t MpiExecutor::check() {
  if (!prepared_)
    throw UsageError("check without a prepared request (nothing to run) call prepare");
  fill_own_input();
  run();
  std::int64_t wrong = 0;
  if (takes_part()) {
    wrong = ExpectedOutputs(request_).count_mismatches(
        communicator_.rank(), {buffer_.data() + buffers().output_offset,
                               static_cast<std::size_t>(buffers().output_bytes)});
  }
  return communicator_.sum(wrong);
}

}  // namespace

std::unique_ptr<Executor> make_mpi_executor(Communicator communicator, const MpiOptions& options) {
  return std::make_unique<MpiExecutor>(std::move(communicator), options);
}

std::unique_ptr<Executor> make_mpi_executor(Communicator communicator) {
  return make_mpi_executor(std::move(communicator), MpiOptions{});
}

}  // namespace fabricast
