// Suites gemm and overlap: cuBLASLt's own choice of kernel, alone or beside a copy kernel.
//
// D = A^T B, column-major, n x n x n; fp8 is e4m3 in and bf16 out (its only layout is A transposed, so
// all types use it). Matrices hold zeros' neighbours: contents do not change a dense GEMM's work,
// though they do its power; zeros would flatter. The first call warms up the library.
#include <map>
#include <vector>

#if __has_include(<cublasLt.h>)
#include <cublasLt.h>
#endif

#include "bench/suites/cublas_library.hpp"
#include "bench/suites/reduce_copy_kernel.cuh"

namespace fabricast::micro {
namespace {

// cublasLt.h and library_types.h
constexpr int operand_f32 = 0, operand_bf16 = 14, operand_fp8_e4m3 = 28;
constexpr int compute_f32 = 68, scale_f32 = 0, attribute_transpose_a = 3, transposed = 1;
#if __has_include(<cublasLt.h>)
static_assert(operand_f32 == CUDA_R_32F && operand_bf16 == CUDA_R_16BF &&
              operand_fp8_e4m3 == CUDA_R_8F_E4M3 && compute_f32 == CUBLAS_COMPUTE_32F &&
              attribute_transpose_a == CUBLASLT_MATMUL_DESC_TRANSA && transposed == CUBLAS_OP_T);
#endif

constexpr std::size_t workspace_bytes = 64 << 20;
constexpr std::int64_t background_floats = 64 << 20;  // 256 MiB, beyond any L2

void expect(int code, const char* what) {
  if (code != 0) {
    throw RuntimeError(std::string(what) + " failed: cuBLAS status " + std::to_string(code) +
                       " (this GPU may lack the type)");
  }
}

// Bytes that are small numbers of either sign in every type, by a counter's bits.
__global__ void fill_bytes_kernel(std::uint8_t* to, std::int64_t count, int element_bytes) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
       i += stride) {
    const auto bits = static_cast<std::uint32_t>(i / element_bytes) * 2654435761u;
    // The highest byte decides sign and exponent: +-[0.5, 2) in all three types.
    const bool highest = i % element_bytes == element_bytes - 1;
    const std::uint8_t one = element_bytes == 1 ? 0x38 : 0x3F;
    to[i] = highest ? static_cast<std::uint8_t>(one | ((bits >> 31) << 7))
                    : static_cast<std::uint8_t>(bits >> 8);
  }
}

struct Shape {
  int operand, result;
  std::size_t operand_bytes, result_bytes;
};
Shape shape_of(GemmType type) {
  if (type == GemmType::f32) return {operand_f32, operand_f32, 4, 4};
  if (type == GemmType::bf16) return {operand_bf16, operand_bf16, 2, 2};
  return {operand_fp8_e4m3, operand_bf16, 1, 2};
}

}  // namespace

struct GemmBench::State {
  std::shared_ptr<Session> session;
  CublasLibrary::Handle handle = nullptr;
  DeviceArray<std::uint8_t> a, b, d, workspace;
  DeviceArray<float> from, to;
  std::uint32_t* stop_copy = nullptr;  // mapped host memory
  GemmType filled_type{};
  std::int32_t filled_n = 0;

  ~State() {
    if (handle != nullptr) cublas_library().destroy(handle);
    if (stop_copy != nullptr) cudaFreeHost(stop_copy);
  }

  void prepare(GemmType type, std::int32_t n) {
    if (filled_n == n && filled_type == type) return;
    const Shape shape = shape_of(type);
    const std::size_t elements = static_cast<std::size_t>(n) * static_cast<std::size_t>(n);
    for (auto* each : {&a, &b, &d}) *each = {};
    a = DeviceArray<std::uint8_t>(elements * shape.operand_bytes, "a matrix");
    b = DeviceArray<std::uint8_t>(elements * shape.operand_bytes, "a matrix");
    d = DeviceArray<std::uint8_t>(elements * shape.result_bytes, "a matrix");
    for (auto* each : {&a, &b}) {
      fill_bytes_kernel<<<1024, 256>>>(each->data(), static_cast<std::int64_t>(each->size()),
                                       static_cast<int>(shape.operand_bytes));
    }
    check(cudaDeviceSynchronize(), "filling matrices");
    filled_type = type;
    filled_n = n;
    multiply(type, n);
    check(cudaStreamSynchronize(session->stream), "a first GEMM");
  }

  void multiply(GemmType type, std::int32_t n) {
    const CublasLibrary& lt = cublas_library();
    const Shape shape = shape_of(type);
    const auto size = static_cast<std::uint64_t>(n);
    CublasLibrary::Descriptor descriptor = nullptr;
    CublasLibrary::Layout in = nullptr, out = nullptr;
    expect(lt.descriptor_create(&descriptor, compute_f32, scale_f32), "describing a GEMM");
    const std::int32_t op = transposed;
    expect(lt.descriptor_set(descriptor, attribute_transpose_a, &op, sizeof op),
           "describing a GEMM");
    expect(lt.layout_create(&in, shape.operand, size, size, n), "describing a matrix");
    expect(lt.layout_create(&out, shape.result, size, size, n), "describing a matrix");
    const float one = 1, zero = 0;
    const int code = lt.matmul(handle, descriptor, &one, a.data(), in, b.data(), in, &zero, d.data(),
                               out, d.data(), out, nullptr, workspace.data(), workspace_bytes,
                               session->stream);
    lt.layout_destroy(in);
    lt.layout_destroy(out);
    lt.descriptor_destroy(descriptor);
    expect(code, "a GEMM");
  }

  // Runs on the other stream until told to stop.
  void start_copy(std::int32_t ctas) {
    if (from.size() == 0) {
      from = DeviceArray<float>(background_floats, "a background copy");
      to = DeviceArray<float>(background_floats, "a background copy");
      check(cudaMemset(from.data(), 0, background_floats * sizeof(float)), "clearing a copy");
      check(cudaHostAlloc(&stop_copy, sizeof *stop_copy, cudaHostAllocMapped), "pinning a flag");
    }
    *static_cast<volatile std::uint32_t*>(stop_copy) = 0;
    std::uint32_t* flag = nullptr;
    check(cudaHostGetDevicePointer(&flag, stop_copy, 0), "mapping a flag");
    ReduceCopyData data{};
    data.source[0] = reinterpret_cast<const float4*>(from.data());
    data.destination = reinterpret_cast<float4*>(to.data());
    data.vectors = background_floats / 4;
    copy_until_kernel<<<static_cast<unsigned>(ctas), threads_per_cta, 0, session->other>>>(data,
                                                                                           flag);
    check(cudaGetLastError(), "launching a background copy");
  }
};

GemmBench::GemmBench(std::shared_ptr<Session> session) : state_(std::make_unique<State>()) {
  const CublasLibrary& lt = cublas_library();
  if (!lt.problem.empty()) throw RuntimeError(lt.problem);
  state_->session = std::move(session);
  expect(lt.create(&state_->handle), "starting cuBLAS");
  state_->workspace = DeviceArray<std::uint8_t>(workspace_bytes, "cuBLAS's workspace");
}
GemmBench::~GemmBench() = default;

double GemmBench::once_us(GemmType type, std::int32_t n, std::int32_t copy_ctas) {
  State& state = *state_;
  Session& s = *state.session;
  state.prepare(type, n);
  if (copy_ctas == 0) return s.timed("a GEMM", [&] { state.multiply(type, n); });
  state.start_copy(copy_ctas);
  double us = 0;
  try {
    us = s.timed("a GEMM beside a copy", [&] { state.multiply(type, n); });
  } catch (...) {
    *static_cast<volatile std::uint32_t*>(state.stop_copy) = 1;
    cudaStreamSynchronize(s.other);
    throw;
  }
  *static_cast<volatile std::uint32_t*>(state.stop_copy) = 1;
  check(cudaStreamSynchronize(s.other), "a background copy");
  return us;
}

}  // namespace fabricast::micro
