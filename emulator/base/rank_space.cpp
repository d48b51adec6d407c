#include "emulator/base/rank_space.hpp"

#include "emulator/base/contracts.hpp"

namespace fabricast {

RankSpace::RankSpace(std::initializer_list<std::int32_t> radices)
    : RankSpace(std::span<const std::int32_t>(radices.begin(), radices.size())) {}

RankSpace::RankSpace(std::span<const std::int32_t> radices)
    : digits_(static_cast<int>(radices.size())) {
  FABRICAST_EXPECT(digits_ >= 1 && digits_ <= max_digits, "one to five digits");
  std::int64_t size = 1;
  for (std::size_t d = 0; d < radices.size(); ++d) {
    FABRICAST_EXPECT(radices[d] >= 1, "a digit has at least one value");
    radix_[d] = radices[d];
    weight_[d] = static_cast<std::int32_t>(size);
    size *= radices[d];
    FABRICAST_EXPECT(size < (std::int64_t{1} << 31), "at most 2^31 - 1 ranks");
  }
  size_ = static_cast<std::int32_t>(size);
}

}  // namespace fabricast
