#include "emulator/runtime/nccl_communicators.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>

#include "emulator/base/error.hpp"
#include "emulator/runtime/nccl_library.hpp"

namespace fabricast {
namespace {

std::string this_host() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0) return "unknown";
  return name;
}

// The processes that see the same GPUs in the same order: one host, one CUDA_VISIBLE_DEVICES.
std::string visibility_key() {
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  return this_host() + "|" + (visible != nullptr ? visible : "all");
}

std::string bus_id(int device) {
  char text[32] = {};
  check_cuda(cudaDeviceGetPCIBusId(text, sizeof text, device), "reading a GPU's PCI address");
  return text;
}

}  // namespace

void check_cuda(cudaError_t code, const std::string& what) {
  if (code == cudaSuccess) return;
  throw RuntimeError(
      fmt::format("{} failed: {} ({})", what, cudaGetErrorString(code), cudaGetErrorName(code)));
}

NcclCommunicators::NcclCommunicators(Communicator processes, double deadline_seconds)
    : processes_(std::move(processes)), deadline_seconds_(deadline_seconds) {
  choose_devices();
  for (auto& member : members_) {
    check_cuda(cudaSetDevice(member.device), "selecting a GPU");
    check_cuda(cudaStreamCreateWithFlags(&member.stream, cudaStreamNonBlocking),
               "creating a stream");
    check_cuda(cudaEventCreate(&member.start), "creating an event");
    check_cuda(cudaEventCreate(&member.stop), "creating an event");
  }
}

NcclCommunicators::~NcclCommunicators() {
  abort_all();
  for (auto& member : members_) {
    if (member.start != nullptr) cudaEventDestroy(member.start);
    if (member.stop != nullptr) cudaEventDestroy(member.stop);
    if (member.stream != nullptr) cudaStreamDestroy(member.stream);
  }
}

void NcclCommunicators::choose_devices() {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess) devices = 0;
  if (processes_.size() == 1) {
    if (devices == 0)
      throw RuntimeError("NCCL needs a GPU (none is visible) run it where there is one");
    for (int d = 0; d < devices; ++d)
      members_.push_back({d, d, nullptr, nullptr, nullptr, nullptr});
    ranks_ = devices;
    return;
  }
  // Everybody sees everybody's situation and comes to the same verdict.
  const auto views = processes_.all_gather(fmt::format("{}\n{}", devices, visibility_key()));
  std::map<std::string, int> taken;
  int mine = 0;
  for (std::size_t r = 0; r < views.size(); ++r) {
    const auto newline = views[r].find('\n');
    const std::string key = views[r].substr(newline + 1);
    const int visible = std::stoi(views[r].substr(0, newline));
    const int local = taken[key]++;
    if (local >= visible) {
      throw RuntimeError(
          fmt::format("process {} on host {} has no GPU of its own ({} visible there, one process "
                      "each) start at "
                      "most as many processes per host as it has GPUs",
                      r, key.substr(0, key.find('|')), visible));
    }
    if (static_cast<int>(r) == processes_.rank()) mine = local;
  }
  // Different CUDA_VISIBLE_DEVICES may still name one GPU twice.
  const auto addresses = processes_.all_gather(this_host() + " " + bus_id(mine));
  for (std::size_t r = 0; r < addresses.size(); ++r) {
    const auto first =
        std::find(addresses.begin(), addresses.end(), addresses[r]) - addresses.begin();
    if (static_cast<std::size_t>(first) != r) {
      throw RuntimeError(
          fmt::format("processes {} and {} use the same GPU ({}) give each process its "
                      "own through CUDA_VISIBLE_DEVICES",
                      first, r, addresses[r]));
    }
  }
  members_.push_back({processes_.rank(), mine, nullptr, nullptr, nullptr, nullptr});
  ranks_ = processes_.size();
}

std::string NcclCommunicators::gpu_name() const {
  cudaDeviceProp properties{};
  if (cudaGetDeviceProperties(&properties, members_.front().device) != cudaSuccess) return "GPU";
  return properties.name;
}

void NcclCommunicators::abort_all() {
  for (auto& member : members_) {
    if (member.communicator == nullptr) continue;
    cudaSetDevice(member.device);
    nccl_library().comm_abort(member.communicator);
    member.communicator = nullptr;
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
    if (waited.count() > deadline_seconds_) {
      abort_all();
      throw RuntimeError(
          fmt::format("{} did not end within {} s (a peer died or the network hangs) the "
                      "NCCL communicator was aborted; see NCCL_DEBUG=INFO",
                      what, deadline_seconds_));
    }
    sched_yield();
  }
}

void NcclCommunicators::connect(std::int32_t ranks) {
  if (ranks == connected_ranks_) return;
  abort_all();
  const auto& nccl = nccl_library();
  ncclUniqueId id{};
  std::string bytes;
  std::string problem;
  if (processes_.is_root()) {
    if (const auto code = nccl.get_unique_id(&id); code != ncclSuccess) {
      problem = nccl.get_error_string(code);
    } else {
      bytes.assign(id.internal, sizeof id.internal);
    }
  }
  processes_.broadcast(bytes);
  if (bytes.size() != sizeof id.internal) {
    throw RuntimeError("NCCL cannot make a unique id (" + problem + ") see NCCL_DEBUG=INFO");
  }
  std::memcpy(id.internal, bytes.data(), sizeof id.internal);
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
  for (const auto& member : members_) {
    if (member.communicator == nullptr) continue;
    check_cuda(cudaSetDevice(member.device), "selecting a GPU");
    const auto code = call(member);
    if (first_error == ncclSuccess && code != ncclInProgress) first_error = code;
  }
  const auto ended = nccl.group_end();
  check_nccl(first_error, what);
  check_nccl(ended, what);
  poll(
      [&] {
        return std::all_of(members_.begin(), members_.end(), [&](const NcclMember& member) {
          if (member.communicator == nullptr) return true;
          ncclResult_t state = ncclSuccess;
          nccl.comm_get_async_error(member.communicator, &state);
          return state != ncclInProgress;
        });
      },
      what);
  for (const auto& member : members_) {
    if (member.communicator == nullptr) continue;
    ncclResult_t state = ncclSuccess;
    nccl.comm_get_async_error(member.communicator, &state);
    check_nccl(state, what);
  }
}

void NcclCommunicators::wait(const std::string& what) {
  for (const auto& member : members_) {
    if (member.communicator == nullptr) continue;
    cudaError_t state = cudaErrorNotReady;
    poll(
        [&] {
          state = cudaEventQuery(member.stop);
          return state != cudaErrorNotReady;
        },
        what);
    check_cuda(state, what);
  }
}

}  // namespace fabricast
