// All-reduce by the switch of an NVLink domain: a rank per MPI process and GPU, memory of one
// multicast object. The other executors send every message; here the switch reduces.
#include <fmt/format.h>

#include <memory>
#include <utility>
#include <vector>

#include "emulator/base/error.hpp"
#include "emulator/runtime/executor.hpp"
#include "emulator/runtime/gpu_assignment.hpp"
#include "emulator/runtime/multimem_group.hpp"
#include "emulator/runtime/multimem_request.hpp"
#include "emulator/runtime/process_agreement.hpp"
#include "emulator/runtime/rank_buffers.hpp"
#include "kernels/cuda/multimem.hpp"

namespace fabricast {
namespace {

constexpr double stall_limit_seconds = 10;

class MultimemExecutor final : public Executor {
 public:
  MultimemExecutor(Communicator processes, std::unique_ptr<MultimemGroup> group,
                   std::unique_ptr<cuda::MultimemAllReduce> all_reduce)
      : processes_(std::move(processes)),
        group_(std::move(group)),
        all_reduce_(std::move(all_reduce)) {
    all_reduce_->set_stall_limit(stall_limit_seconds);
  }

  std::string name() const override { return "cuda"; }
  std::string description() const override {
    return fmt::format("{} GPUs{}, a process each, reduced in the switch (multimem): {}",
                       processes_.size(), group_->spans_hosts() ? " of several hosts" : "",
                       all_reduce_->description());
  }
  std::int32_t max_ranks() const override { return processes_.size(); }
  TimingVerdict may_time(const ExecutionPlan& plan) const override {
    const auto ctas = static_cast<std::int64_t>(plan.channels.size());
    if (ctas <= all_reduce_->max_ctas()) return {true, ""};
    return {false, fmt::format("{} channels need as many resident CTAs, but {} fit", ctas,
                               all_reduce_->max_ctas())};
  }

  void prepare(const RunRequest& request) override;
  double run() override;
  std::int64_t check() override;

 private:
  void fill_input();

  Communicator processes_;
  std::unique_ptr<MultimemGroup> group_;  // outlives what uses its memory
  std::unique_ptr<cuda::MultimemAllReduce> all_reduce_;
  ExecutionPlan plan_;
  RunRequest request_;
  lane::MultimemWork work_;
  bool prepared_ = false;
};

void MultimemExecutor::prepare(const RunRequest& request) {
  prepared_ = false;
  check_multimem_request(request);
  if (request.plan->ranks() != max_ranks()) {
    throw UsageError(fmt::format(
        "the plan has {} ranks, multimem needs all {} (every GPU of the multicast object takes "
        "part) start as many processes as ranks",
        request.plan->ranks(), max_ranks()));
  }
  plan_ = *request.plan;
  request_ = request;
  request_.plan = &plan_;
  work_ = multimem_work(request_, processes_.rank());
  group_->grow(multimem_bytes(work_));
  agreed_texts(processes_, [&] {
    all_reduce_->use(group_->memory());
    fill_input();
    return std::string();
  });
  prepared_ = true;
}

void MultimemExecutor::fill_input() {
  std::vector<std::byte> input(
      static_cast<std::size_t>(rank_buffers(request_, work_.member).input_bytes));
  fabricast::fill_input(request_, work_.member, input);
  all_reduce_->write_input(work_, input);
}

double MultimemExecutor::run() {
  if (!prepared_) throw UsageError("run without a prepared request (nothing to run) call prepare");
  prepared_ = false;  // unless it ends well
  const double seconds = run_together(processes_, [&](const auto& meet) {
    const double own = all_reduce_->run(work_, request_.type, request_.op, meet);
    if (all_reduce_->stalled()) {
      const auto stall = all_reduce_->stall();
      throw Stall(fmt::format(
          "the multimem all-reduce stood still for {} s (CTA {} waits for the other GPUs {}) run "
          "again, and see the other processes' messages",
          stall_limit_seconds, stall.lane,
          stall.step == 0 ? "before it reduces" : "after it has stored"));
    }
    return own;
  });
  prepared_ = true;
  return seconds;
}

std::int64_t MultimemExecutor::check() {
  if (!prepared_)
    throw UsageError("check without a prepared request (nothing to run) call prepare");
  std::vector<std::byte> output(
      static_cast<std::size_t>(rank_buffers(request_, work_.member).output_bytes));
  agreed_texts(processes_, [&] { return fill_input(), std::string(); });
  run();
  agreed_texts(processes_, [&] { return all_reduce_->read_output(work_, output), std::string(); });
  ExpectedOutputs expected(request_);
  return processes_.sum(expected.count_mismatches(work_.member, output));
}

}  // namespace

std::unique_ptr<Executor> make_multimem_executor(Communicator processes) {
  if (processes.size() < 2) {
    throw AgreedError(ExitCode::usage,
                      "--multimem needs a process per GPU and at least two (a switch reduces over "
                      "GPUs) start it under mpirun");
  }
  agreed_texts(processes, [] {
    const auto here = cuda_availability();
    if (!here.available) throw RuntimeError(here.reason);
    return std::string();
  });
  const auto gpu = assign_gpu(processes);
  if (!gpu.problem.empty()) throw AgreedError(ExitCode::runtime, gpu.problem);
  auto group = std::make_unique<MultimemGroup>(processes, gpu.device);
  std::unique_ptr<cuda::MultimemAllReduce> all_reduce;
  agreed_texts(processes, [&] {
    all_reduce = std::make_unique<cuda::MultimemAllReduce>(gpu.device);
    return std::string();
  });
  return std::make_unique<MultimemExecutor>(processes, std::move(group), std::move(all_reduce));
}

}  // namespace fabricast
