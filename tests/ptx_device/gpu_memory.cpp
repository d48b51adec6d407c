#include "tests/ptx_device/gpu_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "tests/ptx_device/address_space.hpp"

namespace fabricast::ptx {
namespace {

constexpr std::size_t page = 4096;
// Not on a page: what is aligned by no more than CUDA promises.
constexpr std::size_t begin_in_page = 256;
constexpr int poison = 0xA5;
constexpr std::uint64_t handle_mark = 0x7074782d6d656d31;

enum class Owner { device, host, imported, driver };

struct Allocation {
  Owner owner;
  std::size_t bytes;
  std::byte* map = nullptr;
  std::size_t map_bytes = 0;
  int file = -1;  // another process maps it too
};
using Allocations = std::map<const std::byte*, Allocation>;

struct Memory {
  std::mutex mutex;
  Allocations allocations;  // by begin
  std::size_t used = 0;     // of the GPU's
};

// Never destroyed: streams may still run when the process ends.
Memory& memory() {
  static Memory& only = *new Memory;
  return only;
}

struct Handle {
  std::uint64_t mark, bytes;
  std::int32_t process, file;
};
static_assert(sizeof(Handle) <= sizeof(cudaIpcMemHandle_t));

Handle read(const cudaIpcMemHandle_t& handle) {
  Handle facts;
  std::memcpy(&facts, handle.reserved, sizeof facts);
  return facts;
}

std::byte* map_file(int file, std::size_t bytes) {
  void* map = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  return map == MAP_FAILED ? nullptr : static_cast<std::byte*>(map);
}

std::byte* add(Owner owner, std::byte* map, std::size_t map_bytes, std::size_t bytes, int file) {
  std::byte* data = map + begin_in_page;
  const std::lock_guard lock(memory().mutex);
  memory().allocations[data] = {owner, bytes, map, map_bytes, file};
  if (owner == Owner::device) memory().used += bytes;
  address_space().add(data, bytes, owner != Owner::device);
  return data;
}

std::size_t file_bytes(std::size_t bytes) {
  return (begin_in_page + bytes + page - 1) / page * page;
}

std::byte* allocate(Owner owner, std::size_t bytes) {
  const std::size_t all = file_bytes(bytes);
  const int file = memfd_create("PTX device", MFD_CLOEXEC);
  if (file < 0) return nullptr;
  std::byte* map = ftruncate(file, static_cast<off_t>(all)) == 0 ? map_file(file, all) : nullptr;
  if (map == nullptr) {
    close(file);
    return nullptr;
  }
  std::memset(map, poison, all);
  return add(owner, map, all, bytes, file);
}

bool release(Owner owner, const void* data) {
  const std::lock_guard lock(memory().mutex);
  const auto found = memory().allocations.find(static_cast<const std::byte*>(data));
  if (found == memory().allocations.end() || found->second.owner != owner) return false;
  const Allocation& a = found->second;
  address_space().remove(reinterpret_cast<Address>(data));
  if (a.map != nullptr) munmap(a.map, a.map_bytes);
  if (a.file >= 0) close(a.file);
  if (owner == Owner::device) memory().used -= a.bytes;
  memory().allocations.erase(found);
  return true;
}

bool fits(std::size_t bytes) {
  const std::lock_guard lock(memory().mutex);
  return bytes <= gpu_memory_bytes - memory().used;
}

}  // namespace

std::byte* allocate_device(std::size_t bytes) {
  return fits(bytes) ? allocate(Owner::device, bytes) : nullptr;
}
std::byte* allocate_host(std::size_t bytes) { return allocate(Owner::host, bytes); }
bool free_device(void* data) { return release(Owner::device, data); }
bool free_host(void* data) { return release(Owner::host, data); }
bool close_imported(void* data) { return release(Owner::imported, data); }
void remove_mapped(const std::byte* data) { release(Owner::driver, data); }

bool export_memory(void* data, cudaIpcMemHandle_t& handle) {
  const std::lock_guard lock(memory().mutex);
  const auto found = memory().allocations.find(static_cast<std::byte*>(data));
  if (found == memory().allocations.end() || found->second.owner != Owner::device) return false;
  const Handle facts{handle_mark, found->second.bytes, getpid(), found->second.file};
  std::memset(handle.reserved, 0, sizeof handle.reserved);
  std::memcpy(handle.reserved, &facts, sizeof facts);
  address_space().add(data, found->second.bytes, true);
  return true;
}

bool is_own(const cudaIpcMemHandle_t& handle) { return read(handle).process == getpid(); }

std::byte* import_memory(const cudaIpcMemHandle_t& handle) {
  const Handle facts = read(handle);
  if (facts.mark != handle_mark) return nullptr;
  const auto path = "/proc/" + std::to_string(facts.process) + "/fd/" + std::to_string(facts.file);
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return nullptr;
  const std::size_t all = file_bytes(facts.bytes);
  // The file of that number may be another one by now.
  std::byte* map =
      lseek(file, 0, SEEK_END) == static_cast<off_t>(all) ? map_file(file, all) : nullptr;
  close(file);
  return map == nullptr ? nullptr : add(Owner::imported, map, all, facts.bytes, -1);
}

void add_mapped(std::byte* data, std::size_t bytes) {
  const std::lock_guard lock(memory().mutex);
  memory().allocations[data] = {Owner::driver, bytes};
  address_space().add(data, bytes, true);
}

Place place_of(const void* data, std::size_t bytes) {
  const std::lock_guard lock(memory().mutex);
  const auto* begin = static_cast<const std::byte*>(data);
  const Allocations& all = memory().allocations;
  const auto next = all.upper_bound(begin);
  if (next != all.end() && begin + bytes > next->first) return Place::beyond_an_end;
  if (next == all.begin()) return Place::pageable_host;
  const auto& [first, a] = *std::prev(next);
  if (begin >= first + a.bytes) return Place::pageable_host;
  if (begin + bytes > first + a.bytes) return Place::beyond_an_end;
  return a.owner == Owner::host ? Place::pinned_host : Place::device;
}

}  // namespace fabricast::ptx
