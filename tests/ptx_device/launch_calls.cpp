// What nvcc makes of kernels and launches calls these; and the runtime's calls about kernels.
#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "tests/ptx_device/device_facts.hpp"
#include "tests/ptx_device/kernel_table.hpp"
#include "tests/ptx_device/machine.hpp"
#include "tests/ptx_device/status.hpp"
#include "tests/ptx_device/stream.hpp"

namespace fabricast::ptx {
namespace {

struct LaunchShape {
  dim3 blocks, threads;
  std::size_t shared_bytes = 0;
  cudaStream_t stream = nullptr;

  std::size_t threads_per_block() const { return std::size_t{threads.x} * threads.y * threads.z; }
  std::size_t block_count() const { return std::size_t{blocks.x} * blocks.y * blocks.z; }
};

thread_local std::vector<LaunchShape> configurations;  // of <<<>>>, until its stub takes them

// As CUDA 12.2 and later do unless told otherwise: a kernel is loaded when it is first used, and
// whoever needs it may have to wait until the device has nothing to do.
bool loads_lazily() {
  const char* loading = std::getenv("CUDA_MODULE_LOADING");
  return loading == nullptr || std::strcmp(loading, "EAGER") != 0;
}

template <class Body>
cudaError_t with_kernel(const KernelEntry* entry, const Body& body) {
  return call([&] {
    if (entry == nullptr) return cudaErrorInvalidDeviceFunction;
    const Kernel* kernel = nullptr;
    try {
      kernel = &kernel_of(*entry);
    } catch (const std::exception& error) {
      return refuse(cudaErrorInvalidPtx, error.what());
    }
    if (loads_on(*entry, current_device()) && loads_lazily()) wait_for_device(current_device());
    return body(*kernel);
  });
}

std::size_t resident_blocks(const Kernel& kernel, std::size_t threads, std::size_t shared_bytes) {
  if (threads == 0 || threads > max_threads_per_block) return 0;
  if (kernel.max_threads != 0 && threads > kernel.max_threads) return 0;
  const std::size_t warps = (threads + 31) / 32;
  std::size_t blocks = std::min<std::size_t>(threads_per_sm / (warps * 32), 16);
  const std::size_t shared = kernel.shared_bytes + shared_bytes;
  if (shared > 0) blocks = std::min(blocks, shared_bytes_per_sm / shared);
  // PTX does not say what a kernel takes of the 65536 registers. Bounded to 512 threads it may use
  // 128 per thread, all of them; the interpreter uses more than 64, so one block is what hardware
  // takes.
  if (kernel.max_threads == 512) blocks = std::min(blocks, 512 / (warps * 32));
  return blocks;
}

cudaError_t why_not(const Kernel& kernel, const LaunchShape& shape, bool cooperative) {
  const std::size_t threads = shape.threads_per_block();
  if (threads == 0 || threads > max_threads_per_block || shape.block_count() == 0 ||
      shape.blocks.y > 65535 || shape.blocks.z > 65535) {
    return cudaErrorInvalidConfiguration;
  }
  if (kernel.max_threads != 0 && threads > kernel.max_threads) return cudaErrorLaunchOutOfResources;
  if (kernel.shared_bytes + shape.shared_bytes > shared_bytes_per_block)
    return cudaErrorInvalidValue;
  const std::size_t fit = resident_blocks(kernel, threads, shape.shared_bytes) * multiprocessors();
  return cooperative && shape.block_count() > fit ? cudaErrorCooperativeLaunchTooLarge
                                                  : cudaSuccess;
}

std::vector<std::byte> marshalled(const Kernel& kernel, void* const* arguments) {
  std::vector<std::byte> all(kernel.parameter_bytes);
  for (std::size_t i = 0; i < kernel.parameters.size(); ++i) {
    const Parameter& p = kernel.parameters[i];
    std::memcpy(all.data() + p.offset, arguments[i], p.bytes);
  }
  return all;
}

// FABRICAST_PTX_LAUNCH_MS: what a slow host takes to launch a kernel.
std::chrono::milliseconds launch_time() {
  const char* text = std::getenv("FABRICAST_PTX_LAUNCH_MS");
  return std::chrono::milliseconds(text != nullptr ? std::atoi(text) : 0);
}

Dim3 of(const dim3& size) { return {size.x, size.y, size.z}; }

cudaError_t launch(const KernelEntry* entry, const LaunchShape& shape, void* const* arguments,
                   bool cooperative) {
  return with_kernel(entry, [&](const Kernel& kernel) {
    if (const auto code = why_not(kernel, shape, cooperative); code != cudaSuccess) return code;
    const auto stream = find_stream(shape.stream);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    std::this_thread::sleep_for(launch_time());
    put(*stream, [&kernel, shape, all = marshalled(kernel, arguments)] {
      run(kernel, {of(shape.blocks), of(shape.threads), shape.shared_bytes, all.data()});
    });
    return cudaSuccess;
  });
}

}  // namespace
}  // namespace fabricast::ptx

using namespace fabricast::ptx;

extern "C" {
void** __cudaRegisterFatBinary(void* registered) {
  return reinterpret_cast<void**>(add_object(registered));
}
void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}  // at exit, when streams may still run its kernels
char __cudaInitModule(void**) { return 1; }
void __cudaRegisterFunction(void** object, const char* host_function, char*, const char* name, int,
                            uint3*, uint3*, dim3*, dim3*, int*) {
  add_kernel(reinterpret_cast<ObjectCode*>(object), host_function, name);
}

unsigned __cudaPushCallConfiguration(dim3 blocks, dim3 threads, std::size_t shared_bytes,
                                     CUstream_st* stream) {
  configurations.push_back({blocks, threads, shared_bytes, stream});
  return 0;
}
cudaError_t __cudaPopCallConfiguration(dim3* blocks, dim3* threads, std::size_t* shared_bytes,
                                       void* stream) {
  if (configurations.empty()) return record(cudaErrorInvalidConfiguration);
  const LaunchShape shape = configurations.back();
  configurations.pop_back();
  *blocks = shape.blocks;
  *threads = shape.threads;
  *shared_bytes = shape.shared_bytes;
  *static_cast<cudaStream_t*>(stream) = shape.stream;
  return cudaSuccess;
}
cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* host_function) {
  const KernelEntry* entry = find_entry(host_function);
  *kernel = reinterpret_cast<cudaKernel_t>(const_cast<KernelEntry*>(entry));
  return entry != nullptr ? cudaSuccess : cudaErrorInvalidDeviceFunction;
}
cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 blocks, dim3 threads, void** arguments,
                               std::size_t shared_bytes, cudaStream_t stream) {
  return launch(reinterpret_cast<const KernelEntry*>(kernel),
                {blocks, threads, shared_bytes, stream}, arguments, false);
}
cudaError_t cudaLaunchKernel(const void* function, dim3 blocks, dim3 threads, void** arguments,
                             std::size_t shared_bytes, cudaStream_t stream) {
  return launch(find_entry(function), {blocks, threads, shared_bytes, stream}, arguments, false);
}
cudaError_t cudaLaunchCooperativeKernel(const void* function, dim3 blocks, dim3 threads,
                                        void** arguments, std::size_t shared_bytes,
                                        cudaStream_t stream) {
  return launch(find_entry(function), {blocks, threads, shared_bytes, stream}, arguments, true);
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* facts, const void* function) {
  return with_kernel(find_entry(function), [&](const Kernel& kernel) {
    *facts = {};
    facts->sharedSizeBytes = kernel.shared_bytes;
    facts->localSizeBytes = kernel.local_bytes;
    facts->maxThreadsPerBlock =
        static_cast<int>(kernel.max_threads != 0 ? kernel.max_threads : max_threads_per_block);
    facts->ptxVersion = facts->binaryVersion = 10 * compute_major;
    return cudaSuccess;
  });
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* function,
                                                          int threads, std::size_t shared_bytes) {
  return with_kernel(find_entry(function), [&](const Kernel& kernel) {
    if (threads <= 0) return cudaErrorInvalidValue;
    *blocks =
        static_cast<int>(resident_blocks(kernel, static_cast<std::size_t>(threads), shared_bytes));
    return cudaSuccess;
  });
}
// What the templates of cuda_runtime.h call.
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int* blocks, const void* function, int threads, std::size_t shared_bytes, unsigned) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessor(blocks, function, threads, shared_bytes);
}
}
