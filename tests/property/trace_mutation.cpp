#include "tests/property/trace_mutation.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "emulator/trace/seal.hpp"
#include "tests/property/draws.hpp"

namespace fabricast {
namespace {

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

// --- Damage behind HDF5's own checksums.

std::uint32_t rotated(std::uint32_t x, int k) { return (x << k) | (x >> (32 - k)); }

// The checksum of HDF5 metadata: Bob Jenkins' lookup3, hashlittle with initial value 0
// (burtleburtle.net/bob/c/lookup3.c, public domain; HDF5 File Format Specification III).
std::uint32_t lookup3(std::string_view bytes) {
  std::uint32_t a = 0xdeadbeef + static_cast<std::uint32_t>(bytes.size()), b = a, c = a;
  const auto word = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4 && at + i < bytes.size(); ++i) {
      value |= std::uint32_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
    }
    return value;
  };
  std::size_t at = 0;
  for (; bytes.size() - at > 12; at += 12) {
    a += word(at), b += word(at + 4), c += word(at + 8);
    a -= c, a ^= rotated(c, 4), c += b;
    b -= a, b ^= rotated(a, 6), a += c;
    c -= b, c ^= rotated(b, 8), b += a;
    a -= c, a ^= rotated(c, 16), c += b;
    b -= a, b ^= rotated(a, 19), a += c;
    c -= b, c ^= rotated(b, 4), b += a;
  }
  if (at == bytes.size()) return c;
  a += word(at), b += word(at + 4), c += word(at + 8);
  c ^= b, c -= rotated(b, 14);
  a ^= c, a -= rotated(c, 11);
  b ^= a, b -= rotated(a, 25);
  c ^= b, c -= rotated(b, 16);
  a ^= c, a -= rotated(c, 4);
  b ^= a, b -= rotated(a, 14);
  c ^= b, c -= rotated(b, 24);
  return c;
}

std::uint64_t integer_at(const std::string& bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size && at + i < bytes.size(); ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  }
  return value;
}

// Pieces of metadata that end with their checksum: the superblock (version 3, 8-byte offsets) and
// the first chunk of every object header (version 2), found by signature and a right checksum.
std::vector<Block> checksummed_pieces(const std::string& bytes) {
  std::vector<Block> pieces;
  const auto add = [&](std::size_t at, std::uint64_t size) {
    if (size > bytes.size() - at || size < 8) return;
    const std::string_view body = std::string_view(bytes).substr(at, size - 4);
    if (lookup3(body) == integer_at(bytes, at + size - 4, 4)) pieces.push_back({at, size});
  };
  add(0, 48);
  for (std::size_t at = bytes.find("OHDR"); at != std::string::npos;
       at = bytes.find("OHDR", at + 4)) {
    if (at + 8 > bytes.size()) break;
    const auto flags = static_cast<unsigned char>(bytes[at + 5]);
    const std::size_t optional = ((flags & 0x20) != 0 ? 16u : 0u) + ((flags & 0x10) != 0 ? 4u : 0u);
    const std::size_t width = std::size_t{1} << (flags & 3);
    add(at, 6 + optional + width + integer_at(bytes, at + 6 + optional, width) + 4);
  }
  return pieces;
}

// A few bytes of one such piece, and its checksum made right.
void metadata(std::string& bytes, Draws& draws) {
  const auto pieces = checksummed_pieces(bytes);
  if (pieces.empty()) throw std::logic_error("no metadata with a right checksum in this trace");
  const Block piece = pieces[draws.below(pieces.size())];
  for (std::size_t left = 1 + draws.below(3); left > 0; --left) {
    char& byte = bytes[piece.at + draws.below(piece.size - 4)];
    byte = draws.below(2) == 0 ? draws.byte() : static_cast<char>(byte ^ (1 << draws.below(8)));
  }
  const std::uint32_t sum = lookup3(std::string_view(bytes).substr(piece.at, piece.size - 4));
  for (std::size_t i = 0; i < 4; ++i) {
    bytes[piece.at + piece.size - 4 + i] = static_cast<char>(sum >> (8 * i));
  }
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
             {"repeated block", repeat_block},
             {"metadata with right checksums", metadata},
             {"metadata with right checksums", metadata}}};
  const auto& [name, damage] = kinds[number % kinds.size()];
  kind = name;
  const std::string before = sealed ? good.substr(0, good.size() - seal_bytes) : good;
  Draws draws(seed, number);
  std::string bytes = before;
  while (bytes == before) damage(bytes, draws);
  return sealed ? bytes + seal_of(std::as_bytes(std::span(bytes))) : bytes;
}

}  // namespace fabricast
