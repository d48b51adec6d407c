// Every rung of the reduce-copy ladder against kernels/reference: types, operators, lengths, grids.
#include "kernels/lane/reduce_copy.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "kernels/reference/reduce.hpp"

namespace fabricast::lane {
namespace {

struct alignas(16) Block {
  std::byte bytes[16] = {};
};
std::vector<Block> blocks(std::size_t bytes) { return std::vector<Block>(bytes / 16 + 2); }
std::span<std::byte> span_of(std::vector<Block>& b, std::size_t bytes) {
  return {b.front().bytes, bytes};
}

template <Rung rung, bool reduces>
struct RunRung {
  std::int64_t count;
  std::int64_t threads;
  const std::byte* a;
  const std::byte* b;
  std::byte* d;

  template <class T, ReduceOp op>
  void operator()() const {
    for (std::int64_t t = 0; t < threads; ++t) {  // in turn: they share nothing
      reduce_copy<rung, T, op, reduces>(count, reinterpret_cast<const T*>(a),
                                        reinterpret_cast<const T*>(b), reinterpret_cast<T*>(d),
                                        {t, threads});
    }
  }
};

template <Rung rung, bool reduces>
void expect_reference(DataType type, ReduceOp op, std::int64_t count, std::int64_t threads) {
  const auto unit = static_cast<std::size_t>(size_of(type));
  const auto bytes = static_cast<std::size_t>(count) * unit;
  auto a = blocks(bytes), b = blocks(bytes), d = blocks(bytes), expected = blocks(bytes);
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    reference::store_integer(type, static_cast<std::int32_t>(i % 101) - 50,
                             a.front().bytes + i * unit);
    reference::store_integer(type, static_cast<std::int32_t>(i % 89) - 44,
                             b.front().bytes + i * unit);
  }
  if (reduces) {
    reference::reduce(type, op, span_of(a, bytes), span_of(b, bytes), span_of(expected, bytes));
  } else {
    expected = a;
  }
  visit_type_and_op(
      type, op,
      RunRung<rung, reduces>{count, threads, a.front().bytes, b.front().bytes, d.front().bytes});
  EXPECT_EQ(reference::count_mismatches(span_of(d, bytes), span_of(expected, bytes), size_of(type)),
            0)
      << to_string(rung) << " " << to_string(type) << " " << to_string(op) << " " << count;
  EXPECT_EQ(span_of(d, bytes + 1).back(), std::byte{}) << "wrote beyond the end";
}

TEST(ReduceCopy, EveryRungIsTheReference) {
  for (const DataType type :
       {DataType::float32, DataType::float16, DataType::bfloat16, DataType::int32}) {
    for (const ReduceOp op : {ReduceOp::sum, ReduceOp::min, ReduceOp::max}) {
      for (const std::int64_t count : {0, 1, 7, 8, 64, 1023, 4099}) {
        for (const std::int64_t threads : {1, 3, 64}) {
          expect_reference<Rung::naive, true>(type, op, count, threads);
          expect_reference<Rung::vectors, true>(type, op, count, threads);
          expect_reference<Rung::unrolled, true>(type, op, count, threads);
          expect_reference<Rung::unrolled, false>(type, op, count, threads);
        }
      }
    }
  }
}

}  // namespace
}  // namespace fabricast::lane
