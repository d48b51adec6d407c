#include "emulator/coordinator/effective_bytes.hpp"

#include "emulator/base/contracts.hpp"

namespace fabricast {
namespace {

constexpr std::int64_t block_alignment = 16;  // bytes; nccl-tests, see docs/measuring.md

}  // namespace

std::int64_t effective_bytes(Collective collective, std::int64_t bytes, std::int32_t ranks,
                             std::int32_t element_bytes) {
  FABRICAST_EXPECT(bytes >= 0 && ranks >= 1 && element_bytes >= 1, "sizes are not negative");
  if (!has_rank_blocks(collective)) return bytes - bytes % element_bytes;
  const std::int64_t block = bytes / ranks;
  return (block - block % block_alignment) * ranks;
}

}  // namespace fabricast
