// A libnccl.so.2 for tests: enough of the interface to run every collective between the ranks of
// one process, non-blocking as the real one. FAKE_NCCL says how it behaves: "hang_connect",
// "hang_accept", "hang_stream", "fail_connect", "fail_async", "hang_blocking", "slow_launch" (the
// host takes 200 ms to queue an operation); built with
// FAKE_NCCL_VERSION below 22800 it lacks what those versions lack.
#include <dlfcn.h>
#include <nccl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

struct ncclComm {
  int rank = 0, ranks = 0, blocking = 1, polls = 0;
  ncclResult_t state = ncclSuccess;
  bool connected = false;
};

namespace {
enum class Kind {
  all_reduce,
  all_gather,
  reduce_scatter,
  broadcast,
  reduce,
  gather,
  scatter,
  send,
  recv
};
struct Op {
  Kind kind;
  const char* in;
  char* out;
  std::size_t count;
  ncclDataType_t type;
  ncclRedOp_t op;
  int root;  // or peer
  ncclComm* comm;
  void* stream;
};
thread_local std::vector<Op> group;
thread_local int depth = 0;
thread_local bool blocking = false;  // the communicators this thread connected last
int* mask = nullptr;

// profiler_v4.h, as NCCL sees it.
struct Profiler {
  const char* name;
  ncclResult_t (*init)(void**, int*, const char*, std::uint64_t, int, int, int, void*);
  ncclResult_t (*start)(void*, void**, void*);
  ncclResult_t (*stop)(void*);
  ncclResult_t (*record)(void*, int, void*);
  ncclResult_t (*finalize)(void*);
};
struct CollectiveEvent {
  std::uint8_t type = 2;
  void* parent = nullptr;
  int rank = 0;
  std::uint64_t sequence = 0;
  const char* function = "AllReduce";
  const void* in = nullptr;
  void* out = nullptr;
  std::size_t count = 0;
  int root = 0;
  const char* element = "ncclFloat32";
  std::uint8_t channels = 2, warps = 16;
  const char* algorithm = "RING";
  const char* protocol = "LL";
  char padding[64] = {};
};
const Profiler* profiler() {
#if FAKE_NCCL_VERSION >= 22700
  const char* wanted = std::getenv("NCCL_PROFILER_PLUGIN");
  if (wanted == nullptr || std::strcmp(wanted, "STATIC_PLUGIN") != 0) return nullptr;
  return static_cast<const Profiler*>(dlsym(RTLD_DEFAULT, "ncclProfiler_v4"));
#else
  return nullptr;
#endif
}

bool mode(const char* wanted) {
  const char* text = std::getenv("FAKE_NCCL");
  return text != nullptr && std::strcmp(text, wanted) == 0;
}
std::size_t size(ncclDataType_t type) {
  return type == ncclFloat16 || type == ncclBfloat16 ? 2 : 4;
}

template <class T>
void fold(ncclRedOp_t op, const char* from, char* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    T a, b;
    std::memcpy(&a, to + i * sizeof(T), sizeof(T));
    std::memcpy(&b, from + i * sizeof(T), sizeof(T));
    const T c = op == ncclSum   ? static_cast<T>(a + b)
                : op == ncclMin ? (b < a ? b : a)
                                : (a < b ? b : a);
    std::memcpy(to + i * sizeof(T), &c, sizeof(T));
  }
}

// What all members of one collective do, from copies of their inputs.
void perform(const std::vector<Op>& ops) {
  const Op& first = ops.front();
  const std::size_t bytes = first.count * size(first.type);
  const auto n = ops.size();
  const auto root = static_cast<std::size_t>(first.root);
  std::size_t in_bytes = bytes;
  if (first.kind == Kind::reduce_scatter || first.kind == Kind::scatter) in_bytes *= n;
  std::vector<std::string> in(n);
  for (std::size_t r = 0; r < n; ++r) {
    const bool counts = first.kind != Kind::scatter && first.kind != Kind::broadcast;
    if (counts || r == root) in[r].assign(ops[r].in, in_bytes);
  }
  const bool reducing = first.kind == Kind::all_reduce || first.kind == Kind::reduce ||
                        first.kind == Kind::reduce_scatter;
  std::string sum = in[root < n ? root : 0];
  if (reducing) {
    sum = in[0];
    for (std::size_t r = 1; r < n; ++r) {
      const auto count = in_bytes / size(first.type);
      if (first.type == ncclInt32) fold<std::int32_t>(first.op, in[r].data(), sum.data(), count);
      if (first.type == ncclFloat32) fold<float>(first.op, in[r].data(), sum.data(), count);
    }
  }
  for (std::size_t r = 0; r < n; ++r) {
    switch (first.kind) {
      case Kind::all_reduce:
        std::memcpy(ops[r].out, sum.data(), bytes);
        break;
      case Kind::reduce:
        if (r == root) std::memcpy(ops[r].out, sum.data(), bytes);
        break;
      case Kind::broadcast:
        std::memcpy(ops[r].out, in[root].data(), bytes);
        break;
      case Kind::reduce_scatter:
        std::memcpy(ops[r].out, sum.data() + r * bytes, bytes);
        break;
      case Kind::scatter:
        std::memcpy(ops[r].out, in[root].data() + r * bytes, bytes);
        break;
      case Kind::all_gather:
      case Kind::gather:
        if (first.kind == Kind::gather && r != root) break;
        for (std::size_t s = 0; s < n; ++s)
          std::memcpy(ops[r].out + s * bytes, in[s].data(), bytes);
        break;
      default:
        break;
    }
  }
}

// Sends and receives between the ranks of the group, matched in order.
void exchange(std::vector<Op> ops) {
  for (const Op& send : ops) {
    if (send.kind != Kind::send) continue;
    for (Op& recv : ops) {
      if (recv.kind != Kind::recv || recv.root != send.comm->rank || recv.comm->rank != send.root)
        continue;
      std::memmove(recv.out, send.in, send.count * size(send.type));
      recv.kind = Kind::reduce;  // taken
      break;
    }
  }
}

void launch(std::vector<Op> ops) {
  if (ops.empty()) return;
  if (const auto* p = profiler(); p != nullptr && mask != nullptr && (*mask & 2) != 0) {
    for (const Op& op : ops) {
      CollectiveEvent event;
      if (op.kind == Kind::send || op.kind == Kind::recv) event.type = 4;
      void* handle = nullptr;
      p->start(nullptr, &handle, &event);
    }
  }
  using Queue = void (*)(void*, void (*)(void*), void*);
  const auto queue = reinterpret_cast<Queue>(dlsym(RTLD_DEFAULT, "fake_cuda_queue"));
  for (const Op& op : ops) {
    if (mode("hang_stream")) queue(op.stream, nullptr, nullptr);
  }
  if (mode("hang_stream")) return;
  // The last member's stream does the work of all.
  static std::vector<std::unique_ptr<std::vector<Op>>> all_kept;  // graphs run them again
  all_kept.push_back(std::make_unique<std::vector<Op>>(ops));
  auto* kept = all_kept.back().get();
  queue(
      ops.back().stream,
      [](void* data) {
        const auto& all = *static_cast<std::vector<Op>*>(data);
        const bool transfers = all[0].kind == Kind::send || all[0].kind == Kind::recv;
        transfers ? exchange(all) : perform(all);
      },
      kept);
}

ncclResult_t add(const Op& op) {
  group.push_back(op);
  return op.comm->blocking != 0 ? ncclSuccess : ncclInProgress;
}
ncclResult_t add(Kind kind, const void* in, void* out, std::size_t count, ncclDataType_t type,
                 ncclRedOp_t op, int root, ncclComm_t comm, cudaStream_t stream) {
  return add(Op{kind, static_cast<const char*>(in), static_cast<char*>(out), count, type, op, root,
                comm, stream});
}
}  // namespace

extern "C" {
ncclResult_t ncclGetVersion(int* version) {
  *version = FAKE_NCCL_VERSION;
  return ncclSuccess;
}
const char* ncclGetErrorString(ncclResult_t) { return "an error of the fake NCCL"; }
const char* ncclGetLastError(ncclComm_t) { return "nothing more is known"; }
ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  std::memset(id, 7, sizeof *id);
  return ncclSuccess;
}
ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int ranks, ncclUniqueId, int rank,
                                    ncclConfig_t* config) {
  if (mode("fail_connect")) return ncclSystemError;
  *comm = new ncclComm{rank, ranks, config->blocking, 0, ncclInProgress, false};
  if (const auto* p = profiler(); p != nullptr) {
    void* context = nullptr;
    static int event_mask = 0;
    mask = &event_mask;
    p->init(&context, mask, "", 1, 1, ranks, rank, nullptr);
  }
  blocking = config->blocking != 0;
  if (blocking) {
    if (mode("hang_blocking")) pause();
    (*comm)->state = ncclSuccess;
    return ncclSuccess;
  }
  return ncclInProgress;
}
ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* state) {
  const bool hangs = comm->connected ? mode("hang_accept") : mode("hang_connect");
  if (comm->state == ncclInProgress && !hangs && ++comm->polls % 3 == 0) {
    comm->state = ncclSuccess;
    comm->connected = true;
  }
  *state = comm->state;
  return ncclSuccess;
}
ncclResult_t ncclCommAbort(ncclComm_t comm) {
  if (const char* file = std::getenv("FAKE_NCCL_ABORTS")) {
    if (FILE* out = std::fopen(file, "a")) {
      std::fputs("abort\n", out);
      std::fclose(out);
    }
  }
  delete comm;
  return ncclSuccess;
}
ncclResult_t ncclGroupStart() {
  ++depth;
  return ncclSuccess;
}
ncclResult_t ncclGroupEnd() {
  if (--depth > 0 || group.empty()) return blocking ? ncclSuccess : ncclInProgress;
  std::vector<Op> ops;
  ops.swap(group);
  for (const Op& op : ops) {
    op.comm->state = mode("fail_async") ? ncclRemoteError : ncclInProgress;
  }
  if (mode("slow_launch")) usleep(200'000);
  if (!mode("hang_accept") && !mode("fail_async")) launch(ops);
  return ncclInProgress;
}
ncclResult_t ncclAllReduce(const void* in, void* out, std::size_t count, ncclDataType_t type,
                           ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream) {
  return add(Kind::all_reduce, in, out, count, type, op, 0, comm, stream);
}
ncclResult_t ncclAllGather(const void* in, void* out, std::size_t count, ncclDataType_t type,
                           ncclComm_t comm, cudaStream_t stream) {
  return add(Kind::all_gather, in, out, count, type, ncclSum, 0, comm, stream);
}
ncclResult_t ncclReduceScatter(const void* in, void* out, std::size_t count, ncclDataType_t type,
                               ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream) {
  return add(Kind::reduce_scatter, in, out, count, type, op, 0, comm, stream);
}
ncclResult_t ncclBroadcast(const void* in, void* out, std::size_t count, ncclDataType_t type,
                           int root, ncclComm_t comm, cudaStream_t stream) {
  return add(Kind::broadcast, in, out, count, type, ncclSum, root, comm, stream);
}
ncclResult_t ncclReduce(const void* in, void* out, std::size_t count, ncclDataType_t type,
                        ncclRedOp_t op, int root, ncclComm_t comm, cudaStream_t stream) {
  return add(Kind::reduce, in, out, count, type, op, root, comm, stream);
}
ncclResult_t ncclSend(const void* in, std::size_t count, ncclDataType_t type, int peer,
                      ncclComm_t comm, cudaStream_t stream) {
  return add(Kind::send, in, nullptr, count, type, ncclSum, peer, comm, stream);
}
ncclResult_t ncclRecv(void* out, std::size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  return add(Kind::recv, nullptr, out, count, type, ncclSum, peer, comm, stream);
}
#if FAKE_NCCL_VERSION >= 22800
ncclResult_t ncclGather(const void* in, void* out, std::size_t count, ncclDataType_t type, int root,
                        ncclComm_t comm, cudaStream_t stream) {
  return add(Kind::gather, in, out, count, type, ncclSum, root, comm, stream);
}
ncclResult_t ncclScatter(const void* in, void* out, std::size_t count, ncclDataType_t type,
                         int root, ncclComm_t comm, cudaStream_t stream) {
  return add(Kind::scatter, in, out, count, type, ncclSum, root, comm, stream);
}
#endif
#if FAKE_NCCL_VERSION >= 22700
// As the real one: blocking communicators are answered, of others the operations are launched.
ncclResult_t ncclGroupSimulateEnd(ncclSimInfo_t* info) {
  if (!group.empty() && group[0].comm->blocking == 0) return ncclGroupEnd();
  --depth;
  info->estimatedTime = group.empty() ? -1.0f : 12.5f;
  group.clear();
  return ncclSuccess;
}
ncclResult_t ncclMemAlloc(void** data, std::size_t bytes) {
  *data = std::aligned_alloc(4096, bytes);
  return ncclSuccess;
}
ncclResult_t ncclMemFree(void* data) {
  std::free(data);
  return ncclSuccess;
}
ncclResult_t ncclCommWindowRegister(ncclComm_t, void* data, std::size_t bytes, ncclWindow_t* window,
                                    int flags) {
  if (reinterpret_cast<std::uintptr_t>(data) % 4096 != 0 || bytes % 4096 != 0 || flags != 1)
    return ncclInvalidArgument;
  *window = reinterpret_cast<ncclWindow_t>(data);
  return ncclSuccess;
}
ncclResult_t ncclCommWindowDeregister(ncclComm_t, ncclWindow_t) { return ncclSuccess; }
#endif
}
