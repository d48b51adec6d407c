// The driver's calls for shareable memory and multicast objects, on host memory: an object is a
// file in memory with the members' memories one after the other, so it works between processes.
// Where the real driver would wait for ever (binding before all have been added) this one refuses.
//
// There are such calls if FAKE_MULTICAST is set, to "yes" or as fake_kernels.cpp says.
// FAKE_NO_FABRIC: no fabric handles, FAKE_COMPUTE_MAJOR: an older GPU, FAKE_DRIVER_FAILS: the call
// that fails; "N call": only in process N.
//
// What is mapped is told to who executes kernels on it: fake_kernels.cpp, tests/ptx_device.
#include "tests/unit/runtime/fakes/fake_driver.hpp"

#include <cudaTypedefs.h>
#include <cuda_runtime_api.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace fabricast::fakes {
namespace {

constexpr std::size_t page = 4096;
constexpr std::uint64_t object_mark = 0x6d756c7469636173;  // in its first word; other files: memory

struct Header {
  std::uint64_t mark, members, bytes;
  std::atomic<std::uint64_t> added;
};

// Of this process.
struct Allocation {
  int file = -1;  // of an object, or of the object that memory is bound to
  std::size_t offset = 0;
  std::size_t bytes = 0;
  Header* header = nullptr;  // of an object
  std::uint64_t member = 0;  // of this process in it
};
struct Mapping {
  std::byte* data;
  std::size_t bytes;
  std::uint64_t members;  // 0: memory
};

std::string failing;
int bindings = 0;
unsigned long long next_handle = 1;
std::map<unsigned long long, Allocation> allocations;
std::map<CUdeviceptr, std::size_t> reserved;
std::map<CUdeviceptr, Mapping> mappings;

bool fails(const char* name) {
  driver_calls().emplace_back(name);
  const char* wanted = std::getenv("FAKE_DRIVER_FAILS");
  const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
  const std::string here = std::string(rank != nullptr ? rank : "") + ' ' + name;
  return failing == name || (wanted != nullptr && (wanted == std::string(name) || wanted == here));
}
#define FAKE_CALL(name) \
  if (fails(name)) return CUDA_ERROR_NOT_PERMITTED

Allocation* find(unsigned long long handle) {
  const auto found = allocations.find(handle);
  return found == allocations.end() ? nullptr : &found->second;
}

CUresult open_object(int file, unsigned long long* handle) {
  void* header = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (header == MAP_FAILED) return CUDA_ERROR_INVALID_VALUE;
  auto* h = static_cast<Header*>(header);
  allocations[*handle = next_handle++] = {file, page, h->bytes, h, 0};
  return CUDA_SUCCESS;
}

CUresult error_name(CUresult, const char** text) { return *text = "FAKE_ERROR", CUDA_SUCCESS; }
CUresult error_text(CUresult, const char** text) {
  return *text = "an error of the fake driver", CUDA_SUCCESS;
}
CUresult device_get(CUdevice* device, int ordinal) { return *device = ordinal, CUDA_SUCCESS; }
CUresult device_attribute(int* value, CUdevice_attribute attribute, CUdevice) {
  const char* major = std::getenv("FAKE_COMPUTE_MAJOR");
  *value = attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
               ? (major != nullptr ? std::atoi(major) : 9)
           : attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR ? 0
           : attribute == CU_DEVICE_ATTRIBUTE_HANDLE_TYPE_FABRIC_SUPPORTED
               ? (std::getenv("FAKE_NO_FABRIC") == nullptr ? 1 : 0)
               : 1;
  return CUDA_SUCCESS;
}
CUresult memory_granularity(std::size_t* bytes, const CUmemAllocationProp*,
                            CUmemAllocationGranularity_flags) {
  FAKE_CALL("cuMemGetAllocationGranularity");
  return *bytes = 2 * page, CUDA_SUCCESS;
}
CUresult multicast_granularity(std::size_t* bytes, const CUmulticastObjectProp*,
                               CUmulticastGranularity_flags which) {
  FAKE_CALL("cuMulticastGetGranularity");
  return *bytes = (which == CU_MULTICAST_GRANULARITY_MINIMUM ? 4 : 64) * page, CUDA_SUCCESS;
}
CUresult memory_create(unsigned long long* handle, std::size_t bytes, const CUmemAllocationProp*,
                       unsigned long long) {
  FAKE_CALL("cuMemCreate");
  if (bytes % (2 * page) != 0) return CUDA_ERROR_INVALID_VALUE;
  const int file = memfd_create("fake memory", MFD_CLOEXEC);
  if (ftruncate(file, static_cast<off_t>(bytes)) != 0) return CUDA_ERROR_OUT_OF_MEMORY;
  allocations[*handle = next_handle++] = {file, 0, bytes, nullptr, 0};
  return CUDA_SUCCESS;
}
CUresult memory_release(unsigned long long handle) {
  Allocation* a = find(handle);
  if (a == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (a->header != nullptr) munmap(a->header, page);
  close(a->file);
  allocations.erase(handle);
  return CUDA_SUCCESS;
}
CUresult memory_export(void* shared, unsigned long long handle, CUmemAllocationHandleType type,
                       unsigned long long) {
  FAKE_CALL("cuMemExportToShareableHandle");
  const Allocation* a = find(handle);
  if (a == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (type == CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR) {
    *static_cast<int*>(shared) = dup(a->file);
  } else {
    std::snprintf(static_cast<char*>(shared), sizeof(CUmemFabricHandle), "/proc/%d/fd/%d", getpid(),
                  a->file);
  }
  return CUDA_SUCCESS;
}
CUresult memory_import(unsigned long long* handle, void* shared, CUmemAllocationHandleType type) {
  FAKE_CALL("cuMemImportFromShareableHandle");
  const int file = type == CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR
                       ? dup(static_cast<int>(reinterpret_cast<std::uintptr_t>(shared)))
                       : open(static_cast<const char*>(shared), O_RDWR | O_CLOEXEC);
  if (file < 0) return CUDA_ERROR_NOT_PERMITTED;
  std::uint64_t mark = 0;
  if (pread(file, &mark, sizeof mark, 0) == sizeof mark && mark == object_mark) {
    return open_object(file, handle);
  }
  struct stat facts {};
  fstat(file, &facts);
  allocations[*handle = next_handle++] = {file, 0, static_cast<std::size_t>(facts.st_size), nullptr,
                                          0};
  return CUDA_SUCCESS;
}
CUresult address_reserve(CUdeviceptr* address, std::size_t bytes, std::size_t, CUdeviceptr,
                         unsigned long long) {
  FAKE_CALL("cuMemAddressReserve");
  void* at = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return CUDA_ERROR_OUT_OF_MEMORY;
  reserved[*address = reinterpret_cast<CUdeviceptr>(at)] = bytes;
  return CUDA_SUCCESS;
}
CUresult address_free(CUdeviceptr address, std::size_t bytes) {
  if (mappings.count(address) != 0 || reserved[address] != bytes) return CUDA_ERROR_INVALID_VALUE;
  munmap(reinterpret_cast<void*>(address), bytes);
  reserved.erase(address);
  return CUDA_SUCCESS;
}
void tell_of_object(CUdeviceptr address, const Allocation& object, std::byte* data) {
  MappedObject mapped{static_cast<std::uintptr_t>(address), object.bytes, {}, object.member};
  for (std::uint64_t m = 0; m < object.header->members; ++m) {
    mapped.memories.push_back(data + m * object.bytes);
  }
  mapped_object(mapped);
}
// Memory is mapped at its address; of an object all members' are, somewhere.
CUresult map(CUdeviceptr address, std::size_t bytes, std::size_t, unsigned long long handle,
             unsigned long long) {
  FAKE_CALL("cuMemMap");
  const Allocation* a = find(handle);
  if (a == nullptr || a->bytes != bytes) return CUDA_ERROR_INVALID_VALUE;
  const std::uint64_t members = a->header != nullptr ? a->header->members : 0;
  if (members != 0 && a->header->added != members) return CUDA_ERROR_NOT_READY;
  void* at = members != 0 ? nullptr : reinterpret_cast<void*>(address);
  const std::size_t length = members != 0 ? members * bytes : bytes;
  void* data =
      mmap(at, length, PROT_READ | PROT_WRITE, MAP_SHARED | (at != nullptr ? MAP_FIXED : 0),
           a->file, static_cast<off_t>(a->offset));
  if (data == MAP_FAILED) return CUDA_ERROR_OUT_OF_MEMORY;
  mappings[address] = {static_cast<std::byte*>(data), bytes, members};
  members == 0 ? mapped_memory(static_cast<std::byte*>(data), bytes)
               : tell_of_object(address, *a, static_cast<std::byte*>(data));
  return CUDA_SUCCESS;
}
CUresult unmap(CUdeviceptr address, std::size_t bytes) {
  const auto found = mappings.find(address);
  if (found == mappings.end() || found->second.bytes != bytes) return CUDA_ERROR_INVALID_VALUE;
  const Mapping& m = found->second;
  unmapped(static_cast<std::uintptr_t>(address));
  if (m.members != 0) munmap(m.data, m.members * bytes);
  mappings.erase(found);
  return CUDA_SUCCESS;
}
CUresult set_access(CUdeviceptr address, std::size_t, const CUmemAccessDesc*, std::size_t) {
  FAKE_CALL("cuMemSetAccess");
  return mappings.count(address) != 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}
CUresult multicast_create(unsigned long long* handle, const CUmulticastObjectProp* wanted) {
  FAKE_CALL("cuMulticastCreate");
  if (wanted->numDevices < 2 || wanted->size % (4 * page) != 0) return CUDA_ERROR_INVALID_VALUE;
  const int file = memfd_create("fake multicast object", MFD_CLOEXEC);
  const auto bytes = page + wanted->numDevices * wanted->size;
  if (ftruncate(file, static_cast<off_t>(bytes)) != 0) return CUDA_ERROR_OUT_OF_MEMORY;
  const std::uint64_t head[] = {object_mark, wanted->numDevices, wanted->size, 0};
  if (pwrite(file, head, sizeof head, 0) != sizeof head) return CUDA_ERROR_OUT_OF_MEMORY;
  return open_object(file, handle);
}
CUresult multicast_add_device(unsigned long long handle, CUdevice) {
  FAKE_CALL("cuMulticastAddDevice");
  Allocation* a = find(handle);
  if (a == nullptr || a->header->added >= a->header->members) return CUDA_ERROR_INVALID_VALUE;
  a->member = a->header->added.fetch_add(1);
  return CUDA_SUCCESS;
}
CUresult multicast_bind(unsigned long long object, std::size_t, unsigned long long memory,
                        std::size_t, std::size_t bytes, unsigned long long) {
  FAKE_CALL("cuMulticastBindMem");
  const Allocation* o = find(object);
  Allocation* m = find(memory);
  if (o == nullptr || m == nullptr || bytes != o->bytes) return CUDA_ERROR_INVALID_VALUE;
  if (o->header->added != o->header->members) return CUDA_ERROR_NOT_READY;
  close(m->file);
  m->file = dup(o->file);
  m->offset = page + o->member * bytes;
  ++bindings;
  return CUDA_SUCCESS;
}
CUresult multicast_unbind(unsigned long long object, CUdevice, std::size_t, std::size_t) {
  if (find(object) == nullptr) return CUDA_ERROR_INVALID_VALUE;
  --bindings;
  return CUDA_SUCCESS;
}

template <class Signature>
void* checked(Signature call, Signature fake) {
  static_cast<void>(call);
  return reinterpret_cast<void*>(fake);
}
#define FAKE_ENTRY(name, version, fake) \
  { #name, checked < PFN_##name##_v##version>(nullptr, fake) }

const std::map<std::string, void*>& entries() {
  static const std::map<std::string, void*> all{
      FAKE_ENTRY(cuGetErrorName, 6000, error_name),
      FAKE_ENTRY(cuGetErrorString, 6000, error_text),
      FAKE_ENTRY(cuDeviceGet, 2000, device_get),
      FAKE_ENTRY(cuDeviceGetAttribute, 2000, device_attribute),
      FAKE_ENTRY(cuMemGetAllocationGranularity, 10020, memory_granularity),
      FAKE_ENTRY(cuMemCreate, 10020, memory_create),
      FAKE_ENTRY(cuMemRelease, 10020, memory_release),
      FAKE_ENTRY(cuMemExportToShareableHandle, 10020, memory_export),
      FAKE_ENTRY(cuMemImportFromShareableHandle, 10020, memory_import),
      FAKE_ENTRY(cuMemAddressReserve, 10020, address_reserve),
      FAKE_ENTRY(cuMemAddressFree, 10020, address_free),
      FAKE_ENTRY(cuMemMap, 10020, map),
      FAKE_ENTRY(cuMemUnmap, 10020, unmap),
      FAKE_ENTRY(cuMemSetAccess, 10020, set_access),
      FAKE_ENTRY(cuMulticastGetGranularity, 12010, multicast_granularity),
      FAKE_ENTRY(cuMulticastCreate, 12010, multicast_create),
      FAKE_ENTRY(cuMulticastAddDevice, 12010, multicast_add_device),
      FAKE_ENTRY(cuMulticastBindMem, 12010, multicast_bind),
      FAKE_ENTRY(cuMulticastUnbind, 12010, multicast_unbind),
  };
  return all;
}

}  // namespace

void fail_driver_call(const std::string& name) { failing = name; }
int driver_objects_alive() {
  return static_cast<int>(allocations.size() + reserved.size() + mappings.size()) + bindings;
}
std::vector<std::string>& driver_calls() {
  static std::vector<std::string> calls;
  return calls;
}

}  // namespace fabricast::fakes

extern "C" cudaError_t cudaGetDriverEntryPointByVersion(const char* name, void** found, unsigned,
                                                        unsigned long long,
                                                        cudaDriverEntryPointQueryResult* status) {
  const auto& all = fabricast::fakes::entries();
  const auto entry = all.find(name);
  const bool known = std::getenv("FAKE_MULTICAST") != nullptr && entry != all.end();
  *found = known ? entry->second : nullptr;
  *status = known ? cudaDriverEntryPointSuccess : cudaDriverEntryPointSymbolNotFound;
  return cudaSuccess;
}
