// How a warp's threads access memory.
#include <bit>
#include <cstring>
#include <stdexcept>

#include "tests/ptx_device/switch_access.hpp"
#include "tests/ptx_device/warp.hpp"

namespace fabricast::ptx {
namespace {

std::uint64_t widened(Type type, const std::byte* from) {
  std::uint64_t value = 0;
  std::memcpy(&value, from, size_of(type));
  if (type == Type::s8) return static_cast<std::uint64_t>(static_cast<std::int8_t>(value));
  if (type == Type::s16) return static_cast<std::uint64_t>(static_cast<std::int16_t>(value));
  if (type == Type::s32) return static_cast<std::uint64_t>(static_cast<std::int32_t>(value));
  return value;
}

}  // namespace

// All threads load the same: one access serves them.
bool Warp::load_once(const Instruction& in, Mask mask) {
  const std::uint64_t* at = registers_.at(in.address);
  const int first = std::countr_zero(mask);
  if (in.space != Space::parameter) {
    for (Mask m = mask; m != 0; m &= m - 1) {
      if (at[std::countr_zero(m)] != at[first]) return false;
    }
    if (is_local(in, at[first]) || is_shared(in, at[first])) return false;
  }
  load(in, first);
  for (std::size_t k = 0; k < in.width; ++k) {
    std::uint64_t* to = registers_.at(in.to[k]);
    const std::uint64_t value = to[first];
    for (Mask m = mask; m != 0; m &= m - 1) to[std::countr_zero(m)] = value;
  }
  return true;
}

// What one store instruction writes becomes visible in the order of the threads, what one load
// reads is read in the opposite order (cta_memory.hpp).
void Warp::access(const Instruction& in, Mask mask) {
  const bool loads = in.op == Op::load;
  if (mask == 0) return;
  if (loads ? memory_.any_late_store() : memory_.any_late()) order_before(in, mask);
  if (in.may_be_late && (loads ? load_late(in, mask) : store_relaxed_late(in, mask))) return;
  if (in.op == Op::store && pass_on(in, mask)) return;
  if (loads && load_once(in, mask)) return;
  while (mask != 0) {
    const int t = loads ? warp_size - 1 - std::countl_zero(mask) : std::countr_zero(mask);
    mask &= ~(Mask{1} << t);
    accessing_ = t;
    if (loads) {
      load(in, t);
    } else if (in.op == Op::store) {
      store(in, t);
    } else if (in.op == Op::atomic) {
      atomic(in, t);
    } else {
      through_switch(in, t);
    }
  }
  const bool strong = in.order != Order::weak && in.op != Op::load_reduce;
  if (!loads && (strong || in.op == Op::atomic)) memory_.note_strong_store();
}

bool Warp::is_local(const Instruction& in, Address at) {
  return in.space == Space::local || (in.space == Space::generic && at >> 56 == local_window >> 56);
}
bool Warp::is_shared(const Instruction& in, Address at) {
  return in.space == Space::shared ||
         (in.space == Space::generic && at >> 56 == shared_window >> 56);
}

Address Warp::address_of(const Instruction& in, int thread) const {
  const Address at = registers_.at(in.address)[thread] + static_cast<std::uint64_t>(in.offset);
  if (at % (size_of(in.type) * in.width) != 0) {
    throw std::runtime_error("misaligned access");
  }
  return at;
}

std::byte* Warp::local(Address at, std::size_t bytes, int thread) {
  if (at + bytes > kernel_.local_bytes) throw std::runtime_error("access beyond local memory");
  return local_.data() + static_cast<std::size_t>(thread) * kernel_.local_bytes + at;
}

void Warp::load_bytes(const Instruction& in, Address at, std::size_t bytes, int thread,
                      std::byte* to) {
  if (in.space == Space::parameter) {
    if (at + bytes > kernel_.parameter_bytes)
      throw std::runtime_error("access beyond the parameters");
    std::memcpy(to, arguments_ + at, bytes);
  } else if (is_shared(in, at)) {
    memory_.load_shared(at % shared_window, bytes, first_ + thread, to);
  } else if (is_local(in, at)) {
    std::memcpy(to, local(at % shared_window, bytes, thread), bytes);
  } else {
    memory_.load(at, bytes, {in.order, in.scope, in.past_l1, first_ + thread}, to);
  }
}

void Warp::store_bytes(const Instruction& in, Address at, std::size_t bytes, int thread,
                       const std::byte* from) {
  if (is_shared(in, at)) {
    memory_.store_shared(at % shared_window, bytes, first_ + thread, from);
  } else if (is_local(in, at)) {
    std::memcpy(local(at % shared_window, bytes, thread), from, bytes);
  } else {
    memory_.store(at, bytes, {in.order, in.scope, in.past_l1, first_ + thread}, from);
  }
}

void Warp::load(const Instruction& in, int thread) {
  std::byte data[32];
  const std::size_t size = size_of(in.type);
  load_bytes(in, address_of(in, thread), size * in.width, thread, data);
  set_loaded(in, thread, data);
}

void Warp::set_loaded(const Instruction& in, int thread, const std::byte* data) {
  const std::size_t size = size_of(in.type);
  for (std::size_t k = 0; k < in.width; ++k)
    registers_.at(in.to[k])[thread] = widened(in.type, data + k * size);
}

void Warp::store(const Instruction& in, int thread) {
  std::byte data[32];
  const std::size_t size = size_of(in.type);
  for (std::size_t k = 0; k < in.width; ++k)
    std::memcpy(data + k * size, &registers_.at(in.of[k])[thread], size);
  store_bytes(in, address_of(in, thread), size * in.width, thread, data);
}

void Warp::atomic(const Instruction& in, int thread) {
  const std::uint64_t operand = registers_.at(in.of[0])[thread];
  const std::uint64_t swap = in.of[1] != no_slot ? registers_.at(in.of[1])[thread] : operand;
  const std::uint64_t before =
      memory_.atomic(in, address_of(in, thread), operand, swap, first_ + thread);
  if (in.to[0] != no_slot) registers_.at(in.to[0])[thread] = before;
}

void Warp::through_switch(const Instruction& in, int thread) {
  if (in.order == Order::release || in.order == Order::acquire_release) {
    memory_.release(first_ + thread, in.scope);
  }
  std::uint64_t values[4] = {};
  if (in.op != Op::load_reduce) {
    for (int k = 0; k < in.width; ++k) values[k] = registers_.at(in.of[k])[thread];
  }
  access_switch(in, address_of(in, thread), values);
  if (in.op != Op::load_reduce) return;
  for (int k = 0; k < in.width; ++k) registers_.at(in.to[k])[thread] = values[k];
}

}  // namespace fabricast::ptx
