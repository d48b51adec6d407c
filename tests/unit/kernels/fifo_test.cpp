#include "kernels/lane/fifo.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

namespace fabricast::lane {
namespace {

struct OneFifo {
  explicit OneFifo(std::uint32_t depth)
      : counters(1),
        slots(depth * line_bytes),
        port{counters.data(), slots.data(), line_bytes, depth} {}
  std::vector<FifoCounters> counters;
  std::vector<std::byte> slots;
  FifoPort port;
};

TEST(Fifo, HoldsExactlyDMessages) {
  OneFifo fifo(3);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(fifo.port.has_room(0));
    fifo.port.push(0, 8);
  }
  EXPECT_FALSE(fifo.port.has_room(0));
  EXPECT_TRUE(fifo.port.has_message(0));
  fifo.port.pop(0);
  EXPECT_TRUE(fifo.port.has_room(0));
}

TEST(Fifo, IsEmptyAtFirst) { EXPECT_FALSE(OneFifo(2).port.has_message(0)); }

// Two threads; ThreadSanitizer sees here whether counters publish the data they stand for.
TEST(Fifo, MessagesArriveInOrderWithTheirData) {
  OneFifo fifo(4);
  constexpr std::uint64_t messages = 20'000;
  std::thread sender([&] {
    for (std::uint64_t n = 0; n < messages; ++n) {
      while (!fifo.port.has_room(0)) std::this_thread::yield();
      std::memcpy(fifo.port.back(0), &n, sizeof n);
      fifo.port.push(0, sizeof n);
    }
  });
  std::uint64_t wrong = 0;
  for (std::uint64_t n = 0; n < messages; ++n) {
    while (!fifo.port.has_message(0)) std::this_thread::yield();
    std::uint64_t got = 0;
    std::memcpy(&got, fifo.port.front(0), sizeof got);
    wrong += got == n ? 0u : 1u;
    fifo.port.pop(0);
  }
  sender.join();
  EXPECT_EQ(wrong, 0u);
}

}  // namespace
}  // namespace fabricast::lane
