#include "kernels/lane/transfer.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

#include "kernels/lane/group.hpp"
#include "kernels/reference/collectives.hpp"
#include "kernels/reference/reduce.hpp"

namespace fabricast::lane {
namespace {

// A group of several threads, executed one after the other: fine for functions without sync().
struct OneOf {
  std::int32_t me;
  std::int32_t of;
  std::int32_t index() const { return me; }
  std::int32_t size() const { return of; }
};

constexpr std::size_t room = 4096;
struct alignas(16) Memory {
  std::array<std::byte, room> bytes{};
};

class Transfers : public testing::TestWithParam<DataType> {};

// All counts around the vector sizes, all misalignments that elements can have, one to three
// threads.
TEST_P(Transfers, AgreeWithTheReferenceAtEveryAlignment) {
  const DataType type = GetParam();
  const std::int32_t size = size_of(type);
  for (std::int64_t count = 0; count < 300; count = count < 40 ? count + 1 : count * 2 + 1) {
    for (std::int32_t shift_a = 0; shift_a < 16; shift_a += size) {
      const std::int32_t shift_b = count % 3 == 0 ? 4 : shift_a;
      for (std::int32_t threads = 1; threads <= 3; ++threads) {
        Memory a, b, d1, d2;
        const auto bytes = static_cast<std::size_t>(count * size);
        const reference::InputData data{type, 2, true};
        std::span sa(a.bytes.data() + shift_a, bytes), sb(b.bytes.data() + shift_b, bytes);
        reference::fill_input(data, 0, 0, sa);
        reference::fill_input(data, 1, 0, sb);
        d1.bytes.fill(std::byte{0xEE});
        d2.bytes.fill(std::byte{0xEE});
        for (std::int32_t t = 0; t < threads; ++t) {
          reduce_part(type, ReduceOp::sum, count, sa.data(), sb.data(), d1.bytes.data() + shift_a,
                      d2.bytes.data() + shift_a, OneOf{t, threads});
        }
        std::vector<std::byte> expected(bytes + 1);  // never empty: memcmp wants a pointer
        reference::reduce(type, ReduceOp::sum, sa, sb, std::span(expected).first(bytes));
        for (const auto* d : {&d1, &d2}) {
          ASSERT_EQ(std::memcmp(d->bytes.data() + shift_a, expected.data(), bytes), 0) << count;
          ASSERT_EQ(d->bytes[bytes + static_cast<std::size_t>(shift_a)], std::byte{0xEE});
          if (shift_a > 0) {
            ASSERT_EQ(d->bytes[static_cast<std::size_t>(shift_a) - 1], std::byte{0xEE});
          }
        }
        for (std::int32_t t = 0; t < threads; ++t) {
          copy_part(size, count, sa.data(), d1.bytes.data() + shift_b, nullptr, OneOf{t, threads});
        }
        ASSERT_EQ(std::memcmp(d1.bytes.data() + shift_b, sa.data(), bytes), 0) << count;
      }
    }
  }
}

TEST_P(Transfers, InPlaceReductionOverwritesItsOperand) {
  const DataType type = GetParam();
  Memory a, b;
  const std::size_t bytes = 77 * static_cast<std::size_t>(size_of(type));
  std::span sa(a.bytes.data(), bytes), sb(b.bytes.data(), bytes);
  reference::fill_input({type, 2, true}, 0, 0, sa);
  reference::fill_input({type, 2, true}, 1, 0, sb);
  std::vector<std::byte> expected(bytes);
  reference::reduce(type, ReduceOp::max, sa, sb, expected);
  reduce_part(type, ReduceOp::max, 77, sa.data(), sb.data(), sb.data(), nullptr, SingleThread{});
  EXPECT_EQ(std::memcmp(sb.data(), expected.data(), bytes), 0);
}

INSTANTIATE_TEST_SUITE_P(Types, Transfers,
                         testing::Values(DataType::float32, DataType::float16, DataType::bfloat16,
                                         DataType::int32));

}  // namespace
}  // namespace fabricast::lane
