// The mixed-radix coordinates of the ranks of a communicator.
//
// A rank is a tuple of digits, fastest first: digit 0 is the GPU inside its NVLink domain (HGX box
// or rack), further digits are rack, pod, site. rank = d0 + r0*(d1 + r1*(d2 + ...)).
// Invariants: every radix >= 1; size() is their product and fits in 31 bits. Value type.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace fabricast {

class RankSpace {
 public:
  static constexpr int max_digits = 5;

  RankSpace() = default;
  RankSpace(std::initializer_list<std::int32_t> radices);
  explicit RankSpace(std::span<const std::int32_t> radices);

  std::int32_t size() const { return size_; }
  int digits() const { return digits_; }
  std::int32_t radix(int digit) const { return radix_[static_cast<std::size_t>(digit)]; }
  // Ranks per step of this digit: the product of the faster radices.
  std::int32_t weight(int digit) const { return weight_[static_cast<std::size_t>(digit)]; }
  std::int32_t digit_of(std::int32_t rank, int digit) const {
    return rank / weight(digit) % radix(digit);
  }
  // Ranks per NVLink domain, and number of domains.
  std::int32_t domain_size() const { return digits_ > 0 ? radix_[0] : 1; }
  std::int32_t domains() const { return size_ / domain_size(); }

  bool operator==(const RankSpace&) const = default;

 private:
  std::array<std::int32_t, max_digits> radix_{1, 1, 1, 1, 1};
  std::array<std::int32_t, max_digits> weight_{1, 1, 1, 1, 1};
  int digits_ = 0;
  std::int32_t size_ = 1;
};

}  // namespace fabricast
