#include "tests/ptx_device/late_loads.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "tests/ptx_device/cta_memory.hpp"

namespace fabricast::ptx {
namespace {

constexpr std::size_t most_late = 1024;  // of a CTA: a MiB of them
constexpr unsigned one_in = 32;          // of the loads that may be late

}  // namespace

LateLoads::Id LateLoads::issue(Mask threads) {
  if (free_.empty()) {
    free_.push_back(static_cast<Id>(loads_.size()));
    loads_.emplace_back();
  }
  const Id id = free_.back();
  free_.pop_back();
  Load& load = loads_[id];
  load.waiting = threads;
  load.holders = 1;
  load.place = waiting_.size();
  waiting_.push_back(id);
  return id;
}

void LateLoads::let_go(Id id) {
  Load& load = loads_[id];
  if (--load.holders > 0) return;
  if (load.waiting != 0) leave_waiting(load);
  load.waiting = 0;
  free_.push_back(id);
}

void LateLoads::has_value(Id id, int lane) {
  Load& load = loads_[id];
  load.waiting &= ~(Mask{1} << lane);
  if (load.waiting == 0) leave_waiting(load);
}

void LateLoads::leave_waiting(Load& load) {
  const Id last = waiting_.back();
  waiting_[load.place] = last;
  loads_[last].place = load.place;
  waiting_.pop_back();
}

bool CtaMemory::next_is_late() {
  return random_() % one_in == 0 && late_.waiting().size() < most_late;
}

LateLoads::Id CtaMemory::load_late(const std::array<Address, warp_size>& at, std::size_t bytes,
                                   Mask threads, How how) {
  bool across = true;
  Address low = ~Address{0}, end = 0;
  for (Mask m = threads; m != 0; m &= m - 1) {
    const Address address = at[static_cast<std::size_t>(std::countr_zero(m))];
    check(address, bytes);
    across = across && last_.across;
    low = std::min(low, address);
    end = std::max(end, address + bytes);
  }
  const auto id = late_.issue(threads);
  auto& load = late_[id];
  load.at = at;
  load.epoch = epoch_;
  load.low = low;
  load.end = end;
  load.bytes = bytes;
  load.first_thread = how.thread;
  load.across = across;
  return id;
}

// It takes its value now, if it has none yet; past the L1, which need not have it.
const std::byte* CtaMemory::value_of(LateLoads::Id id, int lane) {
  const auto thread = static_cast<std::size_t>(lane);
  auto& load = late_[id];
  if ((load.waiting >> lane & 1) != 0) {
    late_.has_value(id, lane);
    read_memory(load.at[thread], load.bytes, load.data[thread].data());
    overlay(load.at[thread], load.bytes, load.data[thread].data());
  }
  return load.data[thread].data();
}

// What a release orders: the thread's loads, and everybody's of before the last barrier.
void CtaMemory::take_released(int thread, Scope scope) {
  const auto waiting = late_.waiting();
  for (const auto id : waiting) {
    const auto& load = late_[id];
    if (load.across && scope != Scope::system) continue;
    Mask threads = load.waiting;
    if (load.epoch == epoch_) {
      const int lane = thread - load.first_thread;
      threads &= lane >= 0 && lane < warp_size ? Mask{1} << lane : 0;
    }
    for (; threads != 0; threads &= threads - 1) value_of(id, std::countr_zero(threads));
  }
}

void CtaMemory::take_before_store(Address low, Address end) {
  const auto waiting = late_.waiting();
  for (const auto id : waiting) {
    const auto& load = late_[id];
    if (load.low >= end || load.end <= low) continue;
    for (Mask m = load.waiting; m != 0; m &= m - 1) {
      const int lane = std::countr_zero(m);
      const Address at = load.at[static_cast<std::size_t>(lane)];
      if (at < end && at + load.bytes > low) value_of(id, lane);
    }
  }
}

void CtaMemory::store_late(Address at, std::size_t bytes, How how, LateLoads::Id id, int lane) {
  if ((late_[id].waiting >> lane & 1) == 0) return store(at, bytes, how, value_of(id, lane));
  check(at, bytes);
  sectors_[last_.across ? 1 : 0].erase(at / sector * sector);
  late_.hold(id);
  store_weakly(at, bytes, how.thread, {nullptr, id, lane});
}

// The data of a store that waits for a load.
void CtaMemory::complete(Pending& p) {
  if (p.from == LateLoads::none) return;
  const auto id = std::exchange(p.from, LateLoads::none);
  std::memcpy(p.data.data() + p.late_at, value_of(id, p.late_lane), late_[id].bytes);
  late_.let_go(id);
}

}  // namespace fabricast::ptx
