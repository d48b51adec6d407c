// How calls end: the error each host thread asks for, and the fault that ends a device for good.
#pragma once

#include <cuda_runtime_api.h>

#include <string>

namespace fabricast::ptx {

int device_count();    // FABRICAST_PTX_GPUS, else 1
int current_device();  // of this host thread

// A kernel faulted. Says so on stderr; every later call of the process fails.
void fault(const std::string& what);
bool faulted();

// What cudaGetLastError() of this host thread will say, unless `code` is cudaSuccess. Returns it.
cudaError_t record(cudaError_t code);
// A program error that a real runtime reports less clearly: says why on stderr.
cudaError_t refuse(cudaError_t code, const std::string& why);

cudaError_t device_state();  // what every call that needs a device fails with, or cudaSuccess

template <class Body>
cudaError_t call(const Body& body) {
  const cudaError_t state = device_state();
  return record(state != cudaSuccess ? state : body());
}

}  // namespace fabricast::ptx
