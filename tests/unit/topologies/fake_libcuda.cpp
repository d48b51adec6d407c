// A stand-in for libcuda.so.1: what discover asks it, and no more. Made twice, once as a driver
// that lacks some calls (FAKE_LIBCUDA_OLD).
//
// FABRICAST_FAKE_GPUS: how many GPUs, FAKE_CUDA_INIT: what cuInit returns, FAKE_CUDA_NAME: theirs,
// FAKE_COMPUTE_MAJOR, FAKE_GPU_ADDRESS_BY_RANK: processes see other GPUs by the same number.
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int ok = 0, invalid_value = 1, not_initialized = 3, no_device = 100;
constexpr int compute_major = 75, compute_minor = 76;  // CUdevice_attribute

bool started = false;

const char* text_of(const char* variable, const char* otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? text : otherwise;
}
int number_of(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::atoi(text) : otherwise;
}
int gpus() { return number_of("FABRICAST_FAKE_GPUS", 0); }

}  // namespace

extern "C" {

int cuInit(unsigned flags) {
  const int code = number_of("FAKE_CUDA_INIT", gpus() > 0 ? ok : no_device);
  started = code == ok && flags == 0;
  return code;
}
int cuDeviceGetCount(int* count) {
  if (!started) return not_initialized;
  *count = gpus();
  return ok;
}
// Handles are no ordinals, so that nobody takes one for the other.
int cuDeviceGet(int* device, int ordinal) {
  if (!started || ordinal >= gpus()) return invalid_value;
  *device = 50 + ordinal;
  return ok;
}
int cuDeviceGetName(char* name, int size, int) {
  std::snprintf(name, static_cast<std::size_t>(size), "%s", text_of("FAKE_CUDA_NAME", "fake GPU"));
  return ok;
}
int cuDeviceTotalMem_v2(std::size_t* bytes, int) {
  *bytes = 150110011392ull;
  return ok;
}
int cuDeviceGetAttribute(int* value, int attribute, int) {
  if (attribute == compute_major) {
    *value = number_of("FAKE_COMPUTE_MAJOR", 9);
  } else if (attribute == compute_minor) {
    *value = 0;
  } else {
    return invalid_value;
  }
  return ok;
}
// No process may get a context to be asked for its GPUs: it would take memory and time.
int cuCtxCreate_v2(void**, unsigned, int) { std::abort(); }
int cuDevicePrimaryCtxRetain(void**, int) { std::abort(); }
#ifndef FAKE_LIBCUDA_OLD
int cuDriverGetVersion(int* version) {
  *version = 13000;
  return ok;
}
int cuDeviceGetUuid_v2(unsigned char* uuid, int device) {
  for (int i = 0; i < 16; ++i) uuid[i] = static_cast<unsigned char>(0xf0 + i);
  uuid[0] = static_cast<unsigned char>(device);
  return ok;
}
// Not in bus order: discover has to keep the driver's.
int cuDeviceGetPCIBusId(char* bus_id, int size, int device) {
  const bool by_rank = std::getenv("FAKE_GPU_ADDRESS_BY_RANK") != nullptr;
  const int address = device - 50 + (by_rank ? number_of("OMPI_COMM_WORLD_RANK", 0) : 0);
  std::snprintf(bus_id, static_cast<std::size_t>(size), "0000:%02X:00.0", 0xdb - 0x20 * address);
  return ok;
}
#endif
}
