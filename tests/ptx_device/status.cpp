#include "tests/ptx_device/status.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace fabricast::ptx {
namespace {

std::atomic<bool> has_faulted{false};
thread_local cudaError_t last = cudaSuccess;
thread_local int device = 0;

void say(const std::string& what) {
  const std::string line = "PTX device: " + what + "\n";
  std::fputs(line.c_str(), stderr);
}

}  // namespace

int device_count() {
  const char* text = std::getenv("FABRICAST_PTX_GPUS");
  return text != nullptr ? std::atoi(text) : 1;
}
int current_device() { return device; }

void fault(const std::string& what) {
  say(what);
  has_faulted = true;
}
bool faulted() { return has_faulted; }

cudaError_t record(cudaError_t code) {
  if (code != cudaSuccess) last = code;
  return code;
}
cudaError_t refuse(cudaError_t code, const std::string& why) {
  say(why);
  return code;
}
cudaError_t device_state() {
  if (device_count() <= 0) return cudaErrorNoDevice;
  return faulted() ? cudaErrorIllegalAddress : cudaSuccess;
}

}  // namespace fabricast::ptx

extern "C" {
cudaError_t cudaGetLastError() {
  namespace ptx = fabricast::ptx;
  const cudaError_t code = std::exchange(ptx::last, cudaSuccess);
  return ptx::faulted() ? cudaErrorIllegalAddress : code;
}
cudaError_t cudaPeekAtLastError() {
  namespace ptx = fabricast::ptx;
  return ptx::faulted() ? cudaErrorIllegalAddress : ptx::last;
}
cudaError_t cudaSetDevice(int wanted) {
  namespace ptx = fabricast::ptx;
  return ptx::call([&] {
    if (wanted < 0 || wanted >= ptx::device_count()) return cudaErrorInvalidDevice;
    ptx::device = wanted;
    return cudaSuccess;
  });
}
cudaError_t cudaGetDevice(int* device) {
  return fabricast::ptx::call([&] { return *device = fabricast::ptx::device, cudaSuccess; });
}
cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  return fabricast::ptx::call([&] { return *count = fabricast::ptx::device_count(), cudaSuccess; });
}
}
