#include "emulator/runtime/nccl_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/runtime/nccl_profiler.hpp"

namespace fabricast {
namespace {

// ncclCommInitRankConfig and non-blocking communicators exist since 2.14 (NCCL release notes).
constexpr int least_version = 21400;

template <class Function>
void find(void* library, const char* name, Function& function, std::string& problem) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr && problem.empty()) {
    problem = fmt::format("libnccl.so.2 lacks {} (too old) install NCCL 2.14 or later", name);
  }
}

NcclLibrary load() {
  NcclLibrary nccl;
  offer_nccl_profiler();
  void* library = dlopen("libnccl.so.2", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = dlerror();
    nccl.problem = fmt::format("NCCL cannot be loaded ({}) install it or set LD_LIBRARY_PATH",
                               why != nullptr ? why : "unknown reason");
    return nccl;
  }
  find(library, "ncclGetVersion", nccl.get_version, nccl.problem);
  find(library, "ncclGetErrorString", nccl.get_error_string, nccl.problem);
  find(library, "ncclGetLastError", nccl.get_last_error, nccl.problem);
  find(library, "ncclGetUniqueId", nccl.get_unique_id, nccl.problem);
  find(library, "ncclCommInitRankConfig", nccl.comm_init_rank_config, nccl.problem);
  find(library, "ncclCommGetAsyncError", nccl.comm_get_async_error, nccl.problem);
  find(library, "ncclCommAbort", nccl.comm_abort, nccl.problem);
  find(library, "ncclGroupStart", nccl.group_start, nccl.problem);
  find(library, "ncclGroupEnd", nccl.group_end, nccl.problem);
  find(library, "ncclAllReduce", nccl.all_reduce, nccl.problem);
  find(library, "ncclAllGather", nccl.all_gather, nccl.problem);
  find(library, "ncclReduceScatter", nccl.reduce_scatter, nccl.problem);
  find(library, "ncclBroadcast", nccl.broadcast, nccl.problem);
  find(library, "ncclReduce", nccl.reduce, nccl.problem);
  find(library, "ncclSend", nccl.send, nccl.problem);
  find(library, "ncclRecv", nccl.recv, nccl.problem);
  std::string missing;  // is no problem: these are asked for when they are needed
  find(library, "ncclGather", nccl.gather, missing);
  find(library, "ncclScatter", nccl.scatter, missing);
  find(library, "ncclGroupSimulateEnd", nccl.group_simulate_end, missing);
  find(library, "ncclMemAlloc", nccl.mem_alloc, missing);
  find(library, "ncclMemFree", nccl.mem_free, missing);
  find(library, "ncclCommWindowRegister", nccl.window_register, missing);
  find(library, "ncclCommWindowDeregister", nccl.window_deregister, missing);
  if (!nccl.problem.empty()) return nccl;
  if (nccl.get_version(&nccl.version) != ncclSuccess) {
    nccl.problem = "NCCL does not say its version (broken installation) reinstall it";
  } else if (nccl.version < least_version || nccl.version / 10000 != NCCL_MAJOR) {
    nccl.problem = fmt::format(
        "NCCL {} is not supported (this build needs {}.x, at least {}) install "
        "another version",
        nccl.version_text(), NCCL_MAJOR, nccl_version_text(least_version));
  }
  return nccl;
}

}  // namespace

std::string nccl_version_text(int code) {
  const int major_unit = code < 10000 ? 1000 : 10000;
  return fmt::format("{}.{}.{}", code / major_unit, code % major_unit / 100, code % 100);
}

std::string NcclLibrary::version_text() const { return nccl_version_text(version); }

const NcclLibrary& nccl_library() {
  static const NcclLibrary library = load();
  return library;
}

void check_nccl(ncclResult_t code, const std::string& what) {
  if (code == ncclSuccess || code == ncclInProgress) return;
  const auto& nccl = nccl_library();
  throw RuntimeError(fmt::format("{} failed: {} ({})", what, nccl.get_error_string(code),
                                 nccl.get_last_error(nullptr)));
}

}  // namespace fabricast
