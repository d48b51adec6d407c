// Loads and stores of a warp that are late. The registers of loads are filled when an instruction
// needs them.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "tests/ptx_device/warp.hpp"

namespace fabricast::ptx {
namespace {

bool names(const Slot (&slots)[4], Slot slot) {
  return std::find(std::begin(slots), std::end(slots), slot) != std::end(slots);
}

std::uint64_t bits_of(const Slot (&slots)[4]) {
  std::uint64_t bits = 0;
  for (const Slot slot : slots) bits |= slot != no_slot ? std::uint64_t{1} << (slot % 64) : 0;
  return bits;
}

}  // namespace

// False: some are of shared or local memory.
bool Warp::global_addresses(const Instruction& in, Mask mask, std::array<Address, warp_size>& at) {
  for (Mask m = mask; m != 0; m &= m - 1) {
    accessing_ = std::countr_zero(m);
    const Address address = address_of(in, accessing_);
    if (is_shared(in, address) || is_local(in, address)) return false;
    at[static_cast<std::size_t>(accessing_)] = address;
  }
  return true;
}

// True: the registers of `mask` are filled later.
bool Warp::load_late(const Instruction& in, Mask mask) {
  std::array<Address, warp_size> at{};
  if (!memory_.next_is_late() || !global_addresses(in, mask, at)) return false;
  const std::size_t bytes = size_of(in.type) * in.width;
  const auto id = memory_.load_late(at, bytes, mask, {in.order, in.scope, in.past_l1, first_});
  late_.push_back({id, &in, mask});
  late_slots_ |= bits_of(in.to);
  return true;
}

// True: the stores of `mask` arrive later.
bool Warp::store_relaxed_late(const Instruction& in, Mask mask) {
  LateStore store;
  if (!memory_.next_store_is_late() || !global_addresses(in, mask, store.at)) return false;
  store.in = &in;
  store.threads = mask;
  store.first_thread = first_;
  const std::size_t size = size_of(in.type);
  for (Mask m = mask; m != 0; m &= m - 1) {
    const auto t = static_cast<std::size_t>(std::countr_zero(m));
    for (std::size_t k = 0; k < in.width; ++k)
      std::memcpy(store.data[t].data() + k * size, &registers_.at(in.of[k])[t], size);
  }
  memory_.store_late(store);
  return true;
}

// Before `in` is executed for the threads of `mask`.
void Warp::fill_registers_of(const Instruction& in, Mask mask) {
  for (std::size_t i = 0; i < late_.size();) {
    Late& late = late_[i];
    bool read = false, written = false;
    for (const Slot slot : late.load->to) {
      if (slot == no_slot) continue;
      read = read || in.address == slot || in.guard == slot || names(in.of, slot);
      written = written || names(in.to, slot);
    }
    const bool over = written && !read && std::ranges::equal(in.to, late.load->to);
    if (over) {
      late.mask &= ~mask;
    } else if ((read || written) && !passes_on(in, mask, late)) {
      fill(late);
    }
    if (late.mask == 0) {
      memory_.let_go(late.id);
      late = late_.back();
      late_.pop_back();
    } else {
      ++i;
    }
  }
  late_slots_ = 0;
  for (const Late& late : late_) late_slots_ |= bits_of(late.load->to);
}

void Warp::fill(Late& late) {
  for (Mask m = late.mask; m != 0; m &= m - 1) {
    const int t = std::countr_zero(m);
    accessing_ = t;
    set_loaded(*late.load, t, memory_.value_of(late.id, t));
  }
  late.mask = 0;
}

// Is it a plain store of just what was loaded, to global memory?
bool Warp::passes_on(const Instruction& in, Mask mask, const Late& late) const {
  const Instruction& load = *late.load;
  const bool same = in.op == Op::store && in.order == Order::weak && in.width == load.width &&
                    size_of(in.type) == size_of(load.type) && std::ranges::equal(in.of, load.to) &&
                    !names(load.to, in.address) && (mask & ~late.mask) == 0;
  if (!same) return false;
  for (Mask m = mask; m != 0; m &= m - 1) {
    const Address at = address_of(in, std::countr_zero(m));
    if (is_shared(in, at) || is_local(in, at)) return false;
  }
  return true;
}

// True: a store whose data are not there yet has been issued.
bool Warp::pass_on(const Instruction& in, Mask mask) {
  if ((in.touches & late_slots_) == 0) return false;
  for (const Late& late : late_) {
    if (!passes_on(in, mask, late)) continue;
    for (Mask m = mask; m != 0; m &= m - 1) {
      const int t = std::countr_zero(m);
      accessing_ = t;
      memory_.store_late(address_of(in, t), size_of(in.type) * in.width,
                         {in.order, in.scope, in.past_l1, first_ + t}, late.id, t);
    }
    return true;
  }
  return false;
}

// What is late and overlaps what `in` accesses comes first.
void Warp::order_before(const Instruction& in, Mask mask) {
  const std::size_t bytes = size_of(in.type) * in.width;
  Address low = ~Address{0}, end = 0;
  for (Mask m = mask; m != 0; m &= m - 1) {
    accessing_ = std::countr_zero(m);
    const Address at = address_of(in, accessing_);
    low = std::min(low, at);
    end = std::max(end, at + bytes);
  }
  memory_.order_before(in.op != Op::load, low, end);
}

}  // namespace fabricast::ptx
