#include "emulator/runtime/nccl_operation.hpp"

#include <cstdint>

#include "emulator/base/error.hpp"
#include "emulator/runtime/nccl_library.hpp"
#include "emulator/runtime/rank_buffers.hpp"

namespace fabricast {
namespace {

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

bool accepted(ncclResult_t code) { return code == ncclSuccess || code == ncclInProgress; }

struct Call {
  const RunRequest& request;
  std::int32_t rank;
  ncclComm_t communicator;
  cudaStream_t stream;
  const std::byte* input;
  std::byte* output;
  std::size_t in_count, out_count;
  ncclDataType_t type;
  std::int32_t ranks;

  ncclResult_t send(const std::byte* data, std::size_t count, std::int32_t peer) const {
    return nccl_library().send(data, count, type, peer, communicator, stream);
  }
  ncclResult_t receive(std::byte* data, std::size_t count, std::int32_t peer) const {
    return nccl_library().recv(data, count, type, peer, communicator, stream);
  }
  std::size_t offset(std::size_t count, std::int32_t block) const {
    return count * static_cast<std::size_t>(block) * size_of(request.type);
  }
};

ncclResult_t all_to_all(const Call& c) {
  const std::size_t block = c.in_count / static_cast<std::size_t>(c.ranks);
  for (std::int32_t peer = 0; peer < c.ranks; ++peer) {
    const auto at = c.offset(block, peer);
    if (const auto code = c.send(c.input + at, block, peer); !accepted(code)) return code;
    if (const auto code = c.receive(c.output + at, block, peer); !accepted(code)) return code;
  }
  return ncclSuccess;
}

// To the next rank and from the previous one, as nccl-tests' sendrecv.
ncclResult_t send_recv(const Call& c) {
  const auto code = c.send(c.input, c.in_count, (c.rank + 1) % c.ranks);
  if (!accepted(code)) return code;
  return c.receive(c.output, c.in_count, (c.rank + c.ranks - 1) % c.ranks);
}

ncclResult_t gather(const Call& c, std::int32_t root) {
  const auto& nccl = nccl_library();
  if (nccl.gather != nullptr) {
    return nccl.gather(c.input, c.output, c.in_count, c.type, root, c.communicator, c.stream);
  }
  if (const auto code = c.send(c.input, c.in_count, root); !accepted(code)) return code;
  for (std::int32_t peer = 0; c.rank == root && peer < c.ranks; ++peer) {
    const auto code = c.receive(c.output + c.offset(c.in_count, peer), c.in_count, peer);
    if (!accepted(code)) return code;
  }
  return ncclSuccess;
}

ncclResult_t scatter(const Call& c, std::int32_t root) {
  const auto& nccl = nccl_library();
  if (nccl.scatter != nullptr) {
    return nccl.scatter(c.input, c.output, c.out_count, c.type, root, c.communicator, c.stream);
  }
  for (std::int32_t peer = 0; c.rank == root && peer < c.ranks; ++peer) {
    const auto code = c.send(c.input + c.offset(c.out_count, peer), c.out_count, peer);
    if (!accepted(code)) return code;
  }
  return c.receive(c.output, c.out_count, root);
}

}  // namespace

bool has_nccl_estimate(Collective collective) {
  switch (collective) {
    case Collective::all_reduce:
    case Collective::all_gather:
    case Collective::reduce_scatter:
    case Collective::broadcast:
    case Collective::reduce:
      return true;
    default:
      return false;
  }
}

ncclResult_t enqueue_collective(const RunRequest& request, std::int32_t rank,
                                ncclComm_t communicator, cudaStream_t stream, std::byte* base) {
  const auto& nccl = nccl_library();
  const auto& plan = *request.plan;
  const auto b = rank_buffers(request, rank);
  const auto element = static_cast<std::int64_t>(plan.element_bytes);
  const Call c{request,
               rank,
               communicator,
               stream,
               base + b.input_offset,
               base + b.output_offset,
               static_cast<std::size_t>(b.input_bytes / element),
               static_cast<std::size_t>(b.output_bytes / element),
               nccl_type(request.type),
               plan.ranks()};
  const auto op = nccl_op(request.op);
  switch (plan.collective) {
    case Collective::all_reduce:
      return nccl.all_reduce(c.input, c.output, c.in_count, c.type, op, communicator, stream);
    case Collective::all_gather:
      return nccl.all_gather(c.input, c.output, c.in_count, c.type, communicator, stream);
    case Collective::reduce_scatter:
      return nccl.reduce_scatter(c.input, c.output, c.out_count, c.type, op, communicator, stream);
    case Collective::broadcast:
      return nccl.broadcast(c.input, c.output, c.in_count, c.type, root_rank(plan), communicator,
                            stream);
    case Collective::reduce:
      return nccl.reduce(c.input, c.output, c.in_count, c.type, op, root_rank(plan), communicator,
                         stream);
    case Collective::gather:
      return gather(c, root_rank(plan));
    case Collective::scatter:
      return scatter(c, root_rank(plan));
    case Collective::all_to_all:
      return all_to_all(c);
    case Collective::send_recv:
      return send_recv(c);
  }
  throw UsageError("NCCL has no such collective");
}

}  // namespace fabricast
