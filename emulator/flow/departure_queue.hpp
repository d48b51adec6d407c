// When each active flow will end, as things stand: a heap whose entries move as rates change.
//
// Order: (time, tag), so equal times come out in a fixed order. Keys are dense small numbers. O(log
// n) per change, O(1) to look at the first; four children per node, because keys mostly move later
// and sink. Not thread safe.
#pragma once

#include <cstdint>
#include <vector>

namespace fabricast {

class DepartureQueue {
 public:
  struct Entry {
    std::int64_t time = 0;
    std::int64_t tag = 0;
    std::uint32_t key = 0;
  };

  bool empty() const { return heap_.empty(); }
  const Entry& first() const { return heap_.front(); }
  // Adds the key, or moves it to another time.
  void set(const Entry& entry);
  // Nothing where the key is not queued.
  void erase(std::uint32_t key);
  std::int64_t state_bytes() const;

 private:
  static constexpr std::uint32_t absent = 0xFFFFFFFFu;
  static bool before(const Entry& a, const Entry& b) {
    return a.time != b.time ? a.time < b.time : a.tag < b.tag;
  }
  void rise(std::size_t at, Entry entry);
  void sink(std::size_t at, Entry entry);

  std::vector<Entry> heap_;
  std::vector<std::uint32_t> place_;  // by key
};

}  // namespace fabricast
