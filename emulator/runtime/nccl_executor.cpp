// NCCL as a black box: the plan gives the collective and the size, NCCL chooses everything else.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "emulator/base/error.hpp"
#include "emulator/runtime/executor.hpp"
#include "emulator/runtime/nccl_availability.hpp"
#include "emulator/runtime/nccl_buffer.hpp"
#include "emulator/runtime/nccl_communicators.hpp"
#include "emulator/runtime/nccl_estimator.hpp"
#include "emulator/runtime/nccl_library.hpp"
#include "emulator/runtime/nccl_operation.hpp"
#include "emulator/runtime/nccl_profiler.hpp"
#include "emulator/runtime/process_agreement.hpp"
#include "emulator/runtime/rank_buffers.hpp"
#include "kernels/cuda/interpreter.hpp"

namespace fabricast {
namespace {

class NcclExecutor final : public Executor {
 public:
  NcclExecutor(Communicator processes, const NcclOptions& options)
      : processes_(processes), options_(options), gpus_(std::move(processes), options) {}
  ~NcclExecutor() override { release(); }

  std::string name() const override { return "nccl"; }
  std::string description() const override;
  std::int32_t max_ranks() const override { return gpus_.ranks(); }
  TimingVerdict may_time(const ExecutionPlan&) const override {
    if (!gpus_.gpus_are_shared()) return {true, ""};
    return {false,
            "several ranks share a GPU as hosts of their own: they take turns on it and their "
            "messages leave through the network, which tells nothing of an interconnect of GPUs"};
  }

  void prepare(const RunRequest& request) override;
  double run() override;
  std::int64_t check() override;
  std::optional<LibraryChoice> observe() override;

 private:
  void fill_inputs();
  void launch();
  void run_untimed();
  void release() noexcept;
  std::string what() const { return fmt::format("NCCL {}", to_string(plan_.collective)); }
  // The events of all processes in one; empty where they differ.
  void add_events(const NcclEvents& mine, LibraryChoice& choice) const;
  void add_estimate(LibraryChoice& choice);

  Communicator processes_;
  NcclOptions options_;
  NcclCommunicators gpus_;
  std::unique_ptr<NcclEstimator> estimator_;
  std::int32_t estimated_ranks_ = 0;
  ExecutionPlan plan_;
  RunRequest request_;
  std::vector<NcclBuffer> buffers_;  // by connected member
  bool prepared_ = false;
  bool has_run_ = false;  // since it was prepared
  bool captured_ = false;
};

std::string NcclExecutor::description() const {
  std::string text = fmt::format(
      "NCCL {}, {} ranks ({}), {}", nccl_library().version_text(), gpus_.ranks(), gpus_.gpu_name(),
      processes_.size() > 1 ? "one per MPI process" : "one per GPU, all in one process");
  if (gpus_.gpus_are_shared()) {
    text +=
        "; ranks SHARE GPUs through distinct host ids: data are checked, no time means anything";
  }
  if (gpus_.ranks() == 1) {
    text += "; one rank measures only a memory copy and the API, no interconnect";
  }
  return text;
}

void NcclExecutor::release() noexcept {
  prepared_ = false;
  try {
    gpus_.drop_graphs();
    gpus_.deregister_windows();
  } catch (const Error&) {
    // The communicator failed before; its windows go with it.
  }
  buffers_.clear();
}

void NcclExecutor::prepare(const RunRequest& request) {
  release();
  check_request(request);
  check_hands_off_simply(request, "nccl");
  const auto& nccl = nccl_library();
  if (request.symmetric && !nccl.has_symmetric_windows()) {
    throw UsageError(fmt::format(
        "NCCL {} has no symmetric windows (they came with 2.27) leave --symmetric out or install a "
        "later one",
        nccl.version_text()));
  }
  if (request.plan->ranks() > gpus_.ranks()) {
    throw UsageError(fmt::format("the plan has {} ranks, but there are {} GPUs (one rank per GPU)",
                                 request.plan->ranks(), gpus_.ranks()));
  }
  plan_ = *request.plan;
  request_ = request;
  request_.plan = &plan_;
  gpus_.connect(plan_.ranks());
  for (std::int32_t i = 0; i < gpus_.connected_members(); ++i) {
    const auto& member = gpus_.members()[static_cast<std::size_t>(i)];
    buffers_.emplace_back(member.device, rank_buffers(request_, member.rank).allocation_bytes,
                          request.symmetric);
  }
  if (request.symmetric) {
    gpus_.register_windows([&](std::size_t i) {
      return std::pair<void*, std::size_t>(buffers_[i].data(), buffers_[i].bytes());
    });
  }
  fill_inputs();
  captured_ = false;
  has_run_ = false;
  prepared_ = true;
}

void NcclExecutor::fill_inputs() {
  std::vector<std::byte> input;
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    const auto& member = gpus_.members()[i];
    const auto b = rank_buffers(request_, member.rank);
    if (b.allocation_bytes == 0) continue;
    input.resize(static_cast<std::size_t>(b.input_bytes));
    fill_input(request_, member.rank, input);
    check_cuda(cudaSetDevice(member.device), "selecting a GPU");
    check_cuda(cudaMemset(buffers_[i].data(), poison, static_cast<std::size_t>(b.allocation_bytes)),
               "clearing buffers");
    check_cuda(cudaMemcpy(buffers_[i].data() + b.input_offset, input.data(), input.size(),
                          cudaMemcpyHostToDevice),
               "uploading an input");
    check_cuda(cudaDeviceSynchronize(), "uploading an input");
  }
}

void NcclExecutor::launch() {
  std::size_t next = 0;
  const auto enqueue = [&](const NcclMember& member) {
    return enqueue_collective(request_, member.rank, member.communicator, member.stream->handle(),
                              buffers_[next++].data());
  };
  if (!request_.graph) return gpus_.group(enqueue, what());
  if (!captured_) {
    gpus_.group(enqueue, what());  // NCCL connects what the operation needs, outside the graph
    next = 0;
    gpus_.capture(enqueue, what());
    captured_ = true;
  }
  gpus_.launch(what());
}

void NcclExecutor::run_untimed() {
  run_together(processes_, [&](const auto& meet) {
    meet();
    launch();
    gpus_.synchronize(what());
    return 0.0;
  });
  has_run_ = true;
}

double NcclExecutor::run() {
  if (!prepared_) throw UsageError("run without a prepared request (nothing to run) call prepare");
  // NCCL may connect, allocate and load its kernels when it first sees an operation, all of which
  // may wait for the device: not behind a gate.
  if (!has_run_) run_untimed();
  return run_together(processes_, [&](const auto& meet) {
    return gpus_.timed([this] { launch(); }, meet, what());
  });
}

std::int64_t NcclExecutor::check() {
  if (!prepared_)
    throw UsageError("check without a prepared request (nothing to run) call prepare");
  if (request_.graph && !captured_) run_untimed();  // the first one runs the operation twice
  fill_inputs();
  run_untimed();
  ExpectedOutputs expected(request_);
  std::int64_t wrong = 0;
  std::vector<std::byte> output;
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    const auto& member = gpus_.members()[i];
    const auto b = rank_buffers(request_, member.rank);
    output.resize(static_cast<std::size_t>(b.output_bytes));
    check_cuda(cudaSetDevice(member.device), "selecting a GPU");
    if (!output.empty()) {
      check_cuda(cudaMemcpy(output.data(), buffers_[i].data() + b.output_offset, output.size(),
                            cudaMemcpyDeviceToHost),
                 "downloading an output");
    }
    wrong += expected.count_mismatches(member.rank, output);
  }
  return processes_.sum(wrong);
}

void NcclExecutor::add_events(const NcclEvents& mine, LibraryChoice& choice) const {
  if (const auto problem = nccl_profiler_problem(); !problem.empty()) {
    choice.source = "not recorded: " + problem;
  } else if (plan_.ranks() == 1) {
    choice.source = "not recorded: NCCL copies within one rank and chooses nothing";
  } else if (mine.collectives + mine.transfers == 0 && gpus_.connected_members() > 0) {
    choice.source = "not recorded: NCCL reported no event for this operation";
  } else {
    choice.source = fmt::format("profiler of NCCL {}", nccl_library().version_text());
    choice.algorithm = mine.algorithm;
    choice.protocol = mine.protocol;
    choice.channels = mine.channels;
  }
  const auto text =
      fmt::format("{} {} {} {}", choice.algorithm, choice.protocol, choice.channels, choice.source);
  const auto all = processes_.all_gather(text);
  if (std::all_of(all.begin(), all.end(), [&](const auto& other) { return other == all[0]; })) {
    return;
  }
  choice = {};
  choice.source = "not recorded: the processes disagree";
}

void NcclExecutor::add_estimate(LibraryChoice& choice) {
  if (!options_.estimate) {
    choice.estimate_source = "not asked for";
    return;
  }
  if (!has_nccl_estimate(plan_.collective)) {
    choice.estimate_source = "NCCL's model has no sends and receives";
    return;
  }
  if (estimated_ranks_ != plan_.ranks()) {
    estimator_.reset();
    estimator_ = std::make_unique<NcclEstimator>(processes_, gpus_.members(), plan_.ranks(),
                                                 options_.deadline_seconds);
    estimated_ranks_ = plan_.ranks();
  }
  std::size_t next = 0;
  choice.estimate_us = estimator_->estimate([&](const NcclMember& member, ncclComm_t communicator) {
    return enqueue_collective(request_, member.rank, communicator, member.stream->handle(),
                              buffers_[next++].data());
  });
  choice.estimate_source =
      estimator_->problem().empty()
          ? fmt::format("ncclGroupSimulateEnd of NCCL {}", nccl_library().version_text())
          : estimator_->problem();
}

std::optional<LibraryChoice> NcclExecutor::observe() {
  if (!prepared_) {
    throw UsageError("observe without a prepared request (nothing to run) call prepare");
  }
  // A graph tells its choice when it is captured, not when it is launched.
  gpus_.drop_graphs();
  captured_ = false;
  has_run_ = false;
  start_nccl_events();
  try {
    run_untimed();
  } catch (...) {
    stop_nccl_events();
    throw;
  }
  LibraryChoice choice;
  add_events(stop_nccl_events(), choice);
  add_estimate(choice);
  return choice;
}

}  // namespace

std::unique_ptr<Executor> make_nccl_executor(Communicator communicator,
                                             const NcclOptions& options) {
  // A process without NCCL or GPU must not leave the others waiting: everybody learns of it.
  if (const auto why = nccl_missing_somewhere(communicator); !why.empty()) {
    throw AgreedError(ExitCode::runtime, why);
  }
  return std::make_unique<NcclExecutor>(std::move(communicator), options);
}

}  // namespace fabricast
