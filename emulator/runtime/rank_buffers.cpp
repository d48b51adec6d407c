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

}  // namespace

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
  if (request.in_place && plan.collective == Collective::all_to_all) {
    throw UsageError(
        "all_to_all cannot be done in place (a block would be overwritten before it is "
        "sent) run it out of place");
  }
}

lane::RankBuffers rank_buffers(const RunRequest& request, std::int32_t rank) {
  const ExecutionPlan& plan = *request.plan;
  const BufferSizes sizes = buffer_sizes(plan);
  lane::RankBuffers buffers;
  buffers.input_bytes = sizes.input * plan.element_bytes;
  buffers.output_bytes = sizes.output * plan.element_bytes;
  if (request.in_place) {
    buffers.allocation_bytes = std::max(buffers.input_bytes, buffers.output_bytes);
    if (plan.collective == Collective::all_gather)
      buffers.input_offset = rank * buffers.input_bytes;
    if (plan.collective == Collective::reduce_scatter) {
      buffers.output_offset = rank * buffers.output_bytes;
    }
  } else {
    buffers.output_offset =
        (buffers.input_bytes + buffer_alignment - 1) / buffer_alignment * buffer_alignment;
    buffers.allocation_bytes = buffers.output_offset + buffers.output_bytes;
  }
  return buffers;
}

std::int32_t root_rank(const ExecutionPlan& plan) {
  return plan.channels.empty() ? 0 : plan.channels.front().placement.rank_at(0);
}

void fill_input(const RunRequest& request, std::int32_t rank, std::span<std::byte> input) {
  reference::fill_input(input_data(request), rank, 0, input);
}

std::int64_t ExpectedOutputs::count_mismatches(std::int32_t rank,
                                               std::span<const std::byte> output) {
  const auto data = input_data(request_);
  const std::int32_t bytes = size_of(request_.type);
  const Collective collective = request_.plan->collective;
  if (!valid_for_all_) {
    expected_.resize(output.size());
    switch (collective) {
      case Collective::all_reduce:
        reference::expect_reduction(data, request_.op, 0, expected_);
        break;
      case Collective::reduce_scatter:
        reference::expect_reduction(data, request_.op,
                                    rank * (static_cast<std::int64_t>(output.size()) / bytes),
                                    expected_);
        break;
      case Collective::all_gather:
        reference::expect_gather(data, expected_);
        break;
      case Collective::all_to_all:
        reference::expect_all_to_all(data, rank, expected_);
        break;
      case Collective::broadcast:
        reference::expect_broadcast(data, root_rank(*request_.plan), expected_);
        break;
      case Collective::reduce:
      case Collective::gather:
      case Collective::scatter:
      case Collective::send_recv:
        throw UsageError("not yet");
    }
    valid_for_all_ =
        collective != Collective::reduce_scatter && collective != Collective::all_to_all;
  }
  return reference::count_mismatches(output, expected_, bytes);
}

}  // namespace fabricast
