// The CUDA runtime of the PTX device: that it does what the real one does, and refuses what a real
// one would not survive.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "tests/ptx_device/probe_kernels.hpp"

namespace fabricast::ptx {
namespace {

// Most tests launch several kernels behind one that waits for them.
[[maybe_unused]] const int loading = setenv("CUDA_MODULE_LOADING", "EAGER", 1);

struct DeviceWords {
  explicit DeviceWords(std::size_t count) : count_(count) {
    EXPECT_EQ(cudaMalloc(reinterpret_cast<void**>(&data), count * sizeof *data), cudaSuccess);
  }
  ~DeviceWords() { cudaFree(data); }
  DeviceWords(const DeviceWords&) = delete;
  DeviceWords& operator=(const DeviceWords&) = delete;

  void zero() const { EXPECT_EQ(cudaMemset(data, 0, count_ * sizeof *data), cudaSuccess); }
  std::vector<std::uint32_t> read() const {
    std::vector<std::uint32_t> words(count_);
    EXPECT_EQ(cudaMemcpy(words.data(), data, count_ * sizeof *data, cudaMemcpyDeviceToHost),
              cudaSuccess);
    return words;
  }

  std::uint32_t* data = nullptr;

 private:
  std::size_t count_;
};

// A word that the host and kernels see.
struct HostWord {
  HostWord() {
    EXPECT_EQ(cudaHostAlloc(reinterpret_cast<void**>(&data), sizeof *data, cudaHostAllocMapped),
              cudaSuccess);
    *data = 0;
  }
  ~HostWord() { cudaFreeHost(data); }
  HostWord(const HostWord&) = delete;
  HostWord& operator=(const HostWord&) = delete;
  void open() const { *static_cast<volatile std::uint32_t*>(data) = 7; }
  std::uint32_t* data = nullptr;
};

struct TestStream {
  explicit TestStream(unsigned flags = cudaStreamNonBlocking) {
    EXPECT_EQ(cudaStreamCreateWithFlags(&handle, flags), cudaSuccess);
  }
  ~TestStream() { cudaStreamDestroy(handle); }
  TestStream(const TestStream&) = delete;
  TestStream& operator=(const TestStream&) = delete;
  void wait() const { EXPECT_EQ(cudaStreamSynchronize(handle), cudaSuccess); }
  cudaStream_t handle = nullptr;
};

struct TestEvent {
  TestEvent() { EXPECT_EQ(cudaEventCreate(&handle), cudaSuccess); }
  ~TestEvent() { cudaEventDestroy(handle); }
  TestEvent(const TestEvent&) = delete;
  TestEvent& operator=(const TestEvent&) = delete;
  cudaEvent_t handle = nullptr;
};

// The child owns the memory: it waits in the end until it has been changed by the parent's kernel.
int own_memory(int to_parent) {
  std::uint32_t* word = nullptr;
  cudaIpcMemHandle_t handle{};
  bool fine = cudaMalloc(reinterpret_cast<void**>(&word), sizeof *word) == cudaSuccess;
  fine = fine && cudaMemset(word, 0, sizeof *word) == cudaSuccess;
  fine = fine && cudaDeviceSynchronize() == cudaSuccess;
  fine = fine && cudaIpcGetMemHandle(&handle, word) == cudaSuccess;
  void* own = nullptr;
  fine = fine && cudaIpcOpenMemHandle(&own, handle, cudaIpcMemLazyEnablePeerAccess) != cudaSuccess;
  fine = fine && write(to_parent, &handle, sizeof handle) == sizeof handle;
  std::uint32_t value = 0;
  for (int i = 0; fine && value != 9 && i < 2000; ++i) {
    usleep(5000);
    fine = cudaMemcpy(&value, word, sizeof value, cudaMemcpyDeviceToHost) == cudaSuccess;
  }
  return fine && value == 9 ? 0 : 1;
}

// The first test: as a real runtime, this one does not survive a fork().
TEST(PtxRuntime, ProcessesReachEachOthersMemory) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) _exit(own_memory(ends[1]));
  close(ends[1]);
  cudaIpcMemHandle_t handle{};
  ASSERT_EQ(read(ends[0], &handle, sizeof handle), static_cast<ssize_t>(sizeof handle));
  void* data = nullptr;
  ASSERT_EQ(cudaIpcOpenMemHandle(&data, handle, cudaIpcMemLazyEnablePeerAccess), cudaSuccess);
  launch_add(static_cast<std::uint32_t*>(data), 1, 1, {0, 9}, nullptr);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(cudaFree(data), cudaErrorInvalidValue) << "not its owner";
  EXPECT_EQ(cudaIpcCloseMemHandle(data), cudaSuccess);
  std::memset(&handle, 0, sizeof handle);
  EXPECT_EQ(cudaIpcOpenMemHandle(&data, handle, cudaIpcMemLazyEnablePeerAccess),
            cudaErrorInvalidValue);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidValue);
  close(ends[0]);
}

TEST(PtxRuntime, MemoryIsPoisonedAndKernelsChangeIt) {
  const DeviceWords words(128);
  EXPECT_EQ(words.read(), std::vector<std::uint32_t>(128, 0xA5A5A5A5));
  words.zero();
  launch_add(words.data, 2, 64, {1, 5}, nullptr);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  EXPECT_EQ(words.read(), std::vector<std::uint32_t>(128, 5));
}

TEST(PtxRuntime, AStreamKeepsItsOrderAndTheHostDoesNotWait) {
  const DeviceWords words(2);
  words.zero();
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  const HostWord gate;
  const TestStream stream;
  launch_hold(gate.data, words.data + 1, stream.handle);
  for (const std::uint32_t addend : {1u, 0u, 1u}) launch_twice(words.data, addend, stream.handle);
  EXPECT_EQ(cudaStreamQuery(stream.handle), cudaErrorNotReady);
  EXPECT_EQ(cudaGetLastError(), cudaErrorNotReady);
  gate.open();
  stream.wait();
  EXPECT_EQ(words.read(), (std::vector<std::uint32_t>{5, 7}));
}

TEST(PtxRuntime, EventsOrderStreamsAndTellTheTime) {
  const DeviceWords words(2);
  words.zero();
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  const HostWord gate;
  const TestStream first, second;
  const TestEvent start, stop;
  EXPECT_EQ(cudaEventQuery(stop.handle), cudaSuccess) << "never recorded";
  float milliseconds = 0;
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start.handle, stop.handle),
            cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventRecord(start.handle, first.handle), cudaSuccess);
  launch_hold(gate.data, words.data + 1, first.handle);
  launch_twice(words.data, 1, first.handle);
  EXPECT_EQ(cudaEventRecord(stop.handle, first.handle), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(second.handle, stop.handle, 0), cudaSuccess);
  launch_twice(words.data, 0, second.handle);
  EXPECT_EQ(cudaEventQuery(stop.handle), cudaErrorNotReady);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start.handle, stop.handle), cudaErrorNotReady);
  usleep(20'000);
  gate.open();
  second.wait();
  EXPECT_EQ(words.read().front(), 2u);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start.handle, stop.handle), cudaSuccess);
  EXPECT_GT(milliseconds, 10);
  EXPECT_EQ(cudaEventRecord(nullptr, first.handle), cudaErrorInvalidResourceHandle);
}

// Without the flag, streams and the default stream wait for each other; with it they do not.
TEST(PtxRuntime, TheDefaultStreamWaitsForStreamsThatBlock) {
  const DeviceWords words(2);
  words.zero();
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  const HostWord gate;
  const TestStream blocking(cudaStreamDefault), free;
  launch_hold(gate.data, words.data + 1, blocking.handle);
  launch_twice(words.data, 1, nullptr);
  launch_twice(words.data, 0, blocking.handle);
  const TestEvent done;
  EXPECT_EQ(cudaEventRecord(done.handle, free.handle), cudaSuccess);
  EXPECT_EQ(cudaEventSynchronize(done.handle), cudaSuccess) << "although the others are held";
  EXPECT_EQ(cudaStreamQuery(cudaStreamLegacy), cudaErrorNotReady);
  gate.open();
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_EQ(words.read(), (std::vector<std::uint32_t>{2, 7}));
}

TEST(PtxRuntime, WhatIsCapturedRunsWhenTheGraphIsLaunched) {
  const DeviceWords words(1);
  words.zero();
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  const TestStream stream;
  ASSERT_EQ(cudaStreamBeginCapture(stream.handle, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  for (const std::uint32_t addend : {1u, 0u}) launch_twice(words.data, addend, stream.handle);
  EXPECT_EQ(cudaStreamSynchronize(stream.handle), cudaErrorStreamCaptureUnsupported);
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamEndCapture(stream.handle, &graph), cudaSuccess);
  cudaGraphExec_t executable = nullptr;
  ASSERT_EQ(cudaGraphInstantiate(&executable, graph, 0), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  EXPECT_EQ(words.read().front(), 0u);
  for (const std::uint32_t expected : {2u, 10u}) {
    EXPECT_EQ(cudaGraphLaunch(executable, stream.handle), cudaSuccess);
    stream.wait();
    EXPECT_EQ(words.read().front(), expected);
  }
  EXPECT_EQ(cudaGraphExecDestroy(executable), cudaSuccess);
}

TEST(PtxRuntime, LaunchesThatNoGpuTakesAreRefused) {
  const DeviceWords words(4096);
  launch_add(words.data, 1, 65, {0, 1}, nullptr);
  EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchOutOfResources);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess) << "told once";
  launch_add(words.data, 0, 64, {0, 1}, nullptr);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidConfiguration);
  launch_add(words.data, 1, 64, {0, 1}, reinterpret_cast<cudaStream_t>(0x50));
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidResourceHandle);
  int blocks = 0;
  ASSERT_EQ(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, add_function(), 64, 0),
            cudaSuccess);
  cudaDeviceProp properties{};
  ASSERT_EQ(cudaGetDeviceProperties(&properties, 0), cudaSuccess);
  const int most = blocks * properties.multiProcessorCount;
  EXPECT_EQ(launch_add_together(words.data, most + 1, 64, {0, 1}),
            cudaErrorCooperativeLaunchTooLarge);
  EXPECT_EQ(cudaPeekAtLastError(), cudaErrorCooperativeLaunchTooLarge);
  words.zero();
  EXPECT_EQ(launch_add_together(words.data, most, 64, {0, 1}), cudaSuccess);
  EXPECT_EQ(words.read()[static_cast<std::size_t>(most * 64 - 1)], 1u);
  cudaFuncAttributes facts{};
  EXPECT_EQ(cudaFuncGetAttributes(&facts, &most), cudaErrorInvalidDeviceFunction);
  ASSERT_EQ(cudaFuncGetAttributes(&facts, add_function()), cudaSuccess);
  EXPECT_EQ(facts.maxThreadsPerBlock, 64);
  EXPECT_EQ(facts.ptxVersion, 90);
}

TEST(PtxRuntime, CopiesBeyondMemoryOrInAnotherDirectionAreRefused) {
  const DeviceWords words(4);
  std::uint32_t host[8] = {};
  EXPECT_EQ(cudaMemcpy(host, words.data, 20, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(words.data, host, 16, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(words.data, host, 16, cudaMemcpyDeviceToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemset(words.data + 1, 0, 16), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemset(host, 0, 16), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(words.data + 1), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(words.data, host, 16, cudaMemcpyHostToDevice), cudaSuccess);
  void* too_much = nullptr;
  EXPECT_EQ(cudaMalloc(&too_much, std::size_t{1} << 40), cudaErrorMemoryAllocation);
}

// A copy from pageable memory may be used again at once.
TEST(PtxRuntime, CopiesTakeWhatTheyNeedBeforeTheyReturn) {
  const DeviceWords words(1);
  words.zero();
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  const HostWord gate;
  const TestStream stream;
  std::uint32_t value = 3;
  const DeviceWords seen(1);
  launch_hold(gate.data, seen.data, stream.handle);
  EXPECT_EQ(
      cudaMemcpyAsync(words.data, &value, sizeof value, cudaMemcpyHostToDevice, stream.handle),
      cudaSuccess);
  value = 4;
  gate.open();
  stream.wait();
  EXPECT_EQ(words.read().front(), 3u);
}

// In a process of its own, which has no other use afterwards.
int use_a_faulted_device() {
  const DeviceWords words(64);
  const TestStream stream;
  launch_add(words.data, 1, 64, {0, 1}, stream.handle);
  if (cudaStreamSynchronize(stream.handle) != cudaSuccess) return 1;
  launch_add(words.data + 1, 1, 64, {0, 1}, stream.handle);
  if (cudaStreamSynchronize(stream.handle) != cudaErrorIllegalAddress) return 2;
  for (int i = 0; i < 2; ++i) {
    if (cudaGetLastError() != cudaErrorIllegalAddress) return 3;
  }
  void* more = nullptr;
  if (cudaMalloc(&more, 1) != cudaErrorIllegalAddress) return 4;
  return cudaDeviceSynchronize() == cudaErrorIllegalAddress ? 0 : 5;
}

// In a process of its own, which has loaded no kernel.
int load_beside_a_kernel_that_holds() {
  setenv("CUDA_MODULE_LOADING", "LAZY", 1);
  const DeviceWords words(2);
  words.zero();
  const HostWord first, second;
  const TestStream stream;
  launch_hold(first.data, words.data + 1, stream.handle);
  std::thread host([&] {
    usleep(20'000);
    first.open();
  });
  launch_twice(words.data, 1, stream.handle);
  const bool waited = *static_cast<volatile std::uint32_t*>(first.data) != 0;
  host.join();
  launch_hold(second.data, words.data + 1, stream.handle);
  launch_twice(words.data, 0, stream.handle);  // is loaded: the host goes on to open
  second.open();
  stream.wait();
  if (words.read().front() != 2) return 1;
  return waited ? 0 : 2;
}

TEST(PtxRuntimeDeathTest, LoadingAKernelWaitsForTheDevice) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(_exit(load_beside_a_kernel_that_holds()), testing::ExitedWithCode(0), "");
}

TEST(PtxRuntimeDeathTest, AFaultEndsTheDevice) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(_exit(use_a_faulted_device()), testing::ExitedWithCode(0),
              "PTX device: .*add_kernel");
}

TEST(PtxRuntimeDeathTest, ThereMayBeNoGpu) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto ask = [] {
    setenv("FABRICAST_PTX_GPUS", "0", 1);
    int count = 1;
    return cudaGetDeviceCount(&count) == cudaErrorNoDevice && count == 0 ? 0 : 1;
  };
  EXPECT_EXIT(_exit(ask()), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace fabricast::ptx
