// One NCCL rank per GPU: which GPUs this process drives, and their communicators.
//
// Two ways: a single process drives every visible GPU, or each MPI process drives one
// (gpu_assignment.hpp). Communicators are non-blocking: every
// wait polls NCCL's asynchronous error with a deadline and aborts the communicator, so a dead peer
// becomes a message. Collective construction.
#pragma once

#include <cuda_runtime.h>
#include <nccl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "emulator/base/communicator.hpp"
#include "emulator/base/error.hpp"
#include "emulator/runtime/executor.hpp"
#include "kernels/cuda/gated_stream.hpp"

namespace fabricast {

void check_cuda(cudaError_t code, const std::string& what);

// One id for all processes, made by the root. Throws RuntimeError on all of them. Collective.
ncclUniqueId shared_unique_id(const Communicator& processes);

// A GPU of this process with its rank.
struct NcclMember {
  std::int32_t rank = 0;
  int device = 0;
  std::shared_ptr<cuda::GatedStream> stream;
  ncclComm_t communicator = nullptr;
  void* window = nullptr;           // symmetric memory registered with the communicator
  cudaGraphExec_t graph = nullptr;  // the operation as a graph
};

class NcclCommunicators {
 public:
  NcclCommunicators(Communicator processes, const NcclOptions& options);
  ~NcclCommunicators();
  NcclCommunicators(const NcclCommunicators&) = delete;
  NcclCommunicators& operator=(const NcclCommunicators&) = delete;

  std::int32_t ranks() const { return ranks_; }
  const std::vector<NcclMember>& members() const { return members_; }
  std::string gpu_name() const;
  // Ranks are more than GPUs: what they do is right or wrong, never fast or slow.
  bool gpus_are_shared() const { return gpus_are_shared_; }

  // Communicators over the first `ranks` ranks; processes beyond them hold no member of it.
  // Collective over all processes.
  void connect(std::int32_t ranks);
  // Members of this process that belong to the connected communicators.
  std::int32_t connected_members() const { return connected_members_; }

  // Enqueues `call` for every connected member as one group, polls until NCCL has accepted it.
  void group(const std::function<ncclResult_t(const NcclMember&)>& call, const std::string& what);
  // Makes `memory(member)` a symmetric window of every connected member, or takes windows back.
  // Collective.
  void register_windows(const std::function<std::pair<void*, std::size_t>(std::size_t)>& memory);
  void deregister_windows();
  // `call` as a graph per connected member: capture() after the operation has run once (NCCL
  // connects then), launch() instead of group(). A new capture drops the old graphs.
  void capture(const std::function<ncclResult_t(const NcclMember&)>& call, const std::string& what);
  void launch(const std::string& what);
  void drop_graphs();
  // Waits for everything queued.
  void synchronize(const std::string& what);
  // Seconds that what `queue` puts on the members' streams takes, the slowest member's. None of it
  // starts before all is queued and `before_start` has returned; then all members' does at once. So
  // NCCL must not wait for a device to accept it, as it may the first time. Throws RuntimeError if
  // a GPU did not wait: that is no measurement.
  double timed(const std::function<void()>& queue, const std::function<void()>& before_start,
               const std::string& what);

 private:
  template <class Act>
  void for_connected(const Act& act) {
    for (auto& member : members_) {
      if (member.communicator == nullptr) continue;
      check_cuda(cudaSetDevice(member.device), "selecting a GPU");
      act(member);
    }
  }
  void choose_devices();
  // Waits for what is queued before the members' streams were last told to stop.
  void wait(const std::string& what);
  void open_gates() noexcept;
  void abort_all();
  void poll_accepted(const std::string& what);
  // Until `done` says true; throws after an asynchronous error or the deadline, having aborted.
  void poll(const std::function<bool()>& done, const std::string& what);

  Communicator processes_;
  NcclOptions options_;
  bool gpus_are_shared_ = false;
  std::int32_t ranks_ = 0;
  std::vector<NcclMember> members_;
  std::int32_t connected_ranks_ = 0;
  std::int32_t connected_members_ = 0;
};

}  // namespace fabricast
