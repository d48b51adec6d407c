// The lines of LL and LL128: every tail length and misalignment, flags that come round, readers
// that look too early.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "emulator/base/counter_rng.hpp"
#include "kernels/lane/line_port.hpp"
#include "kernels/lane/line_transfer.hpp"

namespace fabricast::lane {
namespace {

// Slots of zeros, aligned to lines, and one connection.
template <class Format>
struct OneConnection {
  explicit OneConnection(std::int64_t slot_size, std::uint32_t depth = 2)
      : memory(static_cast<std::size_t>(slot_size) * depth / sizeof(Block) + 1) {
    port = LinePort<Format>(
        {&counters, reinterpret_cast<std::byte*>(memory.data()), slot_size, depth}, false);
  }
  struct alignas(line_bytes) Block {
    std::byte bytes[line_bytes] = {};
  };
  FifoCounters counters;
  std::vector<Block> memory;
  LinePort<Format> port;
};

struct NeverWaits {
  bool asked = false;
  bool gives_up() { return asked = true; }
};

template <class Format>
auto send_move(const std::byte* from, std::int64_t lead, std::int64_t bytes,
               const LinePort<Format>& port) {
  LineMove<decltype(Format::flag(0))> move;
  move.lead = lead;
  move.end = lead + bytes;
  move.operand = from;
  move.lines_out = port.back(0);
  move.flag_out = Format::flag(port.sent(0));
  return move;
}
template <class Format>
auto receive_move(std::byte* to, std::int64_t lead, std::int64_t bytes,
                  const LinePort<Format>& port) {
  LineMove<decltype(Format::flag(0))> move;
  move.lead = lead;
  move.end = lead + bytes;
  move.stored = to;
  move.lines_in = port.front(0);
  move.flag_in = Format::flag(port.received(0));
  return move;
}

template <class Format, class Flag>
bool moves(const LineMove<Flag>& move, const LinePort<Format>& port) {
  NeverWaits wait;
  return move_lines(Format{}, move, port, SingleThread{}, PieceReduction{}, wait);
}

template <class Format>
class Lines : public testing::Test {};
using Formats = testing::Types<LlFormat, Ll128Format>;
TYPED_TEST_SUITE(Lines, Formats);

// Every byte of the stream is in exactly one piece that exists; flags have places of their own.
TYPED_TEST(Lines, PiecesCoverTheStreamOnceAndStayInsideTheLines) {
  for (std::int64_t end = 0; end <= 1000; ++end) {
    std::vector<int> covered(static_cast<std::size_t>(end) + 256);
    std::set<std::int64_t> places;
    for (std::int64_t i = 0; i < TypeParam::pieces(end); ++i) {
      const PieceAt at = TypeParam::piece(i, end);
      if (at.bytes == 0) continue;
      ASSERT_TRUE(places.insert(at.wire).second);
      ASSERT_LE(at.wire + piece_wire_bytes, TypeParam::wire_bytes(end)) << end;
      for (int b = 0; b < at.bytes; ++b) {
        if (at.data + b < end) ++covered[static_cast<std::size_t>(at.data + b)];
      }
    }
    ASSERT_EQ(static_cast<std::int64_t>(places.size()) * piece_wire_bytes,
              TypeParam::wire_bytes(end));
    ASSERT_TRUE(std::all_of(covered.begin(), covered.begin() + end, [](int n) { return n == 1; }))
        << end;
    ASSERT_GT(TypeParam::wire_bytes(end), 0) << "an empty message has a line";
    for (const std::int64_t lead : {std::int64_t{0}, std::int64_t{TypeParam::piece_bytes - 2}}) {
      ASSERT_GE(most_part_bytes(TypeParam::hand_off, end), TypeParam::wire_bytes(lead + end));
    }
  }
}

TEST(Ll128Lines, CarryFifteenSixteenthsAndLlHalf) {
  EXPECT_EQ(Ll128Format::wire_bytes(240 * 100), 256 * 100);
  EXPECT_EQ(LlFormat::wire_bytes(8 * 100), 16 * 100);
}

// Lengths 0 .. 1100 bytes, leads and user buffers on every remainder: what does not agree goes
// element by element. Bytes around the destination stay.
template <class T, class Format>
void every_length_and_remainder() {
  constexpr std::size_t margin = 32;
  constexpr auto unit = static_cast<std::int64_t>(sizeof(T));
  std::vector<std::byte> source(2048), target(2048);
  for (std::size_t i = 0; i < source.size(); ++i) {
    source[i] = static_cast<std::byte>(random_bits(7, i, 0));
  }
  OneConnection<Format> connection(4096);
  const auto& port = connection.port;
  for (std::int64_t count = 0; count <= 1100 / unit; count += count < 150 ? 1 : 7) {
    for (std::int64_t lead = 0; lead < Format::piece_bytes; lead += unit) {
      const auto bytes = static_cast<std::size_t>(count * unit);
      const auto from = margin + static_cast<std::size_t>((lead + count % 3 * unit) & 15);
      const auto to = margin + static_cast<std::size_t>((lead + count % 5 * unit) & 15);
      std::fill(target.begin(), target.end(), std::byte{0xAA});
      ASSERT_TRUE(moves(send_move(source.data() + from, lead, count * unit, port), port));
      port.push(0, 0);
      ASSERT_TRUE(port.has_message(0));
      ASSERT_TRUE(moves(receive_move(target.data() + to, lead, count * unit, port), port));
      port.pop(0);
      ASSERT_FALSE(port.has_message(0));
      ASSERT_EQ(std::memcmp(target.data() + to, source.data() + from, bytes), 0) << count;
      ASSERT_EQ(target[to - 1], std::byte{0xAA});
      ASSERT_EQ(target[to + bytes], std::byte{0xAA});
    }
  }
}
TYPED_TEST(Lines, EveryLengthAndRemainderOfFourByteElements) {
  every_length_and_remainder<std::uint32_t, TypeParam>();
}
TYPED_TEST(Lines, EveryLengthAndRemainderOfTwoByteElements) {
  every_length_and_remainder<std::uint16_t, TypeParam>();
}

// A message is there only when all its lines are: take any one away and the receiver waits.
TYPED_TEST(Lines, AReceiverWaitsForEveryLine) {
  constexpr std::int64_t bytes = 700;
  std::vector<std::byte> source(bytes), target(bytes);
  OneConnection<TypeParam> connection(2048);
  const auto& port = connection.port;
  constexpr std::int64_t line = TypeParam::hand_off == HandOff::ll ? 16 : 128;
  for (std::int64_t gap = 0; gap < TypeParam::wire_bytes(bytes); gap += line) {
    std::byte* slot = port.back(0);
    std::vector<std::byte> before(slot + gap, slot + gap + line);
    ASSERT_TRUE(moves(send_move(source.data(), 0, bytes, port), port));
    std::vector<std::byte> line_sent(slot + gap, slot + gap + line);
    std::memcpy(slot + gap, before.data(), before.size());
    port.push(0, 0);
    EXPECT_EQ(port.has_message(0), gap > 0);
    EXPECT_FALSE(moves(receive_move(target.data(), 0, bytes, port), port)) << gap;
    std::memcpy(slot + gap, line_sent.data(), line_sent.size());
    EXPECT_TRUE(moves(receive_move(target.data(), 0, bytes, port), port)) << gap;
    port.pop(0);
  }
}

// An LL line that is torn in the middle has one flag of two.
TEST(LlLines, HalfALineIsNoLine) {
  alignas(16) std::byte line[16] = {};
  store_line(LlFormat{}, line, 5, false, {{1, 2}});
  Piece got;
  EXPECT_TRUE(load_line(LlFormat{}, line, 5, false, got));
  EXPECT_EQ(got.word[1], 2u);
  store_line(LlFormat{}, line, 6, false, {{3, 4}});
  alignas(16) std::byte torn[16] = {};
  store_line(LlFormat{}, torn, 5, false, {{1, 2}});
  std::memcpy(torn, line, 8);
  EXPECT_FALSE(load_line(LlFormat{}, torn, 6, false, got));
  EXPECT_FALSE(load_line(LlFormat{}, torn, 5, false, got));
}

// Over 2^32 messages: flags go 0xFFFFFFFF, 0, 1, and data keep arriving.
TYPED_TEST(Lines, FlagsComeRound) {
  OneConnection<TypeParam> connection(2048, 3);
  const auto& port = connection.port;
  const std::uint64_t start = (std::uint64_t{1} << 32) - 20;
  connection.counters.sent = connection.counters.consumed = start;
  for (auto& block : connection.memory) std::fill_n(block.bytes, line_bytes, std::byte{0x5C});
  for (std::uint64_t n = start; n < start + 40; ++n) {
    ASSERT_FALSE(port.has_message(0)) << n;
    const auto bytes = static_cast<std::int64_t>(4 * (1 + n * 7 % 100));
    std::vector<std::byte> source(static_cast<std::size_t>(bytes), static_cast<std::byte>(n));
    std::vector<std::byte> target(source.size());
    ASSERT_TRUE(moves(send_move(source.data(), 0, bytes, port), port));
    port.push(0, 0);
    ASSERT_TRUE(port.has_message(0)) << n;
    ASSERT_TRUE(moves(receive_move(target.data(), 0, bytes, port), port));
    port.pop(0);
    ASSERT_EQ(source, target) << n;
  }
}

TEST(LlLines, EverySlotIsRefreshedOnceInAPeriod) {
  constexpr std::uint64_t period = LlFormat::refresh_period;
  for (const std::uint32_t depth : {1u, 2u, 5u, 8u}) {
    for (std::uint64_t k = 1; k < 6; ++k) {
      std::set<std::uint64_t> slots;
      for (std::uint64_t n = k * period - 20; n < k * period + 20; ++n) {
        if (LlFormat::refreshes(n, depth)) slots.insert(n % depth);
      }
      EXPECT_EQ(slots.size(), depth);
    }
    EXPECT_FALSE(LlFormat::refreshes(0, depth)) << "slots are zeros then";
  }
}

// Two threads. ThreadSanitizer sees whether lines publish what they carry, and whether credits keep
// the sender from slots that are still read.
TYPED_TEST(Lines, MessagesArriveInOrderWithTheirDataBetweenThreads) {
  OneConnection<TypeParam> connection(2048, 4);
  const auto& port = connection.port;
  constexpr std::uint64_t messages = 4000;
  const auto length = [](std::uint64_t n) { return static_cast<std::int64_t>(n * 13 % 700) & ~3; };
  const auto fill = [](std::vector<std::uint32_t>& words, std::uint64_t n) {
    for (std::size_t i = 0; i < words.size(); ++i)
      words[i] = static_cast<std::uint32_t>(n * 31 + i);
  };
  struct Yields {
    static bool gives_up() { return std::this_thread::yield(), false; }
  };
  std::thread sender([&] {
    std::vector<std::uint32_t> words(200);
    Yields wait;
    for (std::uint64_t n = 0; n < messages; ++n) {
      fill(words, n);
      while (!port.has_room(0)) std::this_thread::yield();
      const auto* from = reinterpret_cast<const std::byte*>(words.data());
      move_lines(TypeParam{}, send_move(from, 0, length(n), port), port, SingleThread{},
                 PieceReduction{}, wait);
      port.push(0, 0);
    }
  });
  std::uint64_t wrong = 0;
  Yields wait;
  std::vector<std::uint32_t> got(200), expected(200);
  for (std::uint64_t n = 0; n < messages; ++n) {
    while (!port.has_message(0)) std::this_thread::yield();
    auto* to = reinterpret_cast<std::byte*>(got.data());
    move_lines(TypeParam{}, receive_move(to, 0, length(n), port), port, SingleThread{},
               PieceReduction{}, wait);
    port.pop(0);
    fill(expected, n);
    wrong += std::memcmp(got.data(), expected.data(), static_cast<std::size_t>(length(n))) == 0
                 ? 0u
                 : 1u;
  }
  sender.join();
  EXPECT_EQ(wrong, 0u);
}

}  // namespace
}  // namespace fabricast::lane
