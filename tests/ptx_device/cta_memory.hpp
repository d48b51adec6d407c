// Memory as one CTA sees it, weaker than a GPU's (docs/gpu.md says where not): a plain load may be
// answered from a copy taken earlier, a plain store may stay unseen by others, until the CTA
// synchronizes. Code that only works because a machine is kinder than its model fails here.
//
// - Plain loads go through an L1 of 32-byte sectors that nobody keeps true; an acquire (a fence, an
//   acquiring access) empties it, of what other devices use too one of system scope only. Not a
//   load that finds the value that one found there before: whoever looks again and again.
// - Plain stores wait, a granule of 16 bytes each, and arrive in any order. A release by a thread
//   sends off its own, and everybody's of before the last barrier.
// - Some plain loads are late: they take their value when it is used, when a release orders them,
//   or when the CTA stores to what they load. A plain store that passes such a value on waits
//   with it.
// - What is of CTA scope orders nothing here: the CTA's threads share all of this, and what one of
//   them has told another that way counts for others' releases from the next barrier on.
// - Volatile, relaxed, acquiring and releasing accesses go to memory at once, except some relaxed
//   and volatile stores and some to multicast objects: they arrive whenever, by instructions of a
//   warp, unless a release orders them or the CTA accesses the same bytes. An access of 16 bytes
//   is two of 8, stores in ascending and loads in descending order: together with the order in
//   which a warp's threads are served that is what LL128 needs, also between processes.
// - In shared memory, two threads that access a word without a barrier between, one of them
//   writing, are an error.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <unordered_map>
#include <vector>

#include "tests/ptx_device/address_space.hpp"
#include "tests/ptx_device/code.hpp"
#include "tests/ptx_device/late_loads.hpp"
#include "tests/ptx_device/late_stores.hpp"

namespace fabricast::ptx {

// Throws std::runtime_error as run() does.
class CtaMemory {
 public:
  CtaMemory(std::size_t shared_bytes, std::uint64_t seed);

  struct How {
    Order order = Order::weak;
    Scope scope = Scope::gpu;
    bool past_l1 = false;
    int thread = 0;  // of the CTA
  };
  void load(Address at, std::size_t bytes, How how, std::byte* to);
  void store(Address at, std::size_t bytes, How how, const std::byte* from);
  // Returns what was there.
  std::uint64_t atomic(const Instruction& in, Address at, std::uint64_t operand, std::uint64_t swap,
                       int thread);

  // Loads that are late, of the threads of a warp; how.thread is the first of them, and the memory
  // its caller's until it is let go.
  bool next_is_late();
  LateLoads::Id load_late(const std::array<Address, warp_size>& at, std::size_t bytes, Mask threads,
                          How how);
  const std::byte* value_of(LateLoads::Id id, int lane);
  void let_go(LateLoads::Id id) { late_.let_go(id); }
  // A plain store of what it loads.
  void store_late(Address at, std::size_t bytes, How how, LateLoads::Id id, int lane);
  // Relaxed stores that are late; the caller fills in what the instruction says.
  bool next_store_is_late();
  void store_late(LateStore store);
  void pass_time();  // now and then: one of them may arrive, and in the end does

  // Before an access of any thread to bytes in [low, end).
  bool any_late_store() const { return !late_stores_.empty(); }
  bool any_late() const { return any_late_store() || !late_.waiting().empty(); }
  void order_before(bool stores, Address low, Address end);

  void load_shared(Address at, std::size_t bytes, int thread, std::byte* to);
  void store_shared(Address at, std::size_t bytes, int thread, const std::byte* from);

  void release(int thread, Scope scope);  // before a releasing access, or a fence
  void acquire(Scope scope);
  void barrier() { ++epoch_; }
  void send_all();  // at the end of the grid

  // After an instruction that stored something others see at once: if others of the CTA's stores
  // are unseen, or loads late, this is, now and then, a moment to let others go on first (run()).
  void note_strong_store() {
    if ((!pending_.empty() || any_late()) && random_() % 8 == 0) overtaken_ = true;
  }
  bool overtaken() const { return overtaken_; }
  void forget_overtaking() { overtaken_ = false; }

 private:
  static constexpr std::size_t sector = 32;
  static constexpr std::size_t granule = 16;
  struct Pending {
    std::array<std::byte, granule> data;
    std::uint32_t mask = 0;  // bytes that were stored
    int thread = 0;
    std::uint64_t epoch = 0;
    bool across = false;
    LateLoads::Id from = LateLoads::none;  // of which data from `late_at` on are
    int late_lane = 0;
    std::size_t late_at = 0;
  };
  struct Data {  // bytes, or those of a late load
    const std::byte* bytes = nullptr;
    LateLoads::Id late = LateLoads::none;
    int lane = 0;
  };
  struct Acquired {
    Scope scope;
    std::uint64_t value;
  };
  struct SharedWord {
    std::uint64_t written = 0, read = 0;  // epoch + 1; 0: never
    int writer = 0, reader = 0;           // -1: several
  };

  void check(Address at, std::size_t bytes);
  bool acquired_before(Address at, std::size_t bytes, Scope scope, const std::byte* value);
  void load_weakly(Address at, std::size_t bytes, std::byte* to);
  void store_weakly(Address at, std::size_t bytes, int thread, Data data);
  void overlay(Address at, std::size_t bytes, std::byte* to);
  void send(Address granule_at, Pending& pending);
  void complete(Pending& pending);
  void take_released(int thread, Scope scope);
  void take_before_store(Address low, Address end);
  void store_in_l1(Address at, std::size_t bytes, const std::byte* from);
  void arrive_at(std::size_t place);
  void arrive_overlapping(Address low, Address end);
  void arrive_released(int thread, Scope scope);
  void send_overlapping(Address at, std::size_t bytes);
  void check_shared(Address at, std::size_t bytes) const;

  std::unordered_map<Address, std::array<std::byte, sector>> sectors_[2];  // 1: Memory::across
  std::unordered_map<Address, Pending> pending_;
  LateLoads late_;
  std::vector<LateStore> late_stores_;
  std::unordered_map<Address, Acquired> acquired_;
  std::vector<std::byte> shared_;
  std::vector<SharedWord> words_;
  std::uint64_t epoch_ = 0;
  std::minstd_rand random_;
  bool overtaken_ = false;
  AddressSpace::Memory last_;  // that was accessed
};

// Memory of the host, read and written as another thread or process may do at the same time.
void read_memory(Address at, std::size_t bytes, std::byte* to);
void write_memory(Address at, std::size_t bytes, const std::byte* from);
// Returns what was there.
std::uint64_t atomic_combine(const Instruction& in, Address at, std::uint64_t operand,
                             std::uint64_t swap = 0);

}  // namespace fabricast::ptx
