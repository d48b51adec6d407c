#include "emulator/schedule/placement.hpp"

#include <utility>

#include "emulator/base/contracts.hpp"

namespace fabricast {

Placement Placement::rotated(const RankSpace& space, std::int32_t start, bool swap_odd,
                             std::int32_t domain_shift) {
  FABRICAST_EXPECT(start >= 0 && domain_shift >= 0, "rotations are counted forward");
  const std::int32_t l = space.domain_size();
  std::vector<std::int32_t> order(static_cast<std::size_t>(l));
  for (std::int32_t i = 0; i < l; ++i) order[static_cast<std::size_t>(i)] = (start + i) % l;
  Placement placement = ordered(space, std::move(order), swap_odd);
  placement.domain_shift_ = domain_shift % space.domains();
  return placement;
}

Placement Placement::ordered(const RankSpace& space, std::vector<std::int32_t> order,
                             bool swap_odd) {
  FABRICAST_EXPECT(order.size() == static_cast<std::size_t>(space.domain_size()),
                   "every member of a domain once");
  Placement placement;
  placement.space_ = space;
  placement.swap_odd_ = swap_odd;
  placement.slot_of_.assign(order.size(), -1);
  for (std::size_t i = 0; i < order.size(); ++i) {
    auto& slot = placement.slot_of_.at(static_cast<std::size_t>(order[i]));
    FABRICAST_EXPECT(slot < 0, "every member of a domain once");
    slot = static_cast<std::int32_t>(i);
  }
  placement.order_ = std::move(order);
  return placement;
}

Placement Placement::transposed(const RankSpace& ranks) {
  Placement placement;
  placement.space_ = RankSpace{ranks.domains(), ranks.domain_size()};
  placement.transposed_ = true;
  return placement;
}

Placement Placement::starting_at(std::int32_t rank) const {
  Placement turned = *this;
  turned.shift_ = (shift_ + position_of(rank)) % space_.size();
  return turned;
}

std::int32_t Placement::rank_at(std::int32_t position) const {
  position += shift_;
  if (position >= space_.size()) position -= space_.size();
  if (transposed_) {
    return position % space_.radix(0) * space_.radix(1) + position / space_.radix(0);
  }
  const std::int32_t l = space_.domain_size();
  const std::int32_t domain = (position / l + domain_shift_) % space_.domains();
  std::int32_t slot = position % l;
  if (swap_odd_ && domain % 2 == 1) slot = l - 1 - slot;
  return domain * l + order_[static_cast<std::size_t>(slot)];
}

std::int32_t Placement::from_first(std::int32_t at) const {
  return at >= shift_ ? at - shift_ : at - shift_ + space_.size();
}

std::int32_t Placement::position_of(std::int32_t rank) const {
  if (transposed_)
    return from_first(rank % space_.radix(1) * space_.radix(0) + rank / space_.radix(1));
  const std::int32_t l = space_.domain_size();
  const std::int32_t domain = rank / l;
  std::int32_t slot = slot_of_[static_cast<std::size_t>(rank % l)];
  if (swap_odd_ && domain % 2 == 1) slot = l - 1 - slot;
  return from_first((domain - domain_shift_ + space_.domains()) % space_.domains() * l + slot);
}

}  // namespace fabricast
