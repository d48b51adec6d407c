// A stand-in for libnvidia-ml.so.1: two GPUs, given in reverse bus order, that refuse some
// questions. FAKE_NVML_MIG: the UUID of the one whose MIG mode is on.
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int ok = 0, not_supported = 3, invalid_argument = 2;

int copy(char* to, unsigned size, const char* text) {
  std::snprintf(to, size, "%s", text);
  return ok;
}

// The handle of GPU i is a pointer to gpus[i].
int gpus[2] = {0, 1};
int index_of(void* device) { return *static_cast<int*>(device); }

}  // namespace

extern "C" {

struct FakePci {
  char legacy[16];
  unsigned domain, bus, device, id, subsystem;
  char bus_id[32];
};
struct FakeMemory {
  unsigned long long total, free, used;
};

int nvmlInit_v2() { return ok; }
int nvmlShutdown() { return ok; }
int nvmlSystemGetDriverVersion(char* text, unsigned size) { return copy(text, size, "570.1"); }
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = 2;
  return ok;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  *device = &gpus[index];
  return ok;
}
int nvmlDeviceGetName(void*, char* text, unsigned size) { return copy(text, size, "NVIDIA H200"); }
int nvmlDeviceGetUUID(void* device, char* text, unsigned size) {
  return copy(text, size, index_of(device) == 0 ? "GPU-bbbb" : "GPU-aaaa");
}
int nvmlDeviceGetPciInfo_v3(void* device, FakePci* pci) {
  std::memset(pci, 0, sizeof *pci);
  pci->bus = index_of(device) == 0 ? 0x9b : 0x1b;
  return ok;
}
int nvmlDeviceGetCudaComputeCapability(void*, int* major, int* minor) {
  *major = 9;
  *minor = 0;
  return ok;
}
int nvmlDeviceGetMemoryInfo(void*, FakeMemory* memory) {
  memory->total = 150754820096ull;
  return ok;
}
int nvmlDeviceGetPowerManagementDefaultLimit(void*, unsigned* milliwatt) {
  *milliwatt = 700000;
  return ok;
}
int nvmlDeviceGetMaxPcieLinkGeneration(void*, unsigned* generation) {
  *generation = 5;
  return ok;
}
int nvmlDeviceGetHandleByPciBusId_v2(const char* bus_id, void** device) {
  if (std::strcmp(bus_id, "0000:1b:00.0") != 0) return invalid_argument;
  *device = &gpus[1];
  return ok;
}
int nvmlDeviceGetClockInfo(void*, int type, unsigned* mhz) {
  *mhz = type == 1 ? 1755 : 3201;
  return ok;
}
int nvmlDeviceGetPowerUsage(void*, unsigned* milliwatt) {
  *milliwatt = 123456;
  return ok;
}
int nvmlDeviceGetCurrentClocksThrottleReasons(void*, unsigned long long* reasons) {
  *reasons = 0x24;
  return ok;
}
int nvmlDeviceGetMigMode(void* device, unsigned* current, unsigned* pending) {
  const char* partitioned = std::getenv("FAKE_NVML_MIG");
  if (partitioned == nullptr) return not_supported;  // as GPUs that cannot be
  char uuid[32];
  nvmlDeviceGetUUID(device, uuid, sizeof uuid);
  *current = *pending = std::strcmp(uuid, partitioned) == 0 ? 1 : 0;
  return ok;
}
// nvmlDeviceGetTemperature and nvmlDeviceGetMaxPcieLinkWidth are missing, as in an old driver.
int nvmlDeviceGetNvLinkState(void* device, unsigned link, unsigned* active) {
  if (link >= 18) return invalid_argument;
  if (index_of(device) == 1 && link == 5) return not_supported;
  *active = 1;
  return ok;
}
int nvmlDeviceGetNvLinkRemoteDeviceType(void*, unsigned link, unsigned* type) {
  if (link >= 18) return invalid_argument;
  *type = 2;  // a switch
  return ok;
}
}
