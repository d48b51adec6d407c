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

  bool usable() const { return problem.empty(); }
  std::string version_text() const;  // "2.28.9"
};

const NcclLibrary& nccl_library();

// "2.28.9" from a version code, old (2708) and new (22809) style: NCCL_VERSION of nccl.h.
std::string nccl_version_text(int code);

// Throws RuntimeError unless the code is success or "in progress".
void check_nccl(ncclResult_t code, const std::string& what);

}  // namespace fabricast
