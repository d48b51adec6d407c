#include "emulator/coordinator/effective_bytes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <numeric>

#include "emulator/base/contracts.hpp"
#include "emulator/base/scaled_number.hpp"

namespace fabricast {
namespace {

constexpr std::int64_t block_alignment = 16;  // bytes; nccl-tests, see docs/measuring.md

}  // namespace

std::int64_t least_bytes(Collective collective, std::int32_t ranks, std::int32_t element_bytes) {
  return has_rank_blocks(collective) ? block_alignment * ranks : element_bytes;
}

std::int64_t least_bytes(const Schedule& schedule, std::int32_t element_bytes) {
  std::int64_t unit = element_bytes;
  if (schedule.moves_chunks) unit *= schedule.chunks;
  if (!has_rank_blocks(schedule.collective)) return unit;
  return std::lcm(unit, block_alignment * schedule.positions());
}

std::int64_t effective_bytes(Collective collective, std::int64_t bytes, std::int32_t ranks,
                             std::int32_t element_bytes) {
  FABRICAST_EXPECT(bytes >= 0 && ranks >= 1 && element_bytes >= 1, "sizes are not negative");
  return bytes - bytes % least_bytes(collective, ranks, element_bytes);
}

void SizeNotes::add(std::int64_t asked, std::int64_t runs) {
  if (runs == 0) too_small_.push_back(format_size(asked));
  if (runs > 0 && runs < asked && unit_ == element_bytes_) {
    rounded_.push_back(fmt::format("{} runs as {}", format_size(asked), format_size(runs)));
  }
}

std::vector<std::string> SizeNotes::notes() const {
  std::vector<std::string> result;
  const std::string unit = unit_ == element_bytes_
                               ? fmt::format("one element of {} B", element_bytes_)
                               : fmt::format("{} B, the same for every rank", unit_);
  if (!too_small_.empty()) {
    result.push_back(
        fmt::format("{}: sizes {} round to 0 bytes on {} ranks and are left out: the "
                    "least is {}",
                    what_, fmt::join(too_small_, ", "), ranks_, unit));
  }
  if (!rounded_.empty()) {
    result.push_back(fmt::format(
        "{}: sizes are whole elements of {} B: {}{}", what_, element_bytes_, rounded_.front(),
        rounded_.size() == 1 ? "" : fmt::format(", {} more so", rounded_.size() - 1)));
  }
  return result;
}

}  // namespace fabricast
