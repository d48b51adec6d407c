// The three hand-offs of suite hand_off, by one thread group per side, for host and device.
//
//   simple  all threads write data; barrier; the leader stores the round into a flag with release;
//           the peer's leader polls it with acquire; barrier; all threads read the data.
//   ll      every thread writes 16-byte lines {4 B data, 4 B round, 4 B data, 4 B round} and polls
//           the peer's lines until both rounds are there: no barrier, half the bytes are flags.
//   ll128   a line is 128 bytes, 8 threads x 16 B; the last 8 bytes are the round. The writer
//           stores the line's parts together (on a GPU a warp's 16-byte stores of one 128-byte
//           line arrive together over NVLink and in L2: an axiom, tested on devices only); the
//           reader's eighth thread sees the round and tells the other seven.
// The two flagged formats are kernels/lane's of the interpreter reduced to what latency needs. Data
// are a pattern of the round, which the reader checks. Waits are bounded in wall-clock time.
#pragma once

#include <cstdint>

#include "kernels/host_device.hpp"
#include "kernels/lane/atomics.hpp"

namespace fabricast::micro {

inline constexpr std::int64_t ll_line_data = 8;       // of 16
inline constexpr std::int64_t ll128_line_data = 120;  // of 128

FABRICAST_HOST_DEVICE inline std::int64_t lines_for(std::int64_t bytes, std::int64_t line_data) {
  return (bytes + line_data - 1) / line_data;
}

// What word `index` of the data of `round` holds.
FABRICAST_HOST_DEVICE inline std::uint32_t pattern(std::uint32_t round, std::int64_t index) {
  return (round * 2654435761u) ^ (static_cast<std::uint32_t>(index) * 40503u);
}

// Ends a wait after two seconds without what it waits for. Looks at the clock as seldom as the
// interpreter does (kernels/lane/stall.hpp), whose waits are what is measured.
struct Patience {
  static constexpr std::uint32_t looks_per_clock = 64;
  std::uint64_t since = 0;
  std::uint32_t looks = 0;
  FABRICAST_HOST_DEVICE bool exhausted() {
    if (++looks % looks_per_clock != 0) return false;
    const std::uint64_t now = lane::clock_ns();
    if (since == 0) since = now;
    return now - since > 2'000'000'000ull;
  }
};

// A side of simple: `flag` and `data` are the peer's inbox when sending, the own one when
// receiving.
template <class Group>
FABRICAST_HOST_DEVICE inline void send_simple(const Group& group, std::uint64_t& flag,
                                              std::uint32_t* data, std::int64_t bytes,
                                              std::uint32_t round) {
  for (std::int64_t i = group.index(); i < bytes / 4; i += group.size())
    data[i] = pattern(round, i);
  group.sync();
  if (group.leader()) lane::store_release(flag, round);
}

// Number of wrong words seen by this thread, or -1 when the message did not come.
template <class Group>
FABRICAST_HOST_DEVICE inline std::int32_t receive_simple(const Group& group, std::uint64_t& flag,
                                                         const std::uint32_t* data,
                                                         std::int64_t bytes, std::uint32_t round) {
  const std::int32_t came = group.share([&]() -> std::int32_t {
    Patience patience;
    while (lane::load_acquire(flag) < round) {
      if (patience.exhausted()) return 0;
    }
    return 1;
  });
  if (came == 0) return -1;
  std::int32_t wrong = 0;
  for (std::int64_t i = group.index(); i < bytes / 4; i += group.size()) {
    wrong += data[i] == pattern(round, i) ? 0 : 1;
  }
  group.sync();  // share() may be called again
  return wrong;
}

}  // namespace fabricast::micro
