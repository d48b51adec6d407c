#include "emulator/runtime/host_executor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "emulator/base/error.hpp"
#include "emulator/runtime/rank_buffers.hpp"
#include "emulator/runtime/thread_team.hpp"
#include "emulator/runtime/usable_cores.hpp"
#include "kernels/lane/group.hpp"
#include "kernels/lane/interpreter.hpp"
#include "kernels/lane/line_port.hpp"

namespace fabricast {
namespace {

// On a core of its own a thread spins for about 10 us before it yields; on shared cores it yields
// soon, because the awaited thread may need this very core.
constexpr int spins_on_own_core = 4000;
constexpr int spins_on_shared_core = 16;

// Uninitialized storage aligned to cache lines; pages are touched first by who uses them.
class Storage {
 public:
  Storage() = default;
  explicit Storage(std::int64_t bytes) {
    const auto rounded =
        (static_cast<std::size_t>(bytes) + lane::line_bytes) / lane::line_bytes * lane::line_bytes;
    data_.reset(static_cast<std::byte*>(std::aligned_alloc(lane::line_bytes, rounded)));
    if (!data_) {
      throw RuntimeError(
          fmt::format("cannot allocate {} bytes for a host run (out of memory) use "
                      "smaller sizes or fewer ranks",
                      bytes));
    }
  }
  std::byte* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> data_;
};

class HostExecutor final : public Executor {
 public:
  explicit HostExecutor(const HostOptions& options)
      : options_(options),
        usable_(usable_cores()),
        max_ranks_(options.ranks > 0 ? options.ranks : usable_.count) {}

  std::string name() const override { return "host"; }
  std::string description() const override {
    return fmt::format("up to {} ranks as threads, one per rank; {} usable cores ({})", max_ranks_,
                       usable_.count, usable_.reason);
  }
  std::int32_t max_ranks() const override { return max_ranks_; }

  TimingVerdict may_time(const ExecutionPlan& plan) const override {
    if (plan.ranks() <= usable_.count) return {true, ""};
    return {false,
            fmt::format("{} ranks need {} cores, but {} can be used ({}); the data are checked, "
                        "the time would measure the scheduler",
                        plan.ranks(), plan.ranks(), usable_.count, usable_.reason)};
  }

  void prepare(const RunRequest& request) override;
  double run() override;
  std::int64_t check() override;

 private:
  void reset_connections();
  void fill_inputs();
  void place_contributions();
  std::int64_t messages_left() const;
  std::int64_t slots_bytes() const {
    const auto& image = compiled_.image;
    return image.fifos * static_cast<std::int64_t>(image.depth) * image.slot_bytes;
  }

  HostOptions options_;
  UsableCores usable_;
  std::int32_t max_ranks_;

  ExecutionPlan plan_;
  RunRequest request_;
  CompiledPlan compiled_;
  std::vector<Storage> buffers_;  // by rank
  Storage slots_;
  std::vector<lane::FifoCounters> counters_;
  std::vector<lane::LaneView> lanes_;
  std::vector<lane::LaneCursor> cursors_;
  std::vector<std::size_t> first_lane_;  // by rank, with an end
  std::vector<lane::ProgressLine> progress_;
  std::vector<lane::ProgressLine> lane_steps_;  // empty where no lane waits for another
  std::unique_ptr<ThreadTeam> team_;
  bool prepared_ = false;
};

void HostExecutor::prepare(const RunRequest& request) {
  prepared_ = false;
  check_request(request);
  check_launches_plainly(request, "host");
  if (request.plan->ranks() > max_ranks_) {
    throw UsageError(
        fmt::format("the plan has {} ranks, this host executor holds {} (one thread per "
                    "rank) make it with more ranks",
                    request.plan->ranks(), max_ranks_));
  }
  plan_ = *request.plan;
  request_ = request;
  request_.plan = &plan_;
  const std::int32_t ranks = plan_.ranks();
  compiled_ = compile_plan(request_, 0, ranks);
  if (options_.edit_program) options_.edit_program(compiled_);
  const auto& image = compiled_.image;

  buffers_.clear();
  for (const auto& b : image.buffers) buffers_.emplace_back(b.allocation_bytes);
  slots_ = Storage(slots_bytes());
  reset_connections();
  lanes_.clear();
  first_lane_.assign(1, 0);
  for (const auto& lane : image.lanes) {
    const auto rank = static_cast<std::size_t>(lane.rank);
    lanes_.push_back(view_of(image, lanes_.size(), buffers_[rank].data()));
    first_lane_.resize(rank + 2);
    first_lane_[rank + 1] = lanes_.size();
  }
  cursors_.resize(lanes_.size());
  progress_.assign(static_cast<std::size_t>(ranks), {});
  lane_steps_.resize(image.has_dependencies ? lanes_.size() : 0);
  if (!team_ || team_->members() != ranks) {
    team_.reset();
    const bool own_cores = ranks <= usable_.count;
    team_ = std::make_unique<ThreadTeam>(
        ranks, own_cores ? spins_on_own_core : spins_on_shared_core, options_.pin);
  }
  fill_inputs();
  prepared_ = true;
}

void HostExecutor::reset_connections() {
  counters_.assign(static_cast<std::size_t>(compiled_.image.fifos), {});
  if (compiled_.image.hand_off != HandOff::simple) {  // flags of old messages must not be seen
    std::memset(slots_.data(), 0, static_cast<std::size_t>(slots_bytes()));
  }
}

void HostExecutor::fill_inputs() {
  for (std::int32_t rank = 0; rank < plan_.ranks(); ++rank) {
    const auto r = static_cast<std::size_t>(rank);
    const auto& b = compiled_.image.buffers[r];
    std::memset(buffers_[r].data(), poison, static_cast<std::size_t>(b.allocation_bytes));
    fill_input(request_, rank,
               {buffers_[r].data() + b.input_offset, static_cast<std::size_t>(b.input_bytes)});
  }
}

// Schedule::starts_in_output: a copy of the input where the schedule begins, before the clock runs.
void HostExecutor::place_contributions() {
  for (std::size_t r = 0; r < buffers_.size(); ++r) {
    const auto& b = compiled_.image.buffers[r];
    if (b.contribution_offset < 0) continue;
    std::memcpy(buffers_[r].data() + b.contribution_offset, buffers_[r].data() + b.input_offset,
                static_cast<std::size_t>(b.input_bytes));
  }
}

double HostExecutor::run() {
  if (!prepared_) throw UsageError("run without a prepared request (nothing to run) call prepare");
  const auto& image = compiled_.image;
  const lane::FifoPort fifos{counters_.data(), slots_.data(), image.slot_bytes, image.depth};
  std::uint64_t stop = 0;
  lane::StallRecord stall;
  const lane::RunControl control{progress_.data(),
                                 plan_.ranks(),
                                 &stop,
                                 &stall,
                                 static_cast<std::uint64_t>(options_.stall_limit_seconds * 1e9),
                                 lane_steps_.empty() ? nullptr : lane_steps_.data()};
  const int spins = plan_.ranks() <= usable_.count ? spins_on_own_core : spins_on_shared_core;
  for (std::size_t l = 0; l < lanes_.size(); ++l) cursors_[l] = lanes_[l].start();
  std::fill(lane_steps_.begin(), lane_steps_.end(), lane::ProgressLine{});
  place_contributions();
  const double seconds =
      lane::with_port(image.hand_off, fifos, image.orders_lanes, [&](const auto& port) {
        return team_->run([&](std::int32_t rank) {
          const std::size_t first = first_lane_[static_cast<std::size_t>(rank)];
          const std::size_t end = first_lane_[static_cast<std::size_t>(rank) + 1];
          SpinThenYield pause(spins);
          lane::run_lanes(lanes_.data() + first, cursors_.data() + first,
                          static_cast<std::int32_t>(end - first), rank, port, image.data, control,
                          lane::SingleThread{}, pause);
        });
      });
  if (stop != 0) {
    reset_connections();
    throw RuntimeError(stall_message("host", compiled_, stall, options_.stall_limit_seconds));
  }
  if (const auto left = messages_left(); left != 0) {
    reset_connections();
    throw RuntimeError(
        fmt::format("the host executor finished with {} messages sent but not received "
                    "(the schedule's sends and receives do not match) report it",
                    left));
  }
  return seconds;
}

std::int64_t HostExecutor::messages_left() const {
  std::int64_t left = 0;
  for (const auto& c : counters_) left += static_cast<std::int64_t>(c.sent - c.consumed);
  return left;
}

std::int64_t HostExecutor::check() {
  if (!prepared_)
    throw UsageError("check without a prepared request (nothing to run) call prepare");
  fill_inputs();
  run();
  ExpectedOutputs expected(request_);
  std::int64_t wrong = 0;
  for (std::int32_t rank = 0; rank < plan_.ranks(); ++rank) {
    const auto r = static_cast<std::size_t>(rank);
    const auto& b = compiled_.image.buffers[r];
    wrong += expected.count_mismatches(
        rank, {buffers_[r].data() + b.output_offset, static_cast<std::size_t>(b.output_bytes)});
  }
  return wrong;
}

}  // namespace

std::unique_ptr<Executor> make_host_executor(const HostOptions& options) {
  return std::make_unique<HostExecutor>(options);
}

std::unique_ptr<Executor> make_host_executor(std::int32_t ranks) {
  HostOptions options;
  options.ranks = ranks;
  return make_host_executor(options);
}

}  // namespace fabricast
