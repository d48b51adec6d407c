// NCCL as a black box: the plan gives the collective and the size, NCCL chooses everything else.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "emulator/base/error.hpp"
#include "emulator/runtime/executor.hpp"
#include "emulator/runtime/nccl_communicators.hpp"
#include "emulator/runtime/nccl_library.hpp"
#include "emulator/runtime/rank_buffers.hpp"
#include "kernels/cuda/interpreter.hpp"

namespace fabricast {
namespace {

// Connecting thousands of GPUs takes seconds, a hang takes for ever.
constexpr double deadline_seconds = 60;
constexpr int poison = 0xFF;  // NaN, or -1: no result looks like it

ncclDataType_t nccl_type(DataType type) {
  switch (type) {
    case DataType::float32:
      return ncclFloat32;
    case DataType::float16:
      return ncclFloat16;
    case DataType::bfloat16:
      return ncclBfloat16;
    case DataType::int32:
      return ncclInt32;
  }
  throw UsageError("unknown data type");
}

ncclRedOp_t nccl_op(ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
      return ncclSum;
    case ReduceOp::min:
      return ncclMin;
    case ReduceOp::max:
      return ncclMax;
  }
  throw UsageError("unknown reduction");
}

// Device memory of one member.
class DeviceBuffer {
 public:
  DeviceBuffer(int device, std::int64_t bytes) : device_(device) {
    check_cuda(cudaSetDevice(device), "selecting a GPU");
    check_cuda(cudaMalloc(&data_, static_cast<std::size_t>(std::max<std::int64_t>(1, bytes))),
               fmt::format("allocating {} bytes of GPU memory", bytes));
  }
  DeviceBuffer(DeviceBuffer&& other) noexcept
      : device_(other.device_), data_(std::exchange(other.data_, nullptr)) {}
  DeviceBuffer& operator=(DeviceBuffer&&) = delete;
  ~DeviceBuffer() {
    if (data_ == nullptr) return;
    cudaSetDevice(device_);
    cudaFree(data_);
  }
  std::byte* data() const { return static_cast<std::byte*>(data_); }

 private:
  int device_;
  void* data_ = nullptr;
};

// ncclGather and ncclScatter exist since NCCL 2.28.
void require_function(Collective collective) {
  const auto& nccl = nccl_library();
  const bool missing = (collective == Collective::gather && nccl.gather == nullptr) ||
                       (collective == Collective::scatter && nccl.scatter == nullptr);
  if (!missing) return;
  throw UsageError(fmt::format("NCCL {} has no {} (it came with 2.28) install NCCL 2.28 or later",
                               nccl.version_text(), to_string(collective)));
}

class NcclExecutor final : public Executor {
 public:
  explicit NcclExecutor(Communicator processes)
      : processes_(processes), gpus_(std::move(processes), deadline_seconds) {}

  std::string name() const override { return "nccl"; }
  std::string description() const override {
    return fmt::format(
        "NCCL {} on {} GPUs ({}), {}{}", nccl_library().version_text(), gpus_.ranks(),
        gpus_.gpu_name(), processes_.size() > 1 ? "one per MPI process" : "all in one process",
        gpus_.ranks() == 1 ? "; one rank measures only a memory copy and the API, no interconnect"
                           : "");
  }
  std::int32_t max_ranks() const override { return gpus_.ranks(); }
  TimingVerdict may_time(const ExecutionPlan&) const override { return {true, ""}; }

  void prepare(const RunRequest& request) override;
  double run() override;
  std::int64_t check() override;

 private:
  void fill_inputs();
  ncclResult_t enqueue(const NcclMember& member, const DeviceBuffer& buffer) const;
  ncclResult_t enqueue_send_recv(const NcclMember& member, const std::byte* input,
                                 std::byte* output, std::size_t count) const;
  ncclResult_t enqueue_all_to_all(const NcclMember& member, const std::byte* input,
                                  std::byte* output) const;

  Communicator processes_;
  NcclCommunicators gpus_;
  ExecutionPlan plan_;
  RunRequest request_;
  std::vector<DeviceBuffer> buffers_;  // by connected member
  bool prepared_ = false;
};

void NcclExecutor::prepare(const RunRequest& request) {
  prepared_ = false;
  check_request(request);
  check_hands_off_simply(request, "nccl");
  require_function(request.plan->collective);
  if (request.plan->ranks() > gpus_.ranks()) {
    throw UsageError(fmt::format("the plan has {} ranks, but there are {} GPUs (one rank per GPU)",
                                 request.plan->ranks(), gpus_.ranks()));
  }
  plan_ = *request.plan;
  request_ = request;
  request_.plan = &plan_;
  gpus_.connect(plan_.ranks());
  buffers_.clear();
  for (std::int32_t i = 0; i < gpus_.connected_members(); ++i) {
    const auto& member = gpus_.members()[static_cast<std::size_t>(i)];
    buffers_.emplace_back(member.device, rank_buffers(request_, member.rank).allocation_bytes);
  }
  fill_inputs();
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

ncclResult_t NcclExecutor::enqueue_all_to_all(const NcclMember& member, const std::byte* input,
                                              std::byte* output) const {
  const auto& nccl = nccl_library();
  const auto block_bytes = rank_buffers(request_, member.rank).input_bytes / plan_.ranks();
  const auto block = static_cast<std::size_t>(block_bytes / plan_.element_bytes);
  const auto type = nccl_type(request_.type);
  for (std::int32_t peer = 0; peer < plan_.ranks(); ++peer) {
    const auto offset = peer * block_bytes;
    auto code = nccl.send(input + offset, block, type, peer, member.communicator, member.stream);
    if (code != ncclSuccess && code != ncclInProgress) return code;
    code = nccl.recv(output + offset, block, type, peer, member.communicator, member.stream);
    if (code != ncclSuccess && code != ncclInProgress) return code;
  }
  return ncclSuccess;
}

// To the next rank and from the previous one, as nccl-tests' sendrecv.
ncclResult_t NcclExecutor::enqueue_send_recv(const NcclMember& member, const std::byte* input,
                                             std::byte* output, std::size_t count) const {
  const auto& nccl = nccl_library();
  const auto type = nccl_type(request_.type);
  const std::int32_t n = plan_.ranks();
  const auto code =
      nccl.send(input, count, type, (member.rank + 1) % n, member.communicator, member.stream);
  if (code != ncclSuccess && code != ncclInProgress) return code;
  return nccl.recv(output, count, type, (member.rank + n - 1) % n, member.communicator,
                   member.stream);
}

ncclResult_t NcclExecutor::enqueue(const NcclMember& member, const DeviceBuffer& buffer) const {
  const auto& nccl = nccl_library();
  const auto b = rank_buffers(request_, member.rank);
  const std::byte* input = buffer.data() + b.input_offset;
  std::byte* output = buffer.data() + b.output_offset;
  const auto in_count = static_cast<std::size_t>(b.input_bytes / plan_.element_bytes);
  const auto out_count = static_cast<std::size_t>(b.output_bytes / plan_.element_bytes);
  const auto type = nccl_type(request_.type);
  const auto op = nccl_op(request_.op);
  switch (plan_.collective) {
    case Collective::all_reduce:
      return nccl.all_reduce(input, output, in_count, type, op, member.communicator, member.stream);
    case Collective::all_gather:
      return nccl.all_gather(input, output, in_count, type, member.communicator, member.stream);
    case Collective::reduce_scatter:
      return nccl.reduce_scatter(input, output, out_count, type, op, member.communicator,
                                 member.stream);
    case Collective::broadcast:
      return nccl.broadcast(input, output, in_count, type, root_rank(plan_), member.communicator,
                            member.stream);
    case Collective::reduce:
      return nccl.reduce(input, output, in_count, type, op, root_rank(plan_), member.communicator,
                         member.stream);
    case Collective::gather:
      return nccl.gather(input, output, in_count, type, root_rank(plan_), member.communicator,
                         member.stream);
    case Collective::scatter:
      return nccl.scatter(input, output, out_count, type, root_rank(plan_), member.communicator,
                          member.stream);
    case Collective::all_to_all:
      return enqueue_all_to_all(member, input, output);
    case Collective::send_recv:
      return enqueue_send_recv(member, input, output, in_count);
  }
  throw UsageError("NCCL has no such collective");
}

double NcclExecutor::run() {
  if (!prepared_) throw UsageError("run without a prepared request (nothing to run) call prepare");
  processes_.barrier();
  const auto what = fmt::format("NCCL {}", to_string(plan_.collective));
  const auto record = [&](cudaEvent_t NcclMember::*event) {
    for (std::size_t i = 0; i < buffers_.size(); ++i) {
      const auto& member = gpus_.members()[i];
      check_cuda(cudaSetDevice(member.device), "selecting a GPU");
      check_cuda(cudaEventRecord(member.*event, member.stream), "recording an event");
    }
  };
  record(&NcclMember::start);
  std::size_t next = 0;
  gpus_.group([&](const NcclMember& member) { return enqueue(member, buffers_[next++]); }, what);
  record(&NcclMember::stop);
  gpus_.wait(what);
  double slowest = 0;
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    float milliseconds = 0;
    const auto& member = gpus_.members()[i];
    check_cuda(cudaEventElapsedTime(&milliseconds, member.start, member.stop),
               "reading the events");
    slowest = std::max(slowest, static_cast<double>(milliseconds) * 1e-3);
  }
  return processes_.max(slowest);
}

std::int64_t NcclExecutor::check() {
  if (!prepared_)
    throw UsageError("check without a prepared request (nothing to run) call prepare");
  fill_inputs();
  run();
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

}  // namespace

Availability nccl_availability() {
  const auto probe = cuda::probe_devices();
  if (probe.devices == 0) return {false, probe.reason, 0};
  const auto& nccl = nccl_library();
  if (!nccl.usable()) return {false, nccl.problem, 0};
  return {true,
          fmt::format("NCCL {}, {} GPUs ({})", nccl.version_text(), probe.devices, probe.reason),
          probe.devices};
}

std::unique_ptr<Executor> make_nccl_executor(Communicator communicator) {
  // A process without NCCL or GPU must not leave the others waiting: everybody learns of it.
  const auto mine = nccl_availability();
  const auto all = communicator.all_gather(mine.available ? "" : mine.reason);
  for (std::size_t r = 0; r < all.size(); ++r) {
    if (all[r].empty()) continue;
    throw RuntimeError(communicator.size() > 1 ? fmt::format("process {}: {}", r, all[r]) : all[r]);
  }
  return std::make_unique<NcclExecutor>(std::move(communicator));
}

}  // namespace fabricast
