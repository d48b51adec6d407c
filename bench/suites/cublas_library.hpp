// cuBLASLt, loaded at run time: the program starts and works where it is not installed.
//
// Our own declarations of the few functions used, by the stable C interface of cublasLt.h; opaque
// handles are pointers. Loaded once per process, never unloaded. Thread safe after the first call.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace fabricast {

struct CublasLibrary {
  std::string problem;  // empty: usable; else why not
  std::string name;     // of the file that was loaded

  using Handle = void*;
  using Descriptor = void*;
  using Layout = void*;
  int (*create)(Handle*) = nullptr;
  int (*destroy)(Handle) = nullptr;
  int (*descriptor_create)(Descriptor*, int compute_type, int scale_type) = nullptr;
  int (*descriptor_destroy)(Descriptor) = nullptr;
  int (*descriptor_set)(Descriptor, int attribute, const void* value, std::size_t size) = nullptr;
  int (*layout_create)(Layout*, int type, std::uint64_t rows, std::uint64_t columns,
                       std::int64_t leading) = nullptr;
  int (*layout_destroy)(Layout) = nullptr;
  int (*matmul)(Handle, Descriptor, const void* alpha, const void* a, Layout, const void* b, Layout,
                const void* beta, const void* c, Layout, void* d, Layout, const void* algorithm,
                void* workspace, std::size_t workspace_bytes, cudaStream_t) = nullptr;
};

const CublasLibrary& cublas_library();

}  // namespace fabricast
