// libnccl.so.2, loaded at run time: the program starts and works where NCCL is not installed.
//
// Types come from nccl.h; functions from dlsym. Loaded once per process, never unloaded (NCCL keeps
// threads). Thread safe after the first call.
#pragma once

#include <nccl.h>

#include <cstddef>
#include <string>

namespace fabricast {

struct NcclLibrary {
  int version = 0;      // ncclGetVersion's code, 22809 = 2.28.9
  std::string problem;  // empty: usable; else why not

  decltype(&ncclGetVersion) get_version = nullptr;
  decltype(&ncclGetErrorString) get_error_string = nullptr;
  decltype(&ncclGetLastError) get_last_error = nullptr;
  decltype(&ncclGetUniqueId) get_unique_id = nullptr;
  decltype(&ncclCommInitRankConfig) comm_init_rank_config = nullptr;
  decltype(&ncclCommGetAsyncError) comm_get_async_error = nullptr;
  decltype(&ncclCommAbort) comm_abort = nullptr;
  decltype(&ncclGroupStart) group_start = nullptr;
  decltype(&ncclGroupEnd) group_end = nullptr;
  decltype(&ncclAllReduce) all_reduce = nullptr;
  decltype(&ncclAllGather) all_gather = nullptr;
  decltype(&ncclReduceScatter) reduce_scatter = nullptr;
  decltype(&ncclBroadcast) broadcast = nullptr;
  decltype(&ncclReduce) reduce = nullptr;
  decltype(&ncclSend) send = nullptr;
  decltype(&ncclRecv) recv = nullptr;
  // Since NCCL 2.28; null in older libraries. Spelled out, so that older headers do, too.
  using RootedCopy = ncclResult_t (*)(const void* input, void* output, std::size_t count,
                                      ncclDataType_t type, int root, ncclComm_t communicator,
                                      cudaStream_t stream);
  RootedCopy gather = nullptr;
  RootedCopy scatter = nullptr;
  // Since 2.22. Of non-blocking communicators it would launch the operations and estimate nothing:
  // NCCL's group.cc hands the answer's place to blocking groups alone.
  struct Simulation {  // ncclSimInfo_t
    std::size_t size = sizeof(Simulation);
    unsigned magic = 0x74685283;
    unsigned version = 22200;
    float estimated_us = -1;
  };
  ncclResult_t (*group_simulate_end)(Simulation*) = nullptr;
  // Since 2.27: windows are opaque pointers. Memory of ncclMemAlloc (2.19) may lie in them.
  ncclResult_t (*mem_alloc)(void**, std::size_t) = nullptr;
  ncclResult_t (*mem_free)(void*) = nullptr;
  ncclResult_t (*window_register)(ncclComm_t, void*, std::size_t, void**, int) = nullptr;
  ncclResult_t (*window_deregister)(ncclComm_t, void*) = nullptr;

  bool has_symmetric_windows() const {
    return mem_alloc != nullptr && mem_free != nullptr && window_register != nullptr &&
           window_deregister != nullptr;
  }
  bool usable() const { return problem.empty(); }
  std::string version_text() const;  // "2.28.9"
};

const NcclLibrary& nccl_library();

// "2.28.9" from a version code, old (2708) and new (22809) style: NCCL_VERSION of nccl.h.
std::string nccl_version_text(int code);

// Throws RuntimeError unless the code is success or "in progress".
void check_nccl(ncclResult_t code, const std::string& what);

}  // namespace fabricast
