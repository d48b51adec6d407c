#include "kernels/reference/collectives.hpp"

#include <algorithm>
#include <vector>

#include "emulator/base/contracts.hpp"
#include "kernels/reference/reduce.hpp"

namespace fabricast::reference {
namespace {

// Integers -256..256 are exact in bfloat16 (8 significant bits), half (11) and binary32 (24).
constexpr std::int32_t exact_integers = 256;

// splitmix64's finalizer (Steele, Lea, Flood, OOPSLA 2014): neighbouring keys give unrelated
// values.
std::uint64_t mixed(std::uint64_t key) {
  key += 0x9E3779B97F4A7C15ull;
  key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9ull;
  key = (key ^ (key >> 27)) * 0x94D049BB133111EBull;
  return key ^ (key >> 31);
}

std::int64_t length(std::span<const std::byte> elements, DataType type) {
  return static_cast<std::int64_t>(elements.size()) / size_of(type);
}

}  // namespace

std::int32_t input_value(const InputData& data, std::int32_t rank, std::int64_t element) {
  const auto key = mixed(static_cast<std::uint64_t>(element)) ^ static_cast<std::uint32_t>(rank);
  const std::uint64_t random = mixed(key);
  std::int32_t magnitude = exact_integers / 2 - 1;
  if (data.reduced) {
    const std::int32_t stride = (data.ranks + exact_integers - 1) / exact_integers;
    if ((rank + element) % stride != 0) return 0;
    magnitude = std::clamp(exact_integers / data.ranks, 1, magnitude);
  }
  const auto values = static_cast<std::uint64_t>(2 * magnitude + 1);
  return static_cast<std::int32_t>(random % values) - magnitude;
}

void fill_input(const InputData& data, std::int32_t rank, std::int64_t first,
                std::span<std::byte> elements) {
  const std::int32_t bytes = size_of(data.type);
  for (std::int64_t i = 0; i < length(elements, data.type); ++i) {
    store_integer(data.type, input_value(data, rank, first + i), elements.data() + i * bytes);
  }
}

void expect_reduction(const InputData& data, ReduceOp op, std::int64_t first,
                      std::span<std::byte> elements) {
  FABRICAST_EXPECT(data.reduced, "inputs of a reduction must stay exact");
  fill_input(data, 0, first, elements);
  std::vector<std::byte> other(elements.size());
  for (std::int32_t rank = 1; rank < data.ranks; ++rank) {
    fill_input(data, rank, first, other);
    reduce(data.type, op, elements, other, elements);
  }
}

void expect_gather(const InputData& data, std::span<std::byte> elements) {
  const auto block = elements.size() / static_cast<std::size_t>(data.ranks);
  for (std::int32_t rank = 0; rank < data.ranks; ++rank) {
    fill_input(data, rank, 0, elements.subspan(static_cast<std::size_t>(rank) * block, block));
  }
}

void expect_all_to_all(const InputData& data, std::int32_t rank, std::span<std::byte> elements) {
  const auto block = elements.size() / static_cast<std::size_t>(data.ranks);
  const auto block_elements = static_cast<std::int64_t>(block) / size_of(data.type);
  for (std::int32_t source = 0; source < data.ranks; ++source) {
    fill_input(data, source, rank * block_elements,
               elements.subspan(static_cast<std::size_t>(source) * block, block));
  }
}

void expect_broadcast(const InputData& data, std::int32_t root, std::span<std::byte> elements) {
  fill_input(data, root, 0, elements);
}

void expect_scatter(const InputData& data, std::int32_t root, std::int32_t rank,
                    std::span<std::byte> elements) {
  fill_input(data, root, rank * length(elements, data.type), elements);
}

void expect_send_recv(const InputData& data, std::int32_t rank, std::span<std::byte> elements) {
  fill_input(data, (rank + data.ranks - 1) % data.ranks, 0, elements);
}

}  // namespace fabricast::reference
