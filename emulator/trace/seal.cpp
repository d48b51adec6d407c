#include "emulator/trace/seal.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/trace/sha256.hpp"

namespace fabricast {

std::string seal_of(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes.data(), bytes.size());
  return fmt::format("{}{}\n", seal_prefix, hash.finish());
}

void require_seal(std::span<const char> bytes, const std::filesystem::path& path) {
  const std::size_t sealed = bytes.size() - std::min(bytes.size(), seal_bytes);
  Sha256 hash;
  hash.update(bytes.data(), sealed);
  const std::string_view seal(bytes.data() + sealed, bytes.size() - sealed);
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
