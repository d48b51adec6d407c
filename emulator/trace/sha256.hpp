// SHA-256 (FIPS 180-4, sections 4.1.2, 5.1.1 and 6.2), streaming.
//
// Used for content digests, not for secrets. Value type, not thread safe, O(bytes), no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fabricast {

class Sha256 {
 public:
  void update(const void* data, std::size_t size);
  void update(std::string_view text) { update(text.data(), text.size()); }
  // Lower-case hex of everything so far. Ends the stream: call once.
  std::string finish();

 private:
  void compress(const std::uint8_t* block);

  // First 32 bits of the fractional parts of the square roots of the first eight primes.
  std::array<std::uint32_t, 8> state_{0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
                                      0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u};
  std::array<std::uint8_t, 64> block_{};
  std::size_t filled_ = 0;
  std::uint64_t total_ = 0;  // bytes
};

std::string sha256_hex(std::string_view text);

}  // namespace fabricast
