// The CUDA interpreter on several GPUs: one per MPI process, a rank on each, messages through peer
// memory, on one host or in one NVLink domain of several. Links are real here.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "emulator/base/error.hpp"
#include "emulator/base/host_name.hpp"
#include "emulator/runtime/compile_plan.hpp"
#include "emulator/runtime/executor.hpp"
#include "emulator/runtime/gpu_assignment.hpp"
#include "emulator/runtime/interpreter_data.hpp"
#include "emulator/runtime/peer_links.hpp"
#include "emulator/runtime/process_agreement.hpp"
#include "emulator/runtime/rank_buffers.hpp"
#include "kernels/cuda/interpreter.hpp"
#include "kernels/cuda/peer_memory.hpp"

namespace fabricast {
namespace {

constexpr double stall_limit_seconds = 10;

bool on_several(const std::vector<std::string>& hosts) {
  return std::set<std::string>(hosts.begin(), hosts.end()).size() > 1;
}

class PeerExecutor final : public Executor {
 public:
  PeerExecutor(Communicator processes, int device, std::vector<std::string> hosts)
      : processes_(std::move(processes)),
        device_(device),
        hosts_(std::move(hosts)),
        by_(on_several(hosts_) ? cuda::ShareBy::fabric : cuda::ShareBy::descriptor),
        interpreter_(std::make_unique<cuda::Interpreter>(device)) {
    interpreter_->set_stall_limit(stall_limit_seconds);
  }
  // Others may still have this GPU's memory open, and after an error of one process asking them
  // could wait for ever: the end of the process frees it.
  ~PeerExecutor() override {
    static_cast<void>(interpreter_.release());
    static_cast<void>(own_.release());
  }

  std::string name() const override { return "cuda"; }
  std::string description() const override {
    return fmt::format("{} GPUs{}, a rank and a process each, messages through peer memory: {}",
                       processes_.size(), by_ == cuda::ShareBy::fabric ? " of several hosts" : "",
                       interpreter_->description());
  }
  std::int32_t max_ranks() const override { return processes_.size(); }
  TimingVerdict may_time(const ExecutionPlan& plan) const override {
    std::int64_t lanes_of_a_rank = 0;
    for (const auto& channel : plan.channels) lanes_of_a_rank += channel.schedule->roles;
    const std::int64_t most = (plan.ranks() + processes_.size() - 1) / processes_.size();
    if (most * lanes_of_a_rank <= interpreter_->max_lanes()) return {true, ""};
    return {false, fmt::format("{} lanes per GPU need as many resident CTAs, but {} fit",
                               most * lanes_of_a_rank, interpreter_->max_lanes())};
  }

  void prepare(const RunRequest& request) override;
  double run() override;
  std::int64_t check() override;

 private:
  std::int32_t first_rank() const { return rank_at(processes_.rank()); }
  std::int32_t end_rank() const { return rank_at(processes_.rank() + 1); }
  std::int32_t rank_at(std::int32_t place) const {
    return first_rank_of_place(place, processes_.size(), plan_.ranks());
  }
  void check_lines_stay_whole() const;
  void link();
  void fill_inputs();

  Communicator processes_;
  int device_;
  std::vector<std::string> hosts_;  // by process
  cuda::ShareBy by_;
  std::unique_ptr<cuda::Interpreter> interpreter_;
  std::unique_ptr<cuda::OwnPeerMemory> own_;
  ExecutionPlan plan_;
  RunRequest request_;
  CompiledPlan compiled_;
  std::vector<cuda::PeerMemory> imported_;
  bool prepared_ = false;
};

void PeerExecutor::prepare(const RunRequest& request) {
  prepared_ = false;
  check_request(request);
  check_launches_plainly(request, "cuda");
  if (request.plan->ranks() > max_ranks()) {
    throw UsageError(fmt::format("the plan has {} ranks, this CUDA executor holds {}",
                                 request.plan->ranks(), max_ranks()));
  }
  if (request.hand_off == HandOff::ll128) check_lines_stay_whole();
  plan_ = *request.plan;
  request_ = request;
  request_.plan = &plan_;
  compiled_ = compile_plan(request_, first_rank(), end_rank());
  auto& image = compiled_.image;
  image.slot_bytes = processes_.max(image.slot_bytes);
  for (std::size_t r = 0; r < image.buffers.size(); ++r) {  // memory for the ranks of this GPU
    const auto rank = static_cast<std::int32_t>(r);
    if (rank < first_rank() || rank >= end_rank()) image.buffers[r] = {};
  }
  link();
  fill_inputs();
  prepared_ = true;
}

// LL128 relies on NVLink, between all GPUs because any two may have a connection. What joins GPUs
// of two hosts is nothing else.
void PeerExecutor::check_lines_stay_whole() const {
  const auto addresses = cuda::device_addresses();
  const auto all = processes_.all_gather(addresses[static_cast<std::size_t>(device_)]);
  agreed_texts(processes_, [&] {
    const auto& here = hosts_[static_cast<std::size_t>(processes_.rank())];
    for (std::size_t p = 0; p < all.size(); ++p) {
      const auto& address = all[p];
      if (hosts_[p] != here || cuda::joined_for_lines(device_, address)) continue;
      throw UsageError(fmt::format(
          "protocol ll128 needs NVLink between all GPUs ({} and {} have none, or cannot "
          "be seen from one process) use --protocol ll or simple",
          addresses[static_cast<std::size_t>(device_)], address));
    }
    return std::string();
  });
}

void PeerExecutor::link() {
  // Nobody's old memory is in use any more once all are here.
  imported_.clear();
  processes_.barrier();
  const PlaceLayout layout = layout_of_place(compiled_);
  own_.reset();
  const auto handles = agreed_texts(processes_, [&] {
    own_ =
        std::make_unique<cuda::OwnPeerMemory>(device_, static_cast<std::size_t>(layout.bytes), by_);
    return own_->exported();
  });
  std::vector<PlaceLayout> layouts;
  for (const auto& text : processes_.all_gather(text_of(layout))) {
    layouts.push_back(place_layout_from(text));
  }
  agreed_texts(processes_, [&] {
    std::vector<std::byte*> memory;
    for (std::size_t p = 0; p < handles.size(); ++p) {
      if (static_cast<int>(p) == processes_.rank()) {
        memory.push_back(own_->data());
      } else {
        imported_.emplace_back(device_, handles[p]);
        memory.push_back(imported_.back().data());
      }
    }
    interpreter_->load(compiled_.image, link_place(compiled_, layouts, memory));
    return std::string();
  });
}

void PeerExecutor::fill_inputs() {
  write_inputs(*interpreter_, request_, compiled_.image, first_rank(), end_rank());
}

double PeerExecutor::run() {
  if (!prepared_) throw UsageError("run without a prepared request (nothing to run) call prepare");
  prepared_ = false;  // unless it ends well
  const double seconds = run_together(processes_, [&](const auto& meet) {
    const double own = interpreter_->run(meet);
    if (interpreter_->stalled()) {
      throw Stall(stall_message("cuda", compiled_, interpreter_->stall(), stall_limit_seconds));
    }
    return own;
  });
  prepared_ = true;
  return seconds;
}

std::int64_t PeerExecutor::check() {
  if (!prepared_)
    throw UsageError("check without a prepared request (nothing to run) call prepare");
  fill_inputs();
  run();
  if (const auto left = processes_.sum(interpreter_->messages_left()); left != 0) {
    throw AgreedError(ExitCode::runtime,
                      fmt::format("the cuda executor finished with {} messages sent but not "
                                  "received (the schedule's sends and receives do not match)",
                                  left));
  }
  return processes_.sum(
      count_wrong(*interpreter_, request_, compiled_.image, first_rank(), end_rank()));
}

}  // namespace

std::unique_ptr<Executor> make_peer_executor(Communicator processes) {
  agreed_texts(processes, [] {
    const auto here = cuda_availability();
    if (!here.available) throw RuntimeError(here.reason);
    return std::string();
  });
  const auto hosts = processes.all_gather(this_host());
  const auto gpu = assign_gpu(processes);
  if (!gpu.problem.empty()) throw AgreedError(ExitCode::runtime, gpu.problem);
  agreed_texts(processes, [&] {
    const auto why = on_several(hosts) ? cuda::why_no_fabric_handles(gpu.device) : std::string();
    if (why.empty()) return why;
    throw UsageError(
        fmt::format("the processes are on several hosts, and {}: use --executor nccl there", why));
  });
  std::unique_ptr<Executor> executor;
  agreed_texts(processes, [&] {
    executor = std::make_unique<PeerExecutor>(processes, gpu.device, hosts);
    return std::string();
  });
  return executor;
}

}  // namespace fabricast
