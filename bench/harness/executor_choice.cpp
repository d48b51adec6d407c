#include "bench/harness/executor_choice.hpp"

#include <fmt/format.h>

#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

// CTAs as ranks of one device when nobody says how many: the GPUs of one HGX box.
constexpr std::int32_t default_cuda_ranks = 8;

struct Decision {
  ExecutorKind kind{};
  std::string why;
  bool fallback = false;
};

Decision decide(const Communicator& communicator) {
  const Availability nccl = nccl_availability(communicator);
  if (communicator.size() > 1) {
    if (nccl.available) return {ExecutorKind::nccl, nccl.reason, false};
    return {ExecutorKind::mpi,
            fmt::format("{} processes on host cores, no GPU is measured ({})", communicator.size(),
                        nccl.reason),
            true};
  }
  const Availability cuda = cuda_availability();
  if (nccl.available && nccl.devices >= 2) return {ExecutorKind::nccl, nccl.reason, false};
  if (cuda.available) {
    return {ExecutorKind::cuda,
            fmt::format("one GPU: thread blocks as ranks, no interconnect is measured ({})",
                        cuda.devices == 1 ? cuda.reason : nccl.reason),
            false};
  }
  return {ExecutorKind::host,
          fmt::format("threads on host cores, no GPU is measured ({})", cuda.reason), true};
}

std::unique_ptr<Executor> make(ExecutorKind kind, const Communicator& communicator,
                               std::int32_t ranks, const NcclOptions& nccl, bool multimem) {
  switch (kind) {
    case ExecutorKind::host:
      return make_host_executor(ranks);
    case ExecutorKind::mpi:
      return make_mpi_executor(communicator);
    case ExecutorKind::cuda:
      if (multimem) return make_multimem_executor(communicator);
      if (communicator.size() > 1) return make_peer_executor(communicator);
      return make_cuda_executor(ranks > 0 ? ranks : default_cuda_ranks, 0);
    case ExecutorKind::nccl:
      return make_nccl_executor(communicator, nccl);
    case ExecutorKind::peers:
      throw UsageError(
          "peers is the model of the cuda executor between GPUs (it is measured as what it runs "
          "as): "
          "use --executor cuda, a process per GPU under mpirun");
  }
  throw UsageError("unknown executor");
}

}  // namespace

ExecutorChoice choose_executor(const std::string& wanted, const Communicator& communicator,
                               std::int32_t ranks, const NcclOptions& nccl, bool multimem) {
  if (multimem && wanted != to_string(ExecutorKind::cuda)) {
    throw UsageError(
        "--multimem is of the cuda executor (NCCL chooses by itself, hosts have no switch that "
        "reduces): add --executor cuda");
  }
  const Decision decision = wanted == "auto"
                                ? decide(communicator)
                                : Decision{executor_from_name(wanted), "asked for", false};
  if (decision.kind == ExecutorKind::host && communicator.size() > 1) {
    throw UsageError(
        fmt::format("the host executor runs in one process, there are {} (its ranks are threads): "
                    "start it without mpirun, or use --executor mpi",
                    communicator.size()));
  }
  ExecutorChoice choice{decision.kind, make(decision.kind, communicator, ranks, nccl, multimem),
                        decision.why, decision.fallback};
  if (ranks > 0 && choice.executor->max_ranks() != ranks) {
    throw UsageError(fmt::format(
        "{} ranks were asked for, the {} executor has {} here: start as many processes as ranks",
        ranks, to_string(choice.kind), choice.executor->max_ranks()));
  }
  return choice;
}

}  // namespace fabricast
