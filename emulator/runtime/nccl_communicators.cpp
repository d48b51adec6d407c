#include "emulator/runtime/nccl_communicators.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "emulator/base/error.hpp"
#include "emulator/runtime/gpu_assignment.hpp"
#include "emulator/runtime/nccl_library.hpp"
#include "emulator/runtime/process_agreement.hpp"
#include "kernels/cuda/device_memory.cuh"

namespace fabricast {
namespace {

void add_member(std::vector<NcclMember>& members, int rank, int device) {
  NcclMember member;
  member.rank = rank;
  member.device = device;
  members.push_back(member);
}

}  // namespace

void check_cuda(cudaError_t code, const std::string& what) { cuda::check(code, what); }

ncclUniqueId shared_unique_id(const Communicator& processes) {
  ncclUniqueId id{};
  std::string bytes;
  std::string problem;
  if (processes.is_root()) {
    if (const auto code = nccl_library().get_unique_id(&id); code != ncclSuccess) {
      problem = nccl_library().get_error_string(code);
    } else {
      bytes.assign(id.internal, sizeof id.internal);
    }
  }
  processes.broadcast(bytes);
  if (bytes.size() != sizeof id.internal) {
    throw RuntimeError("NCCL cannot make a unique id (" + problem + ") see NCCL_DEBUG=INFO");
  }
  std::memcpy(id.internal, bytes.data(), sizeof id.internal);
  return id;
}

NcclCommunicators::NcclCommunicators(Communicator processes, const NcclOptions& options)
    : processes_(std::move(processes)), options_(options) {
  choose_devices();
  for (auto& member : members_) {
    check_cuda(cudaSetDevice(member.device), "selecting a GPU");
    member.stream = std::make_shared<cuda::GatedStream>();
  }
}

NcclCommunicators::~NcclCommunicators() { abort_all(); }

void NcclCommunicators::choose_devices() {
  ranks_ = processes_.size();
  if (ranks_ == 1) {
    if (cudaGetDeviceCount(&ranks_) != cudaSuccess || ranks_ == 0) {
      throw RuntimeError("NCCL needs a GPU (none is visible) run it where there is one");
    }
    for (int d = 0; d < ranks_; ++d) add_member(members_, d, d);
    return;
  }
  gpus_are_shared_ = options_.share_gpus;
  const auto mine = gpus_are_shared_ ? assign_shared_gpu(processes_) : assign_gpu(processes_);
  if (!mine.problem.empty()) throw AgreedError(ExitCode::runtime, mine.problem);
  // NCCL refuses two ranks with one GPU on one host, so each becomes a host of its own; it reads
  // the variable when it first needs it.
  if (gpus_are_shared_) {
    setenv("NCCL_HOSTID", fmt::format("fabricast-rank-{}", processes_.rank()).c_str(), 1);
  }
  add_member(members_, processes_.rank(), mine.device);
}

std::string NcclCommunicators::gpu_name() const {
  cudaDeviceProp properties{};
  if (cudaGetDeviceProperties(&properties, members_.front().device) != cudaSuccess) return "GPU";
  return properties.name;
}

void NcclCommunicators::abort_all() {
  open_gates();  // NCCL waits for its kernels to see that they are aborted
  drop_graphs();
  for (auto& member : members_) {
    if (member.communicator == nullptr) continue;
    cudaSetDevice(member.device);
    nccl_library().comm_abort(member.communicator);
    member.communicator = nullptr;
    member.window = nullptr;  // went with the communicator
  }
  connected_ranks_ = 0;
  connected_members_ = 0;
}

void NcclCommunicators::poll(const std::function<bool()>& done, const std::string& what) {
  const auto start = std::chrono::steady_clock::now();
  for (int looks = 0; !done(); ++looks) {
    if (looks % 1024 != 1023) continue;  // the clock and NCCL's state are looked at now and then
    for (const auto& member : members_) {
      if (member.communicator == nullptr) continue;
      ncclResult_t state = ncclSuccess;
      nccl_library().comm_get_async_error(member.communicator, &state);
      if (state == ncclSuccess || state == ncclInProgress) continue;
      abort_all();
      check_nccl(state, what);
    }
    const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - start;
    if (waited.count() > options_.deadline_seconds) {
      abort_all();
      throw Stall(
          fmt::format("{} did not end within {} s (a peer died or the network hangs) the "
                      "NCCL communicator was aborted; see NCCL_DEBUG=INFO",
                      what, options_.deadline_seconds));
    }
    sched_yield();
  }
}

void NcclCommunicators::connect(std::int32_t ranks) {
  if (ranks == connected_ranks_) return;
  abort_all();
  const auto& nccl = nccl_library();
  const ncclUniqueId id = shared_unique_id(processes_);
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  check_nccl(nccl.group_start(), "ncclGroupStart");
  ncclResult_t first_error = ncclSuccess;
  for (auto& member : members_) {
    if (member.rank >= ranks) continue;
    check_cuda(cudaSetDevice(member.device), "selecting a GPU");
    // NCCL may write the handle until the connection stands: it needs a place that stays.
    const auto code =
        nccl.comm_init_rank_config(&member.communicator, ranks, id, member.rank, &config);
    if (first_error == ncclSuccess && code != ncclInProgress) first_error = code;
  }
  const auto ended = nccl.group_end();
  if (first_error != ncclSuccess || (ended != ncclSuccess && ended != ncclInProgress)) {
    abort_all();
    check_nccl(first_error != ncclSuccess ? first_error : ended, "connecting NCCL");
  }
  const auto connected = [&] {
    return std::all_of(members_.begin(), members_.end(), [&](const NcclMember& member) {
      if (member.communicator == nullptr) return true;
      ncclResult_t state = ncclSuccess;
      nccl.comm_get_async_error(member.communicator, &state);
      return state == ncclSuccess;
    });
  };
  poll(connected, "connecting NCCL");
  connected_ranks_ = ranks;
  connected_members_ = static_cast<std::int32_t>(
      std::count_if(members_.begin(), members_.end(),
                    [ranks](const NcclMember& member) { return member.rank < ranks; }));
}

void NcclCommunicators::group(const std::function<ncclResult_t(const NcclMember&)>& call,
                              const std::string& what) {
  const auto& nccl = nccl_library();
  check_nccl(nccl.group_start(), "ncclGroupStart");
  ncclResult_t first_error = ncclSuccess;
  for_connected([&](const NcclMember& member) {
    const auto code = call(member);
    if (first_error == ncclSuccess && code != ncclInProgress) first_error = code;
  });
  const auto ended = nccl.group_end();
  check_nccl(first_error, what);
  check_nccl(ended, what);
  poll_accepted(what);
}

void NcclCommunicators::poll_accepted(const std::string& what) {
  const auto state_of = [](const NcclMember& member) {
    ncclResult_t state = ncclSuccess;
    if (member.communicator != nullptr) {
      nccl_library().comm_get_async_error(member.communicator, &state);
    }
    return state;
  };
  poll(
      [&] {
        return std::all_of(members_.begin(), members_.end(), [&](const NcclMember& member) {
          return state_of(member) != ncclInProgress;
        });
      },
      what);
  for (const auto& member : members_) check_nccl(state_of(member), what);
}

void NcclCommunicators::synchronize(const std::string& what) {
  for_connected([](const NcclMember& member) { member.stream->stop(); });
  wait(what);
}

void NcclCommunicators::wait(const std::string& what) {
  for (const auto& member : members_) {
    if (member.communicator == nullptr) continue;
    cudaError_t state = cudaErrorNotReady;
    poll(
        [&] {
          state = member.stream->state();
          return state != cudaErrorNotReady;
        },
        what);
    check_cuda(state, what);
  }
}

}  // namespace fabricast
