#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "kernels/arithmetic.hpp"
#include "kernels/reference/collectives.hpp"
#include "kernels/reference/reduce.hpp"

namespace fabricast::reference {
namespace {

constexpr DataType all_types[] = {DataType::float32, DataType::float16, DataType::bfloat16,
                                  DataType::int32};

std::vector<std::byte> buffer(DataType type, std::size_t elements) {
  return std::vector<std::byte>(elements * static_cast<std::size_t>(size_of(type)));
}

double number_at(DataType type, std::span<const std::byte> data, std::size_t i) {
  const std::byte* at = data.data() + i * static_cast<std::size_t>(size_of(type));
  const auto load = [at](auto value) {
    std::memcpy(&value, at, sizeof value);
    return value;
  };
  switch (type) {
    case DataType::float32:
      return load(float{});
    case DataType::float16:
      return to_float(load(Half{}));
    case DataType::bfloat16:
      return to_float(load(BFloat16{}));
    case DataType::int32:
      return load(std::int32_t{});
  }
  return 0;
}

TEST(ReferenceReduce, EveryTypeAndOperator) {
  for (const DataType type : all_types) {
    auto a = buffer(type, 2), b = buffer(type, 2), result = buffer(type, 2);
    const auto size = static_cast<std::size_t>(size_of(type));
    store_integer(type, 5, a.data());
    store_integer(type, -9, a.data() + size);
    store_integer(type, -7, b.data());
    store_integer(type, 3, b.data() + size);
    const auto expect = [&](ReduceOp op, double first, double second) {
      reduce(type, op, a, b, result);
      EXPECT_EQ(number_at(type, result, 0), first) << to_string(type) << to_string(op);
      EXPECT_EQ(number_at(type, result, 1), second) << to_string(type) << to_string(op);
    };
    expect(ReduceOp::sum, -2, -6);
    expect(ReduceOp::min, -7, -9);
    expect(ReduceOp::max, 5, 3);
  }
}

TEST(ReferenceReduce, IntegersWrapAround) {
  EXPECT_EQ(combine<ReduceOp::sum>(std::int32_t{2147483647}, std::int32_t{1}), -2147483647 - 1);
}

TEST(ReferenceReduce, CountsMismatchesByElement) {
  auto a = buffer(DataType::float32, 3);
  auto b = a;
  EXPECT_EQ(count_mismatches(a, b, 4), 0);
  b[4] = std::byte{1};
  b[7] = std::byte{1};
  EXPECT_EQ(count_mismatches(a, b, 4), 1);
}

// The promise of input_value: partial sums in any order stay within the integers that are exact.
TEST(InputValues, AnyPartialSumIsExactInEveryType) {
  for (const std::int32_t ranks : {1, 2, 3, 8, 72, 256, 257, 1000}) {
    for (std::int64_t element = 0; element < 40; ++element) {
      std::int64_t magnitude = 0;
      for (std::int32_t rank = 0; rank < ranks; ++rank) {
        magnitude += std::abs(input_value({DataType::bfloat16, ranks, true}, rank, element));
      }
      EXPECT_LE(magnitude, 256) << ranks;
    }
  }
}

TEST(InputValues, SumsInTwoOrdersAgreeBitForBit) {
  constexpr std::int32_t ranks = 9;
  for (const DataType type : all_types) {
    auto forward = buffer(type, 200), backward = buffer(type, 200), other = buffer(type, 200);
    const InputData data{type, ranks, true};
    fill_input(data, 0, 0, forward);
    fill_input(data, ranks - 1, 0, backward);
    for (std::int32_t i = 1; i < ranks; ++i) {
      fill_input(data, i, 0, other);
      reduce(type, ReduceOp::sum, forward, other, forward);
      fill_input(data, ranks - 1 - i, 0, other);
      reduce(type, ReduceOp::sum, other, backward, backward);
    }
    EXPECT_EQ(count_mismatches(forward, backward, size_of(type)), 0);
  }
}

TEST(InputValues, RanksAndElementsDiffer) {
  const InputData data{DataType::int32, 4, true};
  int equal = 0;
  for (std::int64_t e = 0; e < 1000; ++e) {
    equal += input_value(data, 0, e) == input_value(data, 1, e) ? 1 : 0;
    equal += input_value(data, 0, e) == input_value(data, 0, e + 1) ? 1 : 0;
  }
  EXPECT_LT(equal, 60);  // chance of equality is 1/129 per pair, 16 expected of 2000
  EXPECT_GT(equal, 0);
}

TEST(ExpectedOutputs, MatchDefinitionsElementByElement) {
  constexpr std::int32_t ranks = 3;
  constexpr std::int64_t block = 4;
  const InputData reduced{DataType::int32, ranks, true};
  const InputData moved{DataType::int32, ranks, false};
  auto sum = buffer(DataType::int32, block);
  expect_reduction(reduced, ReduceOp::sum, 2 * block, sum);
  auto gathered = buffer(DataType::int32, ranks * block);
  expect_gather(moved, gathered);
  auto exchanged = buffer(DataType::int32, ranks * block);
  expect_all_to_all(moved, 1, exchanged);
  auto sent = buffer(DataType::int32, block);
  expect_broadcast(moved, 2, sent);
  auto scattered = buffer(DataType::int32, block);
  expect_scatter(moved, 2, 1, scattered);
  auto from_previous = buffer(DataType::int32, block);
  expect_send_recv(moved, 0, from_previous);
  for (std::int64_t i = 0; i < block; ++i) {
    const auto at = static_cast<std::size_t>(i);
    double total = 0;
    for (std::int32_t r = 0; r < ranks; ++r) {
      total += input_value(reduced, r, 2 * block + i);
      const auto in_block = static_cast<std::size_t>(r * block + i);
      EXPECT_EQ(number_at(DataType::int32, gathered, in_block), input_value(moved, r, i));
      EXPECT_EQ(number_at(DataType::int32, exchanged, in_block), input_value(moved, r, block + i));
    }
    EXPECT_EQ(number_at(DataType::int32, sum, at), total);
    EXPECT_EQ(number_at(DataType::int32, sent, at), input_value(moved, 2, i));
    EXPECT_EQ(number_at(DataType::int32, scattered, at), input_value(moved, 2, block + i));
    EXPECT_EQ(number_at(DataType::int32, from_previous, at), input_value(moved, 2, i));
  }
}

}  // namespace
}  // namespace fabricast::reference
