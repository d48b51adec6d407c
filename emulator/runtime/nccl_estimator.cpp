#include "emulator/runtime/nccl_estimator.hpp"

#include <fmt/format.h>

#include <chrono>
#include <future>
#include <memory>
#include <thread>

#include "emulator/runtime/nccl_library.hpp"

namespace fabricast {
namespace {

// What the connecting thread works on; it may outlive the estimator.
struct Connection {
  std::vector<NcclMember> members;
  std::vector<ncclComm_t> communicators;
  ncclUniqueId id{};
  std::int32_t ranks = 0;
};

std::string connect_blocking(Connection& c) {
  const auto& nccl = nccl_library();
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 1;
  if (const auto code = nccl.group_start(); code != ncclSuccess) return nccl.get_error_string(code);
  ncclResult_t first = ncclSuccess;
  for (std::size_t i = 0; i < c.members.size(); ++i) {
    if (cudaSetDevice(c.members[i].device) != cudaSuccess) first = ncclUnhandledCudaError;
    const auto code =
        nccl.comm_init_rank_config(&c.communicators[i], c.ranks, c.id, c.members[i].rank, &config);
    if (first == ncclSuccess) first = code;
  }
  const auto ended = nccl.group_end();
  if (first == ncclSuccess) first = ended;
  return first == ncclSuccess ? "" : nccl.get_error_string(first);
}

}  // namespace

NcclEstimator::NcclEstimator(Communicator processes, const std::vector<NcclMember>& members,
                             std::int32_t ranks, double deadline_seconds)
    : processes_(std::move(processes)) {
  for (const auto& member : members) {
    if (member.rank < ranks) members_.push_back(member);
  }
  std::string mine;
  if (nccl_library().group_simulate_end == nullptr) {
    mine = fmt::format("NCCL {} has no ncclGroupSimulateEnd (it came with 2.22)",
                       nccl_library().version_text());
  }
  for (const auto& problem : processes_.all_gather(mine)) {
    if (problem_.empty()) problem_ = problem;
  }
  if (problem_.empty()) connect(ranks, deadline_seconds);
}

void NcclEstimator::connect(std::int32_t ranks, double deadline_seconds) {
  auto connection = std::make_shared<Connection>();
  connection->members = members_;
  connection->communicators.assign(members_.size(), nullptr);
  connection->ranks = ranks;
  std::string problem;
  try {
    connection->id = shared_unique_id(processes_);
  } catch (const RuntimeError& error) {
    problem = error.what();
  }
  if (problem.empty() && !members_.empty()) {
    std::packaged_task<std::string()> task([connection] { return connect_blocking(*connection); });
    auto done = task.get_future();
    std::thread(std::move(task)).detach();
    const auto limit = std::chrono::duration<double>(deadline_seconds);
    if (done.wait_for(limit) == std::future_status::ready) {
      problem = done.get();
      communicators_ = connection->communicators;
    } else {
      problem =
          fmt::format("its blocking communicator did not connect within {} s", deadline_seconds);
    }
  }
  for (const auto& each : processes_.all_gather(problem)) {
    if (problem_.empty()) problem_ = each;
  }
}

NcclEstimator::~NcclEstimator() {
  for (std::size_t i = 0; i < communicators_.size(); ++i) {
    if (communicators_[i] == nullptr) continue;
    cudaSetDevice(members_[i].device);
    nccl_library().comm_abort(communicators_[i]);
  }
}

double NcclEstimator::estimate(
    const std::function<ncclResult_t(const NcclMember&, ncclComm_t)>& call) {
  if (!problem_.empty()) return 0;
  const auto& nccl = nccl_library();
  double mine = 0;
  std::string failure;
  if (!communicators_.empty()) {
    nccl.group_start();
    ncclResult_t first = ncclSuccess;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      cudaSetDevice(members_[i].device);
      const auto code = call(members_[i], communicators_[i]);
      if (first == ncclSuccess) first = code;
    }
    NcclLibrary::Simulation simulation;
    const auto ended = nccl.group_simulate_end(&simulation);
    if (first == ncclSuccess) first = ended;
    if (first != ncclSuccess) failure = nccl.get_error_string(first);
    if (simulation.estimated_us > 0) mine = static_cast<double>(simulation.estimated_us);
  }
  for (const auto& each : processes_.all_gather(failure)) {
    if (problem_.empty() && !each.empty()) problem_ = "ncclGroupSimulateEnd failed: " + each;
  }
  return problem_.empty() ? processes_.max(mine) : 0;
}

}  // namespace fabricast
