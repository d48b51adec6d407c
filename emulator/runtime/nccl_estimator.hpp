// What NCCL's own model expects of an operation: ncclGroupSimulateEnd (2.22).
//
// It answers for blocking communicators only, so this has communicators of its own beside those
// that run operations; they never send anything. A blocking connection cannot be aborted, so it is
// made in a thread that is left behind when it does not return in time. Collective construction.
#pragma once

#include <nccl.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "emulator/base/communicator.hpp"
#include "emulator/runtime/nccl_communicators.hpp"

namespace fabricast {

class NcclEstimator {
 public:
  // Over the members with rank < ranks. Never throws for what NCCL cannot do: see problem().
  NcclEstimator(Communicator processes, const std::vector<NcclMember>& members, std::int32_t ranks,
                double deadline_seconds);
  ~NcclEstimator();
  NcclEstimator(const NcclEstimator&) = delete;
  NcclEstimator& operator=(const NcclEstimator&) = delete;

  // Empty: estimates can be had. The same on every process.
  const std::string& problem() const { return problem_; }

  // Microseconds, the slowest process's; 0 where NCCL has none. `call` enqueues the operation for a
  // member on the given communicator; nothing is launched. Collective.
  double estimate(const std::function<ncclResult_t(const NcclMember&, ncclComm_t)>& call);

 private:
  void connect(std::int32_t ranks, double deadline_seconds);

  Communicator processes_;
  std::vector<NcclMember> members_;        // those with a communicator here
  std::vector<ncclComm_t> communicators_;  // by member
  std::string problem_;
};

}  // namespace fabricast
