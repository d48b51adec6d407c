#include "emulator/trace/seal.hpp"

#include <algorithm>
#include <fstream>
#include <vector>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/trace/sha256.hpp"

namespace fabricast {

std::string seal_of(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes.data(), bytes.size());
  return fmt::format("{}{}\n", seal_prefix, hash.finish());
}

void require_seal(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::error_code error;
  std::uintmax_t left = std::filesystem::file_size(path, error);
  if (!file || error) {
    throw IoError(fmt::format("cannot read {} (no permission, or it vanished) check the path",
                              path.string()));
  }
  Sha256 hash;
  std::vector<char> block(1u << 20);
  left -= std::min<std::uintmax_t>(left, seal_bytes);
  while (left > 0) {
    const auto count = static_cast<std::size_t>(std::min<std::uintmax_t>(left, block.size()));
    if (!file.read(block.data(), static_cast<std::streamsize>(count))) {
      throw IoError(
          fmt::format("cannot read {} (reading stopped early) check the disk", path.string()));
    }
    hash.update(block.data(), count);
    left -= count;
  }
  std::string seal(seal_bytes, '\0');
  file.read(seal.data(), static_cast<std::streamsize>(seal.size()));
  if (!seal.starts_with(seal_prefix)) {
    throw CheckError(
        fmt::format("{}: no seal at its end (it was cut off, or another program "
                    "changed it) write it again",
                    path.string()));
  }
  if (seal != fmt::format("{}{}\n", seal_prefix, hash.finish())) {
    throw CheckError(
        fmt::format("{}: its seal does not match its bytes (it was damaged or edited) "
                    "write it again",
                    path.string()));
  }
}

}  // namespace fabricast
