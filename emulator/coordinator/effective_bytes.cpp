#include "emulator/coordinator/effective_bytes.hpp"

#include <numeric>

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

std::int64_t effective_bytes(const Schedule& schedule, std::int64_t bytes,
                             std::int32_t element_bytes) {
  FABRICAST_EXPECT(bytes >= 0 && element_bytes >= 1, "sizes are not negative");
  std::int64_t unit = element_bytes;
  if (schedule.moves_chunks) unit *= schedule.chunks;
  if (has_rank_blocks(schedule.collective)) {
    unit = std::lcm(unit, block_alignment * schedule.positions());
  }
  return bytes - bytes % unit;
}

}  // namespace fabricast
