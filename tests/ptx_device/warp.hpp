// A warp: 32 threads with a program counter each. Those furthest behind run first, together, so
// that threads that went different ways meet again where the ways do; where that would starve the
// others (threads behind wait for them), the others get their turn.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/ptx_device/alu.hpp"
#include "tests/ptx_device/cta_memory.hpp"
#include "tests/ptx_device/machine.hpp"

namespace fabricast::ptx {

// Throws std::runtime_error as run() does, naming the instruction.
class Warp {
 public:
  // Threads [first, end) of the CTA `block` of the grid.
  Warp(const Kernel& kernel, const Grid& grid, Dim3 block, int first, int end, CtaMemory& memory,
       const std::vector<std::uint64_t>& pool);

  // Up to `instructions` of them, less if nothing can run.
  void run(int instructions);

  bool can_run() const { return (alive_ & ~at_barrier_ & ~at_vote_) != 0; }
  Mask alive() const { return alive_; }
  Mask at_barrier() const { return at_barrier_; }
  // Barriers are aligned: throws unless all of the warp stand at the same instruction.
  void check_aligned() const;
  // Of the threads at the barrier: do all, does any have its predicate?
  bool all_there() const;
  bool any_there() const;
  void leave_barrier(bool all, bool any);
  std::string where() const;  // for messages: the instructions at which threads stand

 private:
  struct Late {
    LateLoads::Id id;
    const Instruction* load;
    Mask mask;  // threads whose registers are not filled yet
  };

  Mask choose(std::int32_t& limit);
  Mask guarded(const Instruction& in, Mask group) const;
  Mask true_in(Slot slot, Mask mask) const;
  int run_group(Mask group, std::int32_t limit, int instructions);
  void stand(Mask group, std::int32_t at);
  bool control(const Instruction& in, Mask group);
  void execute(const Instruction& in, Mask mask);
  bool branch(const Instruction& in, Mask group);
  void park_at_vote(const Instruction& in, Mask mask);
  void finish_vote(const Instruction& in, Mask voters);
  void access(const Instruction& in, Mask mask);
  bool load_once(const Instruction& in, Mask mask);
  bool load_late(const Instruction& in, Mask mask);
  bool store_relaxed_late(const Instruction& in, Mask mask);
  bool pass_on(const Instruction& in, Mask mask);
  void order_before(const Instruction& in, Mask mask);
  bool global_addresses(const Instruction& in, Mask mask, std::array<Address, warp_size>& at);
  void fill_registers_of(const Instruction& in, Mask mask);
  void fill(Late& late);
  bool passes_on(const Instruction& in, Mask mask, const Late& late) const;
  void set_loaded(const Instruction& in, int thread, const std::byte* data);
  static bool is_local(const Instruction& in, Address at);
  static bool is_shared(const Instruction& in, Address at);
  void load(const Instruction& in, int thread);
  void store(const Instruction& in, int thread);
  void atomic(const Instruction& in, int thread);
  void through_switch(const Instruction& in, int thread);
  void load_bytes(const Instruction& in, Address at, std::size_t bytes, int thread, std::byte* to);
  void store_bytes(const Instruction& in, Address at, std::size_t bytes, int thread,
                   const std::byte* from);
  Address address_of(const Instruction& in, int thread) const;
  std::byte* local(Address at, std::size_t bytes, int thread);
  void set_special(const Grid& grid, Dim3 block, int first);

  const Kernel& kernel_;
  const Code& code_;
  const std::byte* arguments_;
  Registers registers_;
  CtaMemory& memory_;
  std::array<std::int32_t, warp_size> at_{};
  Mask alive_ = 0;
  Mask at_barrier_ = 0;
  Mask at_vote_ = 0;
  int first_;          // thread of the CTA
  int accessing_ = 0;  // thread of the warp that is at work, for messages
  int behind_turns_ = 0;
  std::vector<std::byte> local_;
  std::vector<Late> late_;
  std::uint64_t late_slots_ = 0;  // that they fill, as Instruction::touches
};

}  // namespace fabricast::ptx
