// A queue that is mostly short or empty: no storage of its own until something is in it.
//
// What std::deque is for long queues: one of these costs 32 bytes where a deque costs 600. Storage
// never shrinks. Amortized O(1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "emulator/base/contracts.hpp"

namespace fabricast {

template <class T>
class ShortQueue {
 public:
  bool empty() const { return head_ == items_.size(); }
  std::size_t size() const { return items_.size() - head_; }
  T& operator[](std::size_t i) { return items_[head_ + i]; }
  const T& operator[](std::size_t i) const { return items_[head_ + i]; }
  T& front() { return items_[head_]; }
  const T& front() const { return items_[head_]; }
  void push_back(T item) { items_.push_back(std::move(item)); }
  void pop_front() {
    FABRICAST_EXPECT(!empty(), "something to take");
    if (++head_ == items_.size()) {
      items_.clear();
      head_ = 0;
    } else if (head_ >= 16 && 2 * head_ >= items_.size()) {
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
  }
  // On the heap.
  std::int64_t bytes() const { return static_cast<std::int64_t>(items_.capacity() * sizeof(T)); }

 private:
  std::vector<T> items_;
  std::size_t head_ = 0;
};

}  // namespace fabricast
