// The clocks of the general engine: lanes, ports, and the slots of every connection.
//
// Invariants: received <= sent <= received + depth. Message n of a connection lives in slot
// n mod depth of both rings. All times in ps.
#pragma once

#include <cstdint>
#include <vector>

namespace fabricast {

struct WiredQueue {
  std::int64_t sent = 0;
  std::int64_t received = 0;
  std::int32_t sent_slot = 0;        // sent mod depth, without a division per step
  std::int32_t received_slot = 0;    // received mod depth
  std::int32_t waiting_sender = -1;  // lane to wake, -1 for none
  std::int32_t waiting_receiver = -1;
};

struct WiredState {
  std::vector<std::int64_t> lane;    // end of the last step
  std::vector<std::int64_t> port;    // port free again
  std::vector<WiredQueue> queues;    // per connection
  std::vector<std::int64_t> ready;   // [connection * depth + slot]
  std::vector<std::int64_t> credit;  // [connection * depth + slot]
};

}  // namespace fabricast
