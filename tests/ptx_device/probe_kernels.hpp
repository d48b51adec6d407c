// Small kernels with which runtime_test.cpp sees what the runtime of the PTX device does.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace fabricast::ptx {

// Aligned unlike the parameter before it would place it.
struct alignas(16) Addend {
  std::uint8_t unused = 0;
  std::uint32_t value = 0;
};

// words[i] += addend.value; at most 64 threads.
void launch_add(std::uint32_t* words, int ctas, int threads, Addend addend, cudaStream_t stream);
cudaError_t launch_add_together(std::uint32_t* words, int ctas, int threads, Addend addend);
// word = 2 word + addend: an order of several that is not theirs gives another value.
void launch_twice(std::uint32_t* word, std::uint32_t addend, cudaStream_t stream);
// Waits until `open` is not 0, stores it in `seen`.
void launch_hold(const std::uint32_t* open, std::uint32_t* seen, cudaStream_t stream);
const void* add_function();

}  // namespace fabricast::ptx
