// Symmetric windows, graphs and timed operations of NcclCommunicators.
#include <algorithm>

#include "emulator/base/error.hpp"
#include "emulator/runtime/nccl_communicators.hpp"
#include "emulator/runtime/nccl_library.hpp"

namespace fabricast {
namespace {
constexpr int symmetric_window = 1;  // NCCL_WIN_COLL_SYMMETRIC
}

void NcclCommunicators::register_windows(
    const std::function<std::pair<void*, std::size_t>(std::size_t)>& memory) {
  const auto& nccl = nccl_library();
  const std::string what = "registering a symmetric window";
  check_nccl(nccl.group_start(), "ncclGroupStart");
  ncclResult_t first = ncclSuccess;
  std::size_t next = 0;
  for_connected([&](NcclMember& member) {
    const auto [data, bytes] = memory(next++);
    // NCCL may write the handle until the registration is through: it needs a place that stays.
    const auto code =
        nccl.window_register(member.communicator, data, bytes, &member.window, symmetric_window);
    if (first == ncclSuccess && code != ncclInProgress) first = code;
  });
  const auto ended = nccl.group_end();
  check_nccl(first, what);
  check_nccl(ended, what);
  poll_accepted(what);
}

void NcclCommunicators::deregister_windows() {
  for (auto& member : members_) {
    if (member.window == nullptr) continue;
    if (member.communicator != nullptr) {
      check_nccl(nccl_library().window_deregister(member.communicator, member.window),
                 "taking a symmetric window back");
    }
    member.window = nullptr;
  }
  poll_accepted("taking symmetric windows back");
}

void NcclCommunicators::capture(const std::function<ncclResult_t(const NcclMember&)>& call,
                                const std::string& what) {
  drop_graphs();
  // Relaxed: a thread of NCCL queues the operation, and it may allocate.
  for_connected([](NcclMember& member) {
    check_cuda(cudaStreamBeginCapture(member.stream->handle(), cudaStreamCaptureModeRelaxed),
               "starting a capture");
  });
  group(call, what);
  for_connected([](NcclMember& member) {
    cudaGraph_t graph = nullptr;
    check_cuda(cudaStreamEndCapture(member.stream->handle(), &graph), "ending a capture");
    const auto code = cudaGraphInstantiate(&member.graph, graph, 0);
    cudaGraphDestroy(graph);
    check_cuda(code, "making a graph");
  });
}

void NcclCommunicators::launch(const std::string& what) {
  for_connected([&](const NcclMember& member) {
    check_cuda(cudaGraphLaunch(member.graph, member.stream->handle()), what);
  });
}

double NcclCommunicators::timed(const std::function<void()>& queue,
                                const std::function<void()>& before_start,
                                const std::string& what) {
  try {
    for_connected([](const NcclMember& member) { member.stream->hold(); });
    queue();
    for_connected([](const NcclMember& member) { member.stream->stop(); });
    before_start();
  } catch (...) {
    open_gates();
    throw;
  }
  open_gates();
  wait(what);
  double slowest = 0;
  for_connected([&](const NcclMember& member) {
    member.stream->expect_opened();
    slowest = std::max(slowest, member.stream->seconds());
  });
  return slowest;
}

void NcclCommunicators::open_gates() noexcept {
  for (const auto& member : members_) {
    if (member.stream != nullptr) member.stream->open();
  }
}

void NcclCommunicators::drop_graphs() {
  for (auto& member : members_) {
    if (member.graph != nullptr) cudaGraphExecDestroy(member.graph);
    member.graph = nullptr;
  }
}

}  // namespace fabricast
