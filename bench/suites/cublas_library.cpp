#include "bench/suites/cublas_library.hpp"

#include <dlfcn.h>

#include <fmt/format.h>

namespace fabricast {
namespace {

template <class Function>
void find(void* library, const char* name, Function& function, std::string& problem) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr && problem.empty()) {
    problem = fmt::format("cuBLASLt lacks {} (too old) install CUDA 11 or later", name);
  }
}

CublasLibrary load() {
  CublasLibrary cublas;
  void* library = nullptr;
  // The library of the toolkit this was built with first: its runtime is linked in.
  for (const int version : {CUDART_VERSION / 1000, 13, 12, 11}) {
    cublas.name = fmt::format("libcublasLt.so.{}", version);
    library = dlopen(cublas.name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) break;
  }
  if (library == nullptr) {
    const char* why = dlerror();
    cublas.problem = fmt::format("cuBLASLt cannot be loaded ({}) install it or set LD_LIBRARY_PATH",
                                 why != nullptr ? why : "unknown reason");
    return cublas;
  }
  find(library, "cublasLtCreate", cublas.create, cublas.problem);
  find(library, "cublasLtDestroy", cublas.destroy, cublas.problem);
  find(library, "cublasLtMatmulDescCreate", cublas.descriptor_create, cublas.problem);
  find(library, "cublasLtMatmulDescDestroy", cublas.descriptor_destroy, cublas.problem);
  find(library, "cublasLtMatmulDescSetAttribute", cublas.descriptor_set, cublas.problem);
  find(library, "cublasLtMatrixLayoutCreate", cublas.layout_create, cublas.problem);
  find(library, "cublasLtMatrixLayoutDestroy", cublas.layout_destroy, cublas.problem);
  find(library, "cublasLtMatmul", cublas.matmul, cublas.problem);
  return cublas;
}

}  // namespace

const CublasLibrary& cublas_library() {
  static const CublasLibrary library = load();
  return library;
}

}  // namespace fabricast
