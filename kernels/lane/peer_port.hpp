// Connections between GPUs: FIFOs whose two ends lie in different memories, each reachable by both
// through peer addresses.
//
// What is polled lies with who polls it: slots and arrivals with the receiver, credits with the
// sender. So waiting crosses no link; a message crosses it once, its count behind it, and a credit
// comes back. Each end counts for itself besides, in its own memory. Otherwise as fifo.hpp (D
// slots, the n-th send needs consumed > n - D), with release and acquire at system scope. The two
// ends of a connection are one entry where both are in this memory, else one in each side's own
// table.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/host_device.hpp"
#include "kernels/lane/atomics.hpp"
#include "kernels/lane/fifo.hpp"

namespace fabricast::lane {

struct PeerConnection {
  std::byte* slots = nullptr;        // the receiver's memory: depth * slot_bytes
  std::uint64_t* arrived = nullptr;  // the receiver's memory: messages that are in the slots
  std::uint64_t* credit = nullptr;   // the sender's memory: messages that have been read
  FifoCounters own;                  // each end's count, here
};

// The connections of one memory; lanes name theirs by index. Trivially copyable view.
struct PeerPort {
  static constexpr bool across_devices = true;

  PeerConnection* connections = nullptr;
  std::int64_t slot_bytes = 0;
  std::uint32_t depth = 1;

  FABRICAST_HOST_DEVICE std::byte* slot(std::int32_t fifo, std::uint64_t message) const {
    return connections[fifo].slots + static_cast<std::int64_t>(message % depth) * slot_bytes;
  }
  FABRICAST_HOST_DEVICE std::uint64_t received(std::int32_t fifo) const {
    return load_relaxed(connections[fifo].own.consumed);
  }
  FABRICAST_HOST_DEVICE std::uint64_t sent(std::int32_t fifo) const {
    return load_relaxed(connections[fifo].own.sent);
  }
  FABRICAST_HOST_DEVICE void count_sent(std::int32_t fifo) const {
    store_relaxed(connections[fifo].own.sent, sent(fifo) + 1);
  }

  // Consumer side. Only the leader of a lane group calls has_message and pop.
  FABRICAST_HOST_DEVICE bool has_message(std::int32_t fifo) const {
    return load_acquire_across(*connections[fifo].arrived) > received(fifo);
  }
  FABRICAST_HOST_DEVICE const std::byte* front(std::int32_t fifo) const {
    return slot(fifo, received(fifo));
  }
  FABRICAST_HOST_DEVICE void pop(std::int32_t fifo) const {
    const std::uint64_t messages = received(fifo) + 1;
    store_relaxed(connections[fifo].own.consumed, messages);
    store_release_across(*connections[fifo].credit, messages);
  }

  // Producer side.
  FABRICAST_HOST_DEVICE bool has_room(std::int32_t fifo) const {
    return sent(fifo) - load_acquire_across(*connections[fifo].credit) < depth;
  }
  FABRICAST_HOST_DEVICE std::byte* back(std::int32_t fifo) const { return slot(fifo, sent(fifo)); }
  FABRICAST_HOST_DEVICE void push(std::int32_t fifo, std::int64_t /*bytes*/) const {
    count_sent(fifo);
    store_release_across(*connections[fifo].arrived, sent(fifo));
  }
};

}  // namespace fabricast::lane
