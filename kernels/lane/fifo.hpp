// Connections as FIFOs of D slots with credits (docs/semantics.md 1), Simple protocol: data, then a
// release store of the sender's counter; the receiver's counter, released after reading, is the
// credit.
//
// Single producer lane, single consumer lane. Counters only grow; message n is in slot n mod D. The
// n-th send needs consumed > n - D: a slot is taken until its message has been read (semantics
// 1.2). Each counter has its own 128-byte line. Storage belongs to the
// executor. Works with g++ threads and CUDA CTAs alike.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/host_device.hpp"
#include "kernels/lane/atomics.hpp"

namespace fabricast::lane {

inline constexpr std::size_t line_bytes = 128;  // one cache line of a GPU, two of an x86 core

struct FifoCounters {
  alignas(line_bytes) std::uint64_t sent = 0;      // written by the producer
  alignas(line_bytes) std::uint64_t consumed = 0;  // written by the consumer
};

// All FIFOs of an executor; lanes name theirs by index. Trivially copyable view.
struct FifoPort {
  static constexpr bool across_devices = false;

  FifoCounters* counters = nullptr;
  std::byte* slots = nullptr;  // depth * slot_bytes for each FIFO, in order
  std::int64_t slot_bytes = 0;
  std::uint32_t depth = 1;

  FABRICAST_HOST_DEVICE std::byte* slot(std::int32_t fifo, std::uint64_t message) const {
    const auto index =
        static_cast<std::int64_t>(fifo) * depth + static_cast<std::int64_t>(message % depth);
    return slots + index * slot_bytes;
  }

  // Each end's own count, for messages that carry their own flags (line_port.hpp).
  FABRICAST_HOST_DEVICE std::uint64_t received(std::int32_t fifo) const {
    return load_relaxed(counters[fifo].consumed);
  }
  FABRICAST_HOST_DEVICE std::uint64_t sent(std::int32_t fifo) const {
    return load_relaxed(counters[fifo].sent);
  }
  FABRICAST_HOST_DEVICE void count_sent(std::int32_t fifo) const {
    store_relaxed(counters[fifo].sent, sent(fifo) + 1);
  }

  // Consumer side. Only the leader of a lane group calls has_message and pop.
  FABRICAST_HOST_DEVICE bool has_message(std::int32_t fifo) const {
    FifoCounters& c = counters[fifo];
    return load_acquire(c.sent) > load_relaxed(c.consumed);
  }
  FABRICAST_HOST_DEVICE const std::byte* front(std::int32_t fifo) const {
    return slot(fifo, load_relaxed(counters[fifo].consumed));
  }
  FABRICAST_HOST_DEVICE void pop(std::int32_t fifo) const {
    FifoCounters& c = counters[fifo];
    store_release(c.consumed, load_relaxed(c.consumed) + 1);
  }

  // Producer side.
  FABRICAST_HOST_DEVICE bool has_room(std::int32_t fifo) const {
    FifoCounters& c = counters[fifo];
    return load_relaxed(c.sent) - load_acquire(c.consumed) < depth;
  }
  FABRICAST_HOST_DEVICE std::byte* back(std::int32_t fifo) const {
    return slot(fifo, load_relaxed(counters[fifo].sent));
  }
  FABRICAST_HOST_DEVICE void push(std::int32_t fifo, std::int64_t /*bytes*/) const {
    FifoCounters& c = counters[fifo];
    store_release(c.sent, load_relaxed(c.sent) + 1);
  }
};

}  // namespace fabricast::lane
