#include "emulator/flow/departure_queue.hpp"

#include <algorithm>

namespace fabricast {

void DepartureQueue::rise(std::size_t at, Entry entry) {
  while (at > 0) {
    const std::size_t parent = (at - 1) / 4;
    if (!before(entry, heap_[parent])) break;
    heap_[at] = heap_[parent];
    place_[heap_[at].key] = static_cast<std::uint32_t>(at);
    at = parent;
  }
  heap_[at] = entry;
  place_[entry.key] = static_cast<std::uint32_t>(at);
}

void DepartureQueue::sink(std::size_t at, Entry entry) {
  while (true) {
    const std::size_t first = 4 * at + 1;
    if (first >= heap_.size()) break;
    std::size_t least = first;
    const std::size_t end = std::min(first + 4, heap_.size());
    for (std::size_t child = first + 1; child < end; ++child) {
      if (before(heap_[child], heap_[least])) least = child;
    }
    if (!before(heap_[least], entry)) break;
    heap_[at] = heap_[least];
    place_[heap_[at].key] = static_cast<std::uint32_t>(at);
    at = least;
  }
  heap_[at] = entry;
  place_[entry.key] = static_cast<std::uint32_t>(at);
}

void DepartureQueue::set(const Entry& entry) {
  if (entry.key >= place_.size()) place_.resize(entry.key + 1, absent);
  if (place_[entry.key] == absent) {
    heap_.emplace_back();
    rise(heap_.size() - 1, entry);
    return;
  }
  const std::size_t at = place_[entry.key];
  before(entry, heap_[at]) ? rise(at, entry) : sink(at, entry);
}

void DepartureQueue::erase(std::uint32_t key) {
  if (key >= place_.size() || place_[key] == absent) return;
  const std::size_t at = place_[key];
  place_[key] = absent;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (last.key == key) return;
  at > 0 && before(last, heap_[(at - 1) / 4]) ? rise(at, last) : sink(at, last);
}

std::int64_t DepartureQueue::state_bytes() const {
  return static_cast<std::int64_t>(heap_.capacity() * sizeof(Entry) +
                                   place_.capacity() * sizeof(std::uint32_t));
}

}  // namespace fabricast
