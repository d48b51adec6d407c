// Memory that cudaMalloc, cudaHostAlloc and CUDA IPC give out; what of it kernels may access is
// told to address_space().
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

namespace fabricast::ptx {

// Thread safe, all of these.
std::byte* allocate_device(std::size_t bytes);  // nullptr: more than the GPU has
std::byte* allocate_host(std::size_t bytes);    // kernels see it at the same address
bool free_device(void* data);                   // false: not the begin of such memory
bool free_host(void* data);

// Of a handle of another process; the memory lives as long as one of them maps it.
bool export_memory(void* data, cudaIpcMemHandle_t& handle);
std::byte* import_memory(const cudaIpcMemHandle_t& handle);  // nullptr: no such handle
bool close_imported(void* data);
bool is_own(const cudaIpcMemHandle_t& handle);  // of this process

// Memory that the driver's calls have mapped: device memory as well.
void add_mapped(std::byte* data, std::size_t bytes);
void remove_mapped(const std::byte* data);

enum class Place { device, pinned_host, pageable_host, beyond_an_end };
Place place_of(const void* data, std::size_t bytes);

inline constexpr std::size_t gpu_memory_bytes = std::size_t{8} << 30;

}  // namespace fabricast::ptx
