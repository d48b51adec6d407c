// Executors run an ExecutionPlan on real data: host threads, MPI processes, CTAs on a GPU, NCCL.
//
// One interface; results are bit-exact against kernels/reference because inputs are chosen so that
// every reduction is exactly representable whatever the order (DESIGN 5). An executor that is not
// built or has no device says so through availability(); callers never see an #ifdef.
// Threading: an Executor is used from one thread; it may own threads of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "emulator/base/communicator.hpp"
#include "emulator/schedule/plan.hpp"
#include "kernels/data_type.hpp"
#include "kernels/hand_off.hpp"

namespace fabricast {

// prepare() copies what `plan` points to. In place follows NCCL's rules: one buffer for
// all_reduce, broadcast and reduce; the input of all_gather and gather is the own block of the
// output; the output of reduce_scatter and scatter is the own block of the input; all_to_all and
// send_recv cannot be done in place (UsageError). Inputs of scatter and broadcast count on the root
// alone, outputs of reduce and gather likewise. `hand_off` is the protocol of the plan's messages:
// host and cuda have all of them, mpi and nccl none but `simple` (UsageError); it changes no data.
// `symmetric` (buffers in registered symmetric windows) and `graph` (launched as a CUDA graph) are
// NCCL's alone: others throw UsageError.
struct RunRequest {
  const ExecutionPlan* plan = nullptr;
  DataType type = DataType::float32;
  ReduceOp op = ReduceOp::sum;
  bool in_place = false;
  HandOff hand_off = HandOff::simple;
  bool symmetric = false;
  bool graph = false;
};

// How a library that chooses by itself carried out the prepared request, in its own words. Nothing
// here is guessed: what it did not say is empty or 0, and `source` says why or from where.
struct LibraryChoice {
  std::string algorithm;  // "ring", "nvls_tree" ...: its name in lower case
  std::string protocol;   // "ll", "ll128", "simple"
  std::int32_t channels = 0;
  std::string source;
  double estimate_us = 0;  // what the library's own model expects; 0: it says nothing
  std::string estimate_source;
};

// Buffers are set up once per request (prepare), then run() is called warm-up + n times, then
// check() compares every output element with the reference.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual std::string name() const = 0;         // "host", "mpi", "cuda", "nccl"
  virtual std::string description() const = 0;  // one line: lanes, device, library version
  virtual std::int32_t max_ranks() const = 0;   // ranks this executor can hold here
  // May timings be reported? Host lanes beyond the usable cores: correctness only, and why.
  struct TimingVerdict {
    bool allowed = true;
    std::string reason;
  };
  virtual TimingVerdict may_time(const ExecutionPlan& plan) const = 0;

  virtual void prepare(const RunRequest& request) = 0;
  // One collective. Returns the seconds it took: the slowest rank's, from a common start.
  virtual double run() = 0;
  // Elements that differ from the reference after exactly one run() on freshly initialized buffers
  // (check does its own initialisation and run). With MPI the sum over all processes: collective.
  virtual std::int64_t check() = 0;
  // Runs the prepared request once more, untimed, and asks the library what it did; nullopt where
  // we choose ourselves. With MPI collective.
  virtual std::optional<LibraryChoice> observe() { return std::nullopt; }
};

struct Availability {
  bool available = false;
  std::string reason;  // why not ("no CUDA device: driver not installed"), or what is there
  std::int32_t devices = 0;
};

// `ranks` ranks, one thread each, in this process; 0 = as many as usable cores. host_executor.hpp
// has more options.
std::unique_ptr<Executor> make_host_executor(std::int32_t ranks);
// One rank per MPI process of the communicator.
std::unique_ptr<Executor> make_mpi_executor(Communicator communicator);
// CTAs of one device as ranks, one cooperative launch. Throws RuntimeError when unavailable.
std::unique_ptr<Executor> make_cuda_executor(std::int32_t ranks, int device);
Availability cuda_availability();
// The same lanes on several GPUs: a rank per MPI process, each with a GPU of its own, messages
// through peer memory (CUDA IPC on one host, fabric handles between those of one NVLink domain).
// Throws AgreedError when that cannot be. Collective.
std::unique_ptr<Executor> make_peer_executor(Communicator processes);
// All-reduce by nvls on the same GPUs, reduced by the NVSwitch itself (multimem): other requests
// are UsageErrors. Also on several hosts of one NVLink domain. Throws AgreedError where a GPU or
// its fabric has no multicast. Collective.
std::unique_ptr<Executor> make_multimem_executor(Communicator processes);

struct NcclOptions {
  // Connecting, accepting an operation and carrying it out may each take so long without an answer;
  // then the communicator is aborted. Thousands of GPUs connect within a minute.
  double deadline_seconds = 60;
  // Several processes per GPU, each a host of its own to NCCL (NCCL_HOSTID): their kernels take
  // turns on the GPU and their messages go through the network, so nothing is timed.
  bool share_gpus = false;
  // Ask NCCL's model beside each measurement; needs a second, blocking communicator.
  bool estimate = true;
};
// One rank per GPU: all GPUs of this process, or one per MPI process. Throws AgreedError (runtime)
// where a process lacks NCCL or a GPU.
std::unique_ptr<Executor> make_nccl_executor(Communicator communicator,
                                             const NcclOptions& options = {});
Availability nccl_availability();
// May these processes run it? A single one on all its GPUs, several on one each; `devices` is the
// number of ranks then. The same verdict on every process. Collective.
Availability nccl_availability(const Communicator& processes);

}  // namespace fabricast
