#include "emulator/runtime/rank_buffers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "emulator/base/error.hpp"
#include "emulator/schedule/partition.hpp"
#include "kernels/reference/collectives.hpp"
#include "kernels/reference/reduce.hpp"

namespace fabricast {
namespace {

constexpr std::int64_t buffer_alignment = 256;  // what cudaMalloc gives as well

reference::InputData input_data(const RunRequest& request) {
  return {request.type, request.plan->ranks(), reduces(request.plan->collective)};
}

bool starts_in_output(const ExecutionPlan& plan) {
  return std::any_of(plan.channels.begin(), plan.channels.end(),
                     [](const ChannelPlan& channel) { return channel.schedule->starts_in_output; });
}

}  // namespace

void check_hands_off_simply(const RunRequest& request, const char* executor) {
  if (request.hand_off == HandOff::simple) return;
  throw UsageError(
      fmt::format("the {} executor has no protocol {} (its messages are not ours) use the cuda or "
                  "host executor",
                  executor, to_string(request.hand_off)));
}

void check_launches_plainly(const RunRequest& request, const char* executor) {
  if (!request.symmetric && !request.graph) return;
  throw UsageError(
      fmt::format("the {} executor has no {} (NCCL's alone) use the nccl executor or leave it out",
                  executor, request.symmetric ? "symmetric windows" : "launch as a graph"));
}

void check_request(const RunRequest& request) {
  if (request.plan == nullptr)
    throw UsageError("a run needs a plan (none was given) make one first");
  const ExecutionPlan& plan = *request.plan;
  if (plan.element_bytes != size_of(request.type)) {
    throw UsageError(fmt::format(
        "the plan was made for elements of {} bytes, but type {} has {} (messages would be cut "
        "inside elements) make the plan with the type's size",
        plan.element_bytes, to_string(request.type), size_of(request.type)));
  }
  if (request.in_place && !can_be_in_place(plan.collective)) {
    throw UsageError(fmt::format(
        "{} cannot be done in place (data would be overwritten before they are sent) run it out "
        "of place",
        to_string(plan.collective)));
  }
  if (starts_in_output(plan) && output_is_own_block(plan.collective)) {
    throw UsageError(fmt::format(
        "algorithm \"{}\" starts in the output buffer, but an output of {} is too short to hold "
        "the input (one block of {}) use a schedule that starts in the input",
        plan.algorithm, to_string(plan.collective), plan.ranks()));
  }
}

bool can_be_in_place(Collective collective) {
  return collective != Collective::all_to_all && collective != Collective::send_recv;
}

lane::RankBuffers rank_buffers(const RunRequest& request, std::int32_t rank) {
  const ExecutionPlan& plan = *request.plan;
  const BufferSizes sizes = buffer_sizes(plan);
  lane::RankBuffers buffers;
  buffers.input_bytes = sizes.input * plan.element_bytes;
  buffers.output_bytes = sizes.output * plan.element_bytes;
  if (request.in_place) {
    buffers.allocation_bytes = std::max(buffers.input_bytes, buffers.output_bytes);
    if (input_is_own_block(plan.collective)) buffers.input_offset = rank * buffers.input_bytes;
    if (output_is_own_block(plan.collective)) buffers.output_offset = rank * buffers.output_bytes;
  } else {
    buffers.output_offset =
        (buffers.input_bytes + buffer_alignment - 1) / buffer_alignment * buffer_alignment;
    buffers.allocation_bytes = buffers.output_offset + buffers.output_bytes;
    if (starts_in_output(plan)) {
      buffers.contribution_offset =
          buffers.output_offset +
          (input_is_own_block(plan.collective) ? rank * buffers.input_bytes : 0);
    }
  }
  return buffers;
}

std::int32_t root_rank(const ExecutionPlan& plan) {
  return plan.channels.empty() ? 0 : plan.channels.front().placement.rank_at(0);
}

void fill_input(const RunRequest& request, std::int32_t rank, std::span<std::byte> input) {
  reference::fill_input(input_data(request), rank, 0, input);
}

bool has_result(const ExecutionPlan& plan, std::int32_t rank) {
  return !output_is_at_root(plan.collective) || rank == root_rank(plan);
}

void ExpectedOutputs::expect(std::int32_t rank) {
  const auto data = input_data(request_);
  const std::int32_t root = root_rank(*request_.plan);
  switch (request_.plan->collective) {
    case Collective::all_reduce:
    case Collective::reduce:
      return reference::expect_reduction(data, request_.op, 0, expected_);
    case Collective::reduce_scatter: {
      const auto block = static_cast<std::int64_t>(expected_.size()) / size_of(request_.type);
      return reference::expect_reduction(data, request_.op, rank * block, expected_);
    }
    case Collective::all_gather:
    case Collective::gather:
      return reference::expect_gather(data, expected_);
    case Collective::all_to_all:
      return reference::expect_all_to_all(data, rank, expected_);
    case Collective::broadcast:
      return reference::expect_broadcast(data, root, expected_);
    case Collective::scatter:
      return reference::expect_scatter(data, root, rank, expected_);
    case Collective::send_recv:
      return reference::expect_send_recv(data, rank, expected_);
  }
}

std::int64_t ExpectedOutputs::count_mismatches(std::int32_t rank,
                                               std::span<const std::byte> output) {
  if (!has_result(*request_.plan, rank)) return 0;
  if (!valid_for_all_) {
    expected_.resize(output.size());
    expect(rank);
    const Collective collective = request_.plan->collective;
    valid_for_all_ = collective != Collective::reduce_scatter &&
                     collective != Collective::all_to_all && collective != Collective::scatter &&
                     collective != Collective::send_recv;
  }
  return reference::count_mismatches(output, expected_, size_of(request_.type));
}

}  // namespace fabricast
