// What CUDA says of the first device, and the session on it.
#include "bench/suites/cublas_library.hpp"
#include "bench/suites/reduce_copy_kernel.cuh"
#include "kernels/cuda/interpreter.hpp"

namespace fabricast::micro {

DeviceProbe probe() {
  const cuda::DeviceProbe found = cuda::probe_devices();
  DeviceProbe result;
  result.devices = found.devices;
  result.reason = found.reason;
  if (found.devices == 0) return result;
  cudaDeviceProp p{};
  check(cudaGetDeviceProperties(&p, 0), "reading the GPU");
  if (p.cooperativeLaunch == 0) {
    throw RuntimeError(
        "this GPU cannot launch cooperatively (CTAs would wait for CTAs that never start) use a GPU "
        "of compute capability 6.0 or later");
  }
  int blocks = 0;
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, reduce_copy_kernel<1>,
                                                      threads_per_cta, 0),
        "asking for the occupancy (no code for this GPU?)");
  DeviceFacts& facts = result.facts;
  facts.name = p.name;
  facts.multiprocessors = p.multiProcessorCount;
  facts.resident_ctas = blocks * p.multiProcessorCount;
  facts.memory_bytes = static_cast<std::int64_t>(p.totalGlobalMem);
  facts.l2_bytes = p.l2CacheSize;
  facts.no_gemm = cublas_library().problem;
  char bus[32] = {};
  check(cudaDeviceGetPCIBusId(bus, sizeof bus, 0), "asking for the PCI bus id");
  result.bus_id = bus;
  result.description = cuda::Interpreter(0).description() + ", " +
                       (facts.no_gemm.empty() ? cublas_library().name : facts.no_gemm);
  return result;
}

std::shared_ptr<Session> open_session() { return std::make_shared<Session>(); }

}  // namespace fabricast::micro
