// Layout as nvcc 13 writes it, which has not changed since CUDA 4; NVIDIA does not document it.
#include "tests/ptx_device/fat_binary.hpp"

#include <fatbinary_section.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

namespace fabricast::ptx {
namespace {

constexpr std::uint32_t magic = 0xBA55ED50;
constexpr std::uint16_t kind_ptx = 1;
constexpr std::uint64_t compressed_lz4 = 0x2000, compressed_zstd = 0x8000;

struct Header {
  std::uint32_t magic;
  std::uint16_t version, header_bytes;
  std::uint64_t bytes;  // of all entries
};
struct EntryHeader {
  std::uint16_t kind, version;
  std::uint32_t header_bytes;
  std::uint64_t bytes;
  std::uint32_t compressed_bytes, unknown;
  std::uint16_t minor, major;
  std::uint32_t architecture, name_offset, name_bytes;
  std::uint64_t flags;
};
static_assert(sizeof(Header) == 16 && sizeof(EntryHeader) == 48);

[[noreturn]] void refuse(const char* why) {
  throw std::runtime_error(std::string("the fat binary of an object ") + why);
}

template <class T>
T read(const char* at, std::size_t left) {
  if (left < sizeof(T)) refuse("ends within a header");
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Padded with zeros.
std::string_view text_of(const char* at, std::size_t bytes) { return {at, strnlen(at, bytes)}; }

const char* data_of(const void* registered) {
  const auto wrapper =
      read<__fatBinC_Wrapper_t>(static_cast<const char*>(registered), sizeof(__fatBinC_Wrapper_t));
  if (wrapper.magic != FATBINC_MAGIC) refuse("has another wrapper than expected");
  return reinterpret_cast<const char*>(wrapper.data);
}

}  // namespace

std::string_view ptx_of(const void* registered) {
  const char* at = data_of(registered);
  const auto header = read<Header>(at, sizeof(Header));
  if (header.magic != magic || header.header_bytes < sizeof(Header)) refuse("is none");
  at += header.header_bytes;
  std::string_view oldest;
  std::uint32_t architecture = 0;
  for (std::size_t left = header.bytes; left > 0;) {
    const auto entry = read<EntryHeader>(at, left);
    if (entry.header_bytes < sizeof entry || entry.header_bytes > left ||
        entry.bytes > left - entry.header_bytes) {
      refuse("has an entry beyond its end");
    }
    if (entry.kind == kind_ptx && (oldest.empty() || entry.architecture < architecture)) {
      if (entry.compressed_bytes != 0 || (entry.flags & (compressed_lz4 | compressed_zstd)) != 0) {
        refuse("has compressed PTX (compile with -no-compress)");
      }
      oldest = text_of(at + entry.header_bytes, entry.bytes);
      architecture = entry.architecture;
    }
    at += entry.header_bytes + entry.bytes;
    left -= entry.header_bytes + entry.bytes;
  }
  if (!oldest.empty()) return oldest;
  refuse("has no PTX (compile for a virtual architecture)");
}

}  // namespace fabricast::ptx
