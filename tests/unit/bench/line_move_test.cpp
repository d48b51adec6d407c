// The pass of suite lines on a host thread: the interpreter's own loops, so that what is timed is
// known to move the data.
#include "bench/suites/line_move.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "kernels/lane/group.hpp"

namespace fabricast::micro {
namespace {

template <class Format>
class LineMove : public testing::Test {};
using Formats = testing::Types<lane::LlFormat, lane::Ll128Format>;
TYPED_TEST_SUITE(LineMove, Formats);

// Lines are stored by 16-byte accesses.
struct Lines {
  explicit Lines(std::size_t bytes) : words((bytes + 15) / 16) {}
  struct alignas(16) Word {
    std::byte bytes[16] = {};
  };
  std::vector<Word> words;
  std::byte* data() { return words.front().bytes; }
};

std::vector<std::byte> some_bytes(std::int64_t count) {
  std::vector<std::byte> data;
  for (std::int64_t i = 0; i < count; ++i) data.push_back(static_cast<std::byte>(7 * i + 3));
  return data;
}

TYPED_TEST(LineMove, DataAreTheSameAfterManyPassesWithAndWithoutAwaiting) {
  const lane::SingleThread group;
  for (const std::int64_t bytes : {8LL, 240LL, 1000LL, 4096LL}) {
    const auto source = some_bytes(bytes);
    for (const bool awaits : {false, true}) {
      const auto wire = static_cast<std::size_t>(TypeParam::wire_bytes(bytes));
      Lines sets[2] = {Lines(wire), Lines(wire)};
      write_lines<TypeParam>(source.data(), sets[0].data(), bytes, 0, group);
      constexpr int passes = 5;
      for (int pass = 0; pass < passes; ++pass) {
        ASSERT_TRUE(move_message_lines<TypeParam>(sets[pass % 2].data(), sets[1 - pass % 2].data(),
                                                  bytes, static_cast<std::uint64_t>(pass), awaits,
                                                  group));
      }
      std::vector<std::byte> result(source.size());
      ASSERT_TRUE(
          read_lines<TypeParam>(sets[passes % 2].data(), result.data(), bytes, passes, group));
      EXPECT_EQ(result, source) << bytes << " " << awaits;
    }
  }
}

TYPED_TEST(LineMove, LinesOfAnotherPassAreAwaitedAndTheWaitEnds) {
  const lane::SingleThread group;
  constexpr std::int64_t bytes = 240;
  const auto source = some_bytes(bytes);
  Lines in(static_cast<std::size_t>(TypeParam::wire_bytes(bytes)));
  Lines out(static_cast<std::size_t>(TypeParam::wire_bytes(bytes)));
  write_lines<TypeParam>(source.data(), in.data(), bytes, 4, group);
  EXPECT_FALSE(move_message_lines<TypeParam>(in.data(), out.data(), bytes, 5, true, group));
}

}  // namespace
}  // namespace fabricast::micro
