// Executor over kernels/cuda: all ranks on one GPU. Without nvcc the kernels' stub says "not
// built".
#include <fmt/format.h>

#include <vector>

#include "emulator/base/error.hpp"
#include "emulator/runtime/compile_plan.hpp"
#include "emulator/runtime/executor.hpp"
#include "emulator/runtime/interpreter_data.hpp"
#include "emulator/runtime/rank_buffers.hpp"
#include "kernels/cuda/interpreter.hpp"

namespace fabricast {
namespace {

constexpr double stall_limit_seconds = 10;

class CudaExecutor final : public Executor {
 public:
  CudaExecutor(std::int32_t ranks, int device) : interpreter_(device) {
    interpreter_.set_stall_limit(stall_limit_seconds);
    max_ranks_ = ranks > 0 ? ranks : interpreter_.max_lanes();
  }

  std::string name() const override { return "cuda"; }
  std::string description() const override {
    return fmt::format(
        "up to {} lanes of ranks as CTAs of one GPU (they share its L2 and HBM: no "
        "interconnect is measured): {}",
        interpreter_.max_lanes(), interpreter_.description());
  }
  std::int32_t max_ranks() const override { return max_ranks_; }

  TimingVerdict may_time(const ExecutionPlan& plan) const override {
    std::int64_t lanes = 0;
    for (const auto& channel : plan.channels) {
      lanes += static_cast<std::int64_t>(plan.ranks()) * channel.schedule->roles;
    }
    if (lanes <= interpreter_.max_lanes()) return {true, ""};
    return {false, fmt::format("{} lanes need as many resident CTAs, but {} fit on the GPU", lanes,
                               interpreter_.max_lanes())};
  }

  void prepare(const RunRequest& request) override {
    prepared_ = false;
    check_request(request);
    check_launches_plainly(request, "cuda");
    if (request.plan->ranks() > max_ranks_) {
      throw UsageError(fmt::format("the plan has {} ranks, this CUDA executor holds {}",
                                   request.plan->ranks(), max_ranks_));
    }
    plan_ = *request.plan;
    request_ = request;
    request_.plan = &plan_;
    compiled_ = compile_plan(request_, 0, plan_.ranks());
    interpreter_.load(compiled_.image);
    fill_inputs();
    prepared_ = true;
  }

  double run() override {
    if (!prepared_)
      throw UsageError("run without a prepared request (nothing to run) call prepare");
    const double seconds = interpreter_.run();
    if (interpreter_.stalled()) {
      throw RuntimeError(
          stall_message("cuda", compiled_, interpreter_.stall(), stall_limit_seconds));
    }
    return seconds;
  }

  std::int64_t check() override {
    if (!prepared_)
      throw UsageError("check without a prepared request (nothing to run) call prepare");
    fill_inputs();
    run();
    if (const auto left = interpreter_.messages_left(); left != 0) {
      throw RuntimeError(
          fmt::format("the cuda executor finished with {} messages sent but not "
                      "received (the schedule's sends and receives do not match)",
                      left));
    }
    return count_wrong(interpreter_, request_, compiled_.image, 0, plan_.ranks());
  }

 private:
  void fill_inputs() { write_inputs(interpreter_, request_, compiled_.image, 0, plan_.ranks()); }

  cuda::Interpreter interpreter_;
  std::int32_t max_ranks_ = 0;
  ExecutionPlan plan_;
  RunRequest request_;
  CompiledPlan compiled_;
  bool prepared_ = false;
};

}  // namespace

std::unique_ptr<Executor> make_cuda_executor(std::int32_t ranks, int device) {
  const auto availability = cuda_availability();
  if (!availability.available) throw RuntimeError(availability.reason);
  return std::make_unique<CudaExecutor>(ranks, device);
}

Availability cuda_availability() {
  const auto probe = cuda::probe_devices();
  return {probe.devices > 0, probe.reason, probe.devices};
}

}  // namespace fabricast
