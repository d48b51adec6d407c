#include "tests/ptx_device/late_stores.hpp"

#include <bit>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "tests/ptx_device/cta_memory.hpp"
#include "tests/ptx_device/switch_access.hpp"

namespace fabricast::ptx {
namespace {

constexpr std::size_t most_late = 32;  // of a CTA
constexpr unsigned one_in = 16;        // of the stores that may be late

}  // namespace

bool LateStore::overlaps(Address low, Address end) const {
  for (Mask m = threads; m != 0; m &= m - 1) {
    const Address address = at[static_cast<std::size_t>(std::countr_zero(m))];
    if (address < end && address + bytes() > low) return true;
  }
  return false;
}

void LateStore::arrive() const {
  for (Mask m = threads; m != 0; m &= m - 1) {
    const auto t = static_cast<std::size_t>(std::countr_zero(m));
    if (in->op != Op::multicast_store) {
      write_memory(at[t], bytes(), data[t].data());
      continue;
    }
    std::uint64_t values[4] = {};
    const std::size_t size = size_of(in->type);
    for (std::size_t k = 0; k < in->width; ++k)
      std::memcpy(values + k, data[t].data() + k * size, size);
    access_switch(*in, at[t], values);
  }
}

bool CtaMemory::next_store_is_late() {
  return random_() % one_in == 0 && late_stores_.size() < most_late;
}

void CtaMemory::store_late(LateStore store) {
  const bool multicast = store.in->op == Op::multicast_store;
  store.epoch = epoch_;
  store.across = true;
  for (Mask m = store.threads; m != 0; m &= m - 1) {
    const auto t = static_cast<std::size_t>(std::countr_zero(m));
    if (multicast) {
      if (address_space().members_at(store.at[t], store.bytes()).empty()) no_multicast_object();
      continue;
    }
    check(store.at[t], store.bytes());
    store.across = store.across && last_.across;
    store_in_l1(store.at[t], store.bytes(), store.data[t].data());
    send_overlapping(store.at[t], store.bytes());
  }
  late_stores_.push_back(std::move(store));
}

void CtaMemory::arrive_at(std::size_t place) {
  late_stores_[place].arrive();
  if (place + 1 != late_stores_.size()) late_stores_[place] = late_stores_.back();
  late_stores_.pop_back();
}

void CtaMemory::pass_time() {
  if (late_stores_.empty() || random_() % 4 != 0) return;
  arrive_at(random_() % late_stores_.size());
}

void CtaMemory::arrive_overlapping(Address low, Address end) {
  for (std::size_t i = 0; i < late_stores_.size();) {
    if (late_stores_[i].overlaps(low, end)) {
      arrive_at(i);
    } else {
      ++i;
    }
  }
}

// What a release orders: the thread's stores, and everybody's of before the last barrier.
void CtaMemory::arrive_released(int thread, Scope scope) {
  for (std::size_t i = 0; i < late_stores_.size();) {
    const LateStore& store = late_stores_[i];
    const int lane = thread - store.first_thread;
    const bool own = lane >= 0 && lane < warp_size && (store.threads >> lane & 1) != 0;
    const bool before = own || store.epoch < epoch_;
    if (before && (scope == Scope::system || !store.across)) {
      arrive_at(i);
    } else {
      ++i;
    }
  }
}

}  // namespace fabricast::ptx
