// Executors run an ExecutionPlan on real data: host threads, MPI processes, CTAs on a GPU, NCCL.
//
// One interface; results are bit-exact against kernels/reference because inputs are chosen so that
// every reduction is exactly representable whatever the order (DESIGN 5). An executor that is not
// built or has no device says so through availability(); callers never see an #ifdef.
// Threading: an Executor is used from one thread; it may own threads of its own.
#pragma once

#include <cstdint>
#include <memory>
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
struct RunRequest {
  const ExecutionPlan* plan = nullptr;
  DataType type = DataType::float32;
  ReduceOp op = ReduceOp::sum;
  bool in_place = false;
  HandOff hand_off = HandOff::simple;
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
// One rank per GPU: all GPUs of this process, or one per MPI process. Throws when unavailable.
std::unique_ptr<Executor> make_nccl_executor(Communicator communicator);
Availability nccl_availability();

}  // namespace fabricast
