#include "tests/property/trace_mutation.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "emulator/base/counter_rng.hpp"
#include "emulator/trace/seal.hpp"

namespace fabricast {
namespace {

// Random numbers of one case, in the order they are asked for.
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint64_t number) : seed_(seed), number_(number) {}
  std::size_t below(std::size_t end) {
    return static_cast<std::size_t>(
        random_int(seed_, number_, next_++, 0, static_cast<std::int64_t>(end) - 1));
  }
  char byte() { return static_cast<char>(random_bits(seed_, number_, next_++) >> 56); }

 private:
  std::uint64_t seed_, number_, next_ = 0;
};

constexpr std::size_t header_bytes = 512;  // superblock and the root group's object header
constexpr std::size_t block_bytes = 4096;  // a page of a file system

struct Block {
  std::size_t at, size;
};

Block any_block(const std::string& bytes, Draws& draws) {
  const std::size_t size = 1 + draws.below(std::min(bytes.size(), block_bytes));
  return {draws.below(bytes.size() - size + 1), size};
}

void flip_bits(std::string& bytes, Draws& draws) {
  for (std::size_t left = 1 + draws.below(8); left > 0; --left) {
    char& byte = bytes[draws.below(bytes.size())];
    byte = static_cast<char>(byte ^ (1 << draws.below(8)));
  }
}
void flip_one_bit(std::string& bytes, Draws& draws) {
  char& byte = bytes[draws.below(bytes.size())];
  byte = static_cast<char>(byte ^ (1 << draws.below(8)));
}
void random_block(std::string& bytes, Draws& draws) {
  const Block block = any_block(bytes, draws);
  for (std::size_t i = 0; i < block.size; ++i) bytes[block.at + i] = draws.byte();
}
void zero_block(std::string& bytes, Draws& draws) {
  const Block block = any_block(bytes, draws);
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(block.at), block.size, '\0');
}
void truncate(std::string& bytes, Draws& draws) { bytes.resize(draws.below(bytes.size())); }
void append(std::string& bytes, Draws& draws) {
  for (std::size_t left = 1 + draws.below(block_bytes); left > 0; --left) bytes += draws.byte();
}
void header(std::string& bytes, Draws& draws) {
  for (std::size_t left = 1 + draws.below(4); left > 0; --left) {
    bytes[draws.below(std::min(bytes.size(), header_bytes))] = draws.byte();
  }
}
void swap_blocks(std::string& bytes, Draws& draws) {
  const std::size_t size = 1 + draws.below(std::min(bytes.size() / 2, block_bytes));
  const std::size_t a = draws.below(bytes.size() - size + 1);
  const std::size_t b = draws.below(bytes.size() - size + 1);
  for (std::size_t i = 0; i < size; ++i) std::swap(bytes[a + i], bytes[b + i]);
}
void repeat_block(std::string& bytes, Draws& draws) {
  const Block block = any_block(bytes, draws);
  bytes.insert(draws.below(bytes.size() + 1), bytes.substr(block.at, block.size));
}

}  // namespace

std::string mutated_trace(const std::string& good, std::uint64_t seed, std::uint64_t number,
                          bool sealed, std::string& kind) {
  constexpr std::array<std::pair<const char*, void (*)(std::string&, Draws&)>, mutation_kinds>
      kinds{{{"one bit flipped", flip_one_bit},
             {"bits flipped", flip_bits},
             {"random bytes", random_block},
             {"zeroed block", zero_block},
             {"truncated", truncate},
             {"appended bytes", append},
             {"header bytes", header},
             {"swapped blocks", swap_blocks},
             {"repeated block", repeat_block}}};
  const auto& [name, damage] = kinds[number % kinds.size()];
  kind = name;
  const std::string before = sealed ? good.substr(0, good.size() - seal_bytes) : good;
  Draws draws(seed, number);
  std::string bytes = before;
  while (bytes == before) damage(bytes, draws);
  return sealed ? bytes + seal_of(std::as_bytes(std::span(bytes))) : bytes;
}

}  // namespace fabricast
