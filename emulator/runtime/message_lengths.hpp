// Do both ends of every connection count the same messages? Sender and receiver work out for
// themselves how long a message is and how its parts lie in the slot; this compares the two, in the
// order in which the lanes send and receive (semantics 1.1, 2.2).
//
// A fingerprint per end: the sum of 64-bit mixes of (number of the message, places and lengths of
// its parts). O(messages of a run). Not thread safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/lane/image.hpp"

namespace fabricast {

class MessageLengths {
 public:
  explicit MessageLengths(std::size_t connections) : sent_(connections), received_(connections) {}

  // All messages of one run of this lane; layout with its block table.
  void add(const lane::LaneImage& lane, const lane::ChannelLayout& layout,
           std::int32_t element_bytes);
  bool agree(std::size_t connection) const {
    return sent_[connection].print == received_[connection].print;
  }

 private:
  struct End {
    std::uint64_t messages = 0;
    std::uint64_t print = 0;
  };
  static void count(End& end, std::uint64_t shape);

  std::vector<End> sent_;
  std::vector<End> received_;
};

}  // namespace fabricast
