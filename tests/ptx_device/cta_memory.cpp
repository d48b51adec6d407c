#include "tests/ptx_device/cta_memory.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <string>

#include "tests/ptx_device/alu.hpp"

namespace fabricast::ptx {
namespace {

constexpr std::size_t most_sectors = 8192;  // 256 KiB, an L1
constexpr std::size_t most_pending = 4096;

template <class T>
std::atomic_ref<T> cell(Address at) {
  return std::atomic_ref<T>(*reinterpret_cast<T*>(at));
}
template <class T>
void read_as(Address at, std::byte* to) {
  const T value = cell<T>(at).load(std::memory_order_acquire);
  std::memcpy(to, &value, sizeof value);
}
template <class T>
void write_as(Address at, const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  cell<T>(at).store(value, std::memory_order_release);
}
// The largest natural piece that begins at `at`.
std::size_t piece_at(Address at, std::size_t bytes) {
  std::size_t piece = 8;
  while (piece > bytes || at % piece != 0) piece /= 2;
  return piece;
}

template <class T>
std::uint64_t exchange(const Instruction& in, Address at, std::uint64_t operand,
                       std::uint64_t swap) {
  T seen = cell<T>(at).load();
  for (;;) {
    T next = static_cast<T>(swap);
    if (in.combine != Combine::compare_swap) {
      next = static_cast<T>(combine(in.combine, in.type, seen, operand));
    } else if (seen != static_cast<T>(operand)) {
      return seen;
    }
    if (cell<T>(at).compare_exchange_weak(seen, next)) return seen;
  }
}

std::string hexadecimal(Address at) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(at));
  return text;
}

}  // namespace

void write_memory(Address at, std::size_t bytes, const std::byte* from) {
  while (bytes > 0) {
    const std::size_t piece = piece_at(at, bytes);
    if (piece == 8) write_as<std::uint64_t>(at, from);
    if (piece == 4) write_as<std::uint32_t>(at, from);
    if (piece == 2) write_as<std::uint16_t>(at, from);
    if (piece == 1) write_as<std::uint8_t>(at, from);
    at += piece, from += piece, bytes -= piece;
  }
}

void read_memory(Address at, std::size_t bytes, std::byte* to) {
  std::size_t sizes[32];  // of a sector at most
  int count = 0;
  for (std::size_t done = 0; done < bytes; done += sizes[count - 1])
    sizes[count++] = piece_at(at + done, bytes - done);
  for (std::size_t end = bytes; count > 0;) {
    const std::size_t piece = sizes[--count];
    end -= piece;
    if (piece == 8) read_as<std::uint64_t>(at + end, to + end);
    if (piece == 4) read_as<std::uint32_t>(at + end, to + end);
    if (piece == 2) read_as<std::uint16_t>(at + end, to + end);
    if (piece == 1) read_as<std::uint8_t>(at + end, to + end);
  }
}

std::uint64_t atomic_combine(const Instruction& in, Address at, std::uint64_t operand,
                             std::uint64_t swap) {
  if (size_of(in.type) == 8) return exchange<std::uint64_t>(in, at, operand, swap);
  return exchange<std::uint32_t>(in, at, operand, swap);
}

CtaMemory::CtaMemory(std::size_t shared_bytes, std::uint64_t seed)
    : shared_(shared_bytes, std::byte{0xA5}),
      words_((shared_bytes + 3) / 4),
      random_(static_cast<std::minstd_rand::result_type>(seed)) {}

void CtaMemory::check(Address at, std::size_t bytes) {
  if (at >= last_.begin && at + bytes <= last_.end) return;
  last_ = address_space().memory_at(at, bytes);
  if (last_.begin == last_.end) {
    throw std::runtime_error("access of " + std::to_string(bytes) + " bytes at " + hexadecimal(at) +
                             ", which is no memory of the device");
  }
}

void CtaMemory::load(Address at, std::size_t bytes, How how, std::byte* to) {
  check(at, bytes);
  if (how.order == Order::weak && !how.past_l1) {
    load_weakly(at, bytes, to);
  } else {
    if (how.order != Order::weak) send_overlapping(at, bytes);
    read_memory(at, bytes, to);
    overlay(at, bytes, to);
  }
  if (how.order == Order::acquire && !acquired_before(at, bytes, how.scope, to)) {
    acquire(how.scope);
  }
}

// Has an acquire of the CTA read this value there? Then it has synchronized with who stored it.
bool CtaMemory::acquired_before(Address at, std::size_t bytes, Scope scope,
                                const std::byte* value) {
  Acquired now{scope, 0};
  std::memcpy(&now.value, value, std::min(bytes, sizeof now.value));
  const auto [found, fresh] = acquired_.try_emplace(at, now);
  if (!fresh && found->second.value == now.value && found->second.scope >= scope) return true;
  found->second = now;
  return false;
}

void CtaMemory::load_weakly(Address at, std::size_t bytes, std::byte* to) {
  const Address begin = at / sector * sector;  // no access crosses a sector: they are aligned
  auto& sectors = sectors_[last_.across ? 1 : 0];
  if (sectors.size() >= most_sectors) sectors.clear();
  const auto [found, fresh] = sectors.try_emplace(begin);
  if (fresh || random_() % 64 == 0) {
    // A sector at the edge of an allocation is read as far as it goes.
    const bool whole = begin >= last_.begin && begin + sector <= last_.end;
    const std::size_t skip = whole ? 0 : at - begin;
    read_memory(begin + skip, whole ? sector : bytes, found->second.data() + skip);
    overlay(begin, sector, found->second.data());  // it may be sent while the copy stays
    std::memcpy(to, found->second.data() + (at - begin), bytes);
    if (!whole) sectors.erase(found);
  } else {
    std::memcpy(to, found->second.data() + (at - begin), bytes);
  }
  overlay(at, bytes, to);
}

// What the CTA has stored itself is seen by it.
void CtaMemory::overlay(Address at, std::size_t bytes, std::byte* to) {
  if (pending_.empty()) return;
  for (Address g = at / granule * granule; g < at + bytes; g += granule) {
    const auto found = pending_.find(g);
    if (found == pending_.end()) continue;
    complete(found->second);
    for (std::size_t b = 0; b < granule; ++b) {
      const Address byte = g + b;
      if ((found->second.mask >> b & 1) != 0 && byte >= at && byte < at + bytes) {
        to[byte - at] = found->second.data[b];
      }
    }
  }
}

void CtaMemory::store(Address at, std::size_t bytes, How how, const std::byte* from) {
  check(at, bytes);
  if (how.order == Order::release) release(how.thread, how.scope);
  store_in_l1(at, bytes, from);
  if (how.order == Order::weak)
    return store_weakly(at, bytes, how.thread, {from, LateLoads::none, 0});
  send_overlapping(at, bytes);
  write_memory(at, bytes, from);
}

void CtaMemory::store_in_l1(Address at, std::size_t bytes, const std::byte* from) {
  auto& sectors = sectors_[last_.across ? 1 : 0];
  const auto copy = sectors.find(at / sector * sector);
  if (copy != sectors.end()) std::memcpy(copy->second.data() + at % sector, from, bytes);
}

void CtaMemory::store_weakly(Address at, std::size_t bytes, int thread, Data data) {
  if (pending_.size() >= most_pending) send_all();
  const Address begin = at / granule * granule;
  const auto [found, fresh] = pending_.try_emplace(begin);
  Pending& p = found->second;
  if (!fresh && (p.thread != thread || p.epoch != epoch_)) {
    send(begin, p);
    p.mask = 0;
  }
  complete(p);
  p.thread = thread;
  p.epoch = epoch_;
  p.across = last_.across;
  if (data.late == LateLoads::none) {
    std::memcpy(p.data.data() + (at - begin), data.bytes, bytes);
  } else {
    p.from = data.late;
    p.late_lane = data.lane;
    p.late_at = at - begin;
  }
  p.mask |= ((std::uint32_t{1} << bytes) - 1) << (at - begin);
  if (random_() % 4 == 0) {  // some arrive early
    send(begin, p);
    pending_.erase(found);
  }
}

void CtaMemory::send(Address granule_at, Pending& p) {
  complete(p);
  for (std::size_t b = 0; b < granule;) {
    std::size_t end = b;
    while (end < granule && (p.mask >> end & 1) != 0) ++end;
    if (end > b) write_memory(granule_at + b, end - b, p.data.data() + b);
    b = end + 1;
  }
}

void CtaMemory::send_overlapping(Address at, std::size_t bytes) {
  for (Address g = at / granule * granule; g < at + bytes; g += granule) {
    const auto found = pending_.find(g);
    if (found == pending_.end()) continue;
    send(g, found->second);
    pending_.erase(found);
  }
}

void CtaMemory::acquire(Scope scope) {
  if (scope == Scope::cta) return;
  sectors_[0].clear();
  if (scope == Scope::system) sectors_[1].clear();
}

void CtaMemory::release(int thread, Scope scope) {
  if (scope == Scope::cta) return;
  if (any_late()) {
    take_released(thread, scope);
    arrive_released(thread, scope);
  }
  for (auto p = pending_.begin(); p != pending_.end();) {
    const bool before = p->second.thread == thread || p->second.epoch < epoch_;
    if (before && (scope == Scope::system || !p->second.across)) {
      send(p->first, p->second);
      p = pending_.erase(p);
    } else {
      ++p;
    }
  }
}

void CtaMemory::order_before(bool stores, Address low, Address end) {
  if (stores) take_before_store(low, end);
  arrive_overlapping(low / sector * sector, (end + sector - 1) / sector * sector);  // of the L1
}

void CtaMemory::send_all() {
  while (any_late_store()) arrive_at(late_stores_.size() - 1);
  for (auto& [at, p] : pending_) send(at, p);
  pending_.clear();
}

std::uint64_t CtaMemory::atomic(const Instruction& in, Address at, std::uint64_t operand,
                                std::uint64_t swap, int thread) {
  const std::size_t bytes = size_of(in.type);
  check(at, bytes);
  const bool both = in.order == Order::acquire_release;
  if (both || in.order == Order::release) release(thread, in.scope);
  send_overlapping(at, bytes);
  sectors_[last_.across ? 1 : 0].erase(at / sector * sector);
  const std::uint64_t before = atomic_combine(in, at, operand, swap);
  if (both || in.order == Order::acquire) acquire(in.scope);
  return before;
}

void CtaMemory::check_shared(Address at, std::size_t bytes) const {
  if (at + bytes > shared_.size()) {
    throw std::runtime_error("access beyond the " + std::to_string(shared_.size()) +
                             " bytes of shared memory");
  }
}

void CtaMemory::load_shared(Address at, std::size_t bytes, int thread, std::byte* to) {
  check_shared(at, bytes);
  for (Address w = at / 4; w <= (at + bytes - 1) / 4; ++w) {
    SharedWord& word = words_[w];
    if (word.written == epoch_ + 1 && word.writer != thread) {
      throw std::runtime_error("race in shared memory: reads what thread " +
                               std::to_string(word.writer) + " wrote, without a barrier between");
    }
    word.reader = word.read == epoch_ + 1 && word.reader != thread ? -1 : thread;
    word.read = epoch_ + 1;
  }
  std::memcpy(to, shared_.data() + at, bytes);
}

void CtaMemory::store_shared(Address at, std::size_t bytes, int thread, const std::byte* from) {
  check_shared(at, bytes);
  for (Address w = at / 4; w <= (at + bytes - 1) / 4; ++w) {
    SharedWord& word = words_[w];
    const bool read = word.read == epoch_ + 1 && word.reader != thread;
    if (read || (word.written == epoch_ + 1 && word.writer != thread)) {
      throw std::runtime_error(std::string("race in shared memory: writes what another thread ") +
                               (read ? "reads" : "wrote") + ", without a barrier between");
    }
    word.written = epoch_ + 1;
    word.writer = thread;
  }
  std::memcpy(shared_.data() + at, from, bytes);
}

}  // namespace fabricast::ptx
