// Names and texts of the errors that the PTX device reports, as the CUDA runtime words them.
#include <cuda_runtime_api.h>

#include <utility>

namespace {

struct ErrorText {
  cudaError_t code;
  const char* name;
  const char* text;
};

#define PTX_ERROR(code, text) \
  { code, #code, text }
constexpr ErrorText error_texts[] = {
    PTX_ERROR(cudaSuccess, "no error"),
    PTX_ERROR(cudaErrorInvalidValue, "invalid argument"),
    PTX_ERROR(cudaErrorMemoryAllocation, "out of memory"),
    PTX_ERROR(cudaErrorInvalidConfiguration, "invalid configuration argument"),
    PTX_ERROR(cudaErrorInvalidDeviceFunction, "invalid device function"),
    PTX_ERROR(cudaErrorNoDevice, "no CUDA-capable device is detected"),
    PTX_ERROR(cudaErrorInvalidDevice, "invalid device ordinal"),
    PTX_ERROR(cudaErrorDeviceUninitialized, "invalid device context"),
    PTX_ERROR(cudaErrorInvalidPtx, "a PTX JIT compilation failed"),
    PTX_ERROR(cudaErrorInvalidResourceHandle, "invalid resource handle"),
    PTX_ERROR(cudaErrorNotReady, "device not ready"),
    PTX_ERROR(cudaErrorIllegalAddress, "an illegal memory access was encountered"),
    PTX_ERROR(cudaErrorLaunchOutOfResources, "too many resources requested for launch"),
    PTX_ERROR(cudaErrorCooperativeLaunchTooLarge, "too many blocks in cooperative launch"),
    PTX_ERROR(cudaErrorNotSupported, "operation not supported"),
    PTX_ERROR(cudaErrorIllegalState, "the operation cannot be performed in the present state"),
    PTX_ERROR(cudaErrorStreamCaptureUnsupported,
              "operation not permitted when stream is capturing"),
    PTX_ERROR(cudaErrorStreamCaptureInvalidated,
              "operation failed due to a previous error during capture"),
};
#undef PTX_ERROR

const ErrorText* find(cudaError_t code) {
  for (const ErrorText& each : error_texts) {
    if (each.code == code) return &each;
  }
  return nullptr;
}

}  // namespace

extern "C" {
const char* cudaGetErrorName(cudaError_t code) {
  const ErrorText* found = find(code);
  return found != nullptr ? found->name : "unrecognized error code";
}
const char* cudaGetErrorString(cudaError_t code) {
  const ErrorText* found = find(code);
  return found != nullptr ? found->text : "unrecognized error code";
}
}
