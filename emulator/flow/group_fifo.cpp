#include "emulator/flow/group_fifo.hpp"

#include <algorithm>

#include "emulator/base/contracts.hpp"

namespace fabricast {

GroupFifo::GroupFifo(std::int32_t members, std::int64_t depth)
    : depth_(depth), members_(static_cast<std::size_t>(members)) {
  FABRICAST_EXPECT(members >= 2 && depth >= 1, "a group that exchanges messages");
}

void GroupFifo::Times::add(std::int32_t member, std::int64_t time_ps) {
  ++count;
  if (time_ps > latest) {
    second = latest;
    latest = time_ps;
    who = member;
  } else {
    second = std::max(second, time_ps);
  }
}

GroupFifo::Round& GroupFifo::round(std::int64_t number) {
  FABRICAST_EXPECT(number >= first_round_, "a round that is under way");
  const auto at = static_cast<std::size_t>(number - first_round_);
  while (rounds_.size() <= at) rounds_.push_back({});
  return rounds_[at];
}

std::optional<std::int64_t> GroupFifo::ready(std::int32_t member, std::int32_t lane) {
  Member& own = members_[static_cast<std::size_t>(member)];
  own.receiving_lane = lane;
  const Times& times = round(own.taken).arrived;
  const std::int32_t others = times.count - (own.arrived > own.taken ? 1 : 0);
  if (others + 1 < static_cast<std::int32_t>(members_.size())) return std::nullopt;
  return times.without(member);
}

std::optional<std::int64_t> GroupFifo::slots(std::int32_t member, std::int32_t lane) {
  Member& own = members_[static_cast<std::size_t>(member)];
  own.sending_lane = lane;
  const std::int64_t number = own.sent - depth_;
  if (number < 0) return std::numeric_limits<std::int64_t>::min();
  const Times& times = round(number).taken;
  const std::int32_t others = times.count - (own.taken > number ? 1 : 0);
  if (others + 1 < static_cast<std::int32_t>(members_.size())) return std::nullopt;
  return times.without(member);
}

void GroupFifo::wake(const Times& times, std::int32_t member, std::int64_t number,
                     std::int64_t Member::*done, std::int32_t Member::*lane,
                     std::vector<std::int32_t>& woken) const {
  const auto all = static_cast<std::int32_t>(members_.size());
  if (times.count + 1 < all) return;
  for (std::int32_t m = 0; m < all; ++m) {
    const Member& other = members_[static_cast<std::size_t>(m)];
    // Of all but one, that one had to wait; the others waited for the last.
    const bool goes = times.count == all ? m != member : other.*done <= number;
    if (goes && other.*lane >= 0) woken.push_back(other.*lane);
  }
}

void GroupFifo::take(std::int32_t member, std::int64_t credit_ps,
                     std::vector<std::int32_t>& woken) {
  const std::int64_t number = members_[static_cast<std::size_t>(member)].taken++;
  Times& times = round(number).taken;
  times.add(member, credit_ps);
  wake(times, member, number, &Member::taken, &Member::sending_lane, woken);
}

void GroupFifo::send(std::int32_t member) {
  const std::int64_t number = members_[static_cast<std::size_t>(member)].sent++ - depth_;
  if (number < 0) return;
  ++round(number).reused;
  while (!rounds_.empty() && rounds_.front().reused == static_cast<std::int32_t>(members_.size())) {
    rounds_.pop_front();
    ++first_round_;
  }
}

void GroupFifo::arrive(std::int32_t member, std::int64_t ready_ps,
                       std::vector<std::int32_t>& woken) {
  const std::int64_t number = members_[static_cast<std::size_t>(member)].arrived++;
  Times& times = round(number).arrived;
  times.add(member, ready_ps);
  wake(times, member, number, &Member::arrived, &Member::receiving_lane, woken);
}

std::int64_t GroupFifo::bytes() const {
  return static_cast<std::int64_t>(members_.capacity() * sizeof(Member)) + rounds_.bytes();
}

}  // namespace fabricast
