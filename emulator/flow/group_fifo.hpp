// Messages of a group whose members all do the same: the i-th of each member goes to all others.
//
// Instead of a connection for each pair, a round of messages counts its arrivals and keeps the
// latest two times: a member waits for the others' messages, not for its own. So all connections of
// n members take O(n + rounds under way), and a lane is woken when the last of what it waits for is
// there. The same times as pairwise connections (semantics 3.1, 3.2, 3.5). Not thread safe.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "emulator/flow/short_queue.hpp"

namespace fabricast {

class GroupFifo {
 public:
  // At least two members; `depth` slots on the way to each.
  GroupFifo(std::int32_t members, std::int64_t depth);

  // When all others' next messages to `member` are ready; nothing while that is not known. `lane`
  // is woken when it is.
  std::optional<std::int64_t> ready(std::int32_t member, std::int32_t lane);
  // The same of the slots for its next message; the least of times where none was used before.
  std::optional<std::int64_t> slots(std::int32_t member, std::int32_t lane);

  // `member` takes the others' next messages; their slots are free at credit_ps.
  void take(std::int32_t member, std::int64_t credit_ps, std::vector<std::int32_t>& woken);
  // `member` sends its next message: its slots are used from now on.
  void send(std::int32_t member);
  // The next of the messages of `member` is at all others. Lanes that may go on are added to woken.
  void arrive(std::int32_t member, std::int64_t ready_ps, std::vector<std::int32_t>& woken);

  std::int64_t bytes() const;  // on the heap

 private:
  struct Member {
    std::int64_t sent = 0, arrived = 0, taken = 0;
    std::int32_t receiving_lane = -1, sending_lane = -1;
  };
  // Times of what the members did; the latest but for anybody's own.
  struct Times {
    std::int32_t count = 0, who = -1;
    std::int64_t latest = std::numeric_limits<std::int64_t>::min(), second = latest;

    void add(std::int32_t member, std::int64_t time_ps);
    std::int64_t without(std::int32_t member) const { return who == member ? second : latest; }
  };
  struct Round {
    Times arrived, taken;
    std::int32_t reused = 0;  // members that have used these slots again
  };

  Round& round(std::int64_t number);
  // After `member` was added to the times of a round: whoever waited for that one alone.
  void wake(const Times& times, std::int32_t member, std::int64_t number,
            std::int64_t Member::*done, std::int32_t Member::*lane,
            std::vector<std::int32_t>& woken) const;

  std::int64_t depth_;
  std::vector<Member> members_;
  ShortQueue<Round> rounds_;
  std::int64_t first_round_ = 0;
};

}  // namespace fabricast
