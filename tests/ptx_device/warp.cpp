#include "tests/ptx_device/warp.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <stdexcept>

namespace fabricast::ptx {
namespace {

constexpr int patience = 64;  // turns of those behind before the others get one

// FABRICAST_PTX_CLOCK: the device's time goes by so many times as fast as the host's.
std::uint64_t clock_ns() {
  static const char* text = std::getenv("FABRICAST_PTX_CLOCK");
  static const std::uint64_t speed = text != nullptr ? std::strtoull(text, nullptr, 10) : 1;
  return speed * static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                                std::chrono::steady_clock::now().time_since_epoch())
                                                .count());
}

bool controls(Op op) {
  switch (op) {
    case Op::branch:
    case Op::exit:
    case Op::barrier:
    case Op::barrier_all:
    case Op::barrier_any:
    case Op::vote_all:
    case Op::vote_any:
    case Op::meet_warp:
      return true;
    default:
      return false;
  }
}

}  // namespace

Warp::Warp(const Kernel& kernel, const Grid& grid, Dim3 block, int first, int end,
           CtaMemory& memory, const std::vector<std::uint64_t>& pool)
    : kernel_(kernel),
      code_(*kernel.code),
      arguments_(grid.arguments),
      registers_(code_, pool),
      memory_(memory),
      first_(first),
      local_(kernel.local_bytes * warp_size, std::byte{0xA5}) {
  const int threads = std::min(end - first, warp_size);
  alive_ = threads == warp_size ? ~Mask{0} : (Mask{1} << threads) - 1;
  set_special(grid, block, first);
}

void Warp::set_special(const Grid& grid, Dim3 block, int first) {
  const Dim3 n = grid.threads;
  for (int t = 0; t < warp_size; ++t) {
    const auto flat = static_cast<unsigned>(first + t);
    const unsigned values[specials] = {flat % n.x,
                                       flat / n.x % n.y,
                                       flat / n.x / n.y,
                                       n.x,
                                       n.y,
                                       n.z,
                                       block.x,
                                       block.y,
                                       block.z,
                                       grid.blocks.x,
                                       grid.blocks.y,
                                       grid.blocks.z,
                                       static_cast<unsigned>(t)};
    for (Slot s = 0; s < specials; ++s) registers_.at(s)[t] = values[s];
  }
}

Mask Warp::true_in(Slot slot, Mask mask) const {
  const std::uint64_t* values = registers_.at(slot);
  Mask set = 0;
  for (Mask m = mask; m != 0; m &= m - 1) {
    const int t = std::countr_zero(m);
    if (values[t] != 0) set |= Mask{1} << t;
  }
  return set;
}

Mask Warp::guarded(const Instruction& in, Mask group) const {
  if (in.guard == no_slot) return group;
  const Mask set = true_in(in.guard, group);
  return in.guard_inverted ? group & ~set : set;
}

// Those at the least counter; `limit` is the next one's, where they have to be joined.
Mask Warp::choose(std::int32_t& limit) {
  const Mask running = alive_ & ~at_barrier_ & ~at_vote_;
  std::int32_t least = std::numeric_limits<std::int32_t>::max();
  std::int32_t next = least;
  for (Mask m = running; m != 0; m &= m - 1) {
    const std::int32_t at = at_[static_cast<std::size_t>(std::countr_zero(m))];
    if (at < least) {
      next = least;
      least = at;
    } else if (at > least) {
      next = std::min(next, at);
    }
  }
  const bool alone = next == std::numeric_limits<std::int32_t>::max();
  behind_turns_ = alone ? 0 : behind_turns_ + 1;
  if (behind_turns_ > patience) {
    behind_turns_ = 0;
    least = next;
    next = std::numeric_limits<std::int32_t>::max();
  }
  limit = next;
  Mask group = 0;
  for (Mask m = running; m != 0; m &= m - 1) {
    const int t = std::countr_zero(m);
    if (at_[static_cast<std::size_t>(t)] == least) group |= Mask{1} << t;
  }
  return group;
}

void Warp::stand(Mask group, std::int32_t at) {
  for (Mask m = group; m != 0; m &= m - 1) at_[static_cast<std::size_t>(std::countr_zero(m))] = at;
}

void Warp::run(int instructions) {
  while (instructions > 0 && can_run() && !memory_.overtaken()) {
    std::int32_t limit = 0;
    const Mask group = choose(limit);
    instructions -= run_group(group, limit, instructions);
  }
}

// The instructions that were executed; at least one.
int Warp::run_group(Mask group, std::int32_t limit, int instructions) {
  std::int32_t at = at_[static_cast<std::size_t>(std::countr_zero(group))];
  int done = 0;
  while (done < instructions && at < limit) {
    ++done;
    accessing_ = std::countr_zero(group);
    const Instruction& in = code_.instructions[static_cast<std::size_t>(at)];
    if (in.op == Op::branch && guarded(in, group) == group) {
      at = in.target;
      continue;
    }
    try {
      if ((in.touches & late_slots_) != 0) fill_registers_of(in, guarded(in, group));
      if (!controls(in.op)) {
        execute(in, guarded(in, group));
        ++at;
        if (memory_.overtaken()) break;
        continue;
      }
      stand(group, at);
      if (!control(in, group)) return done;
      ++at;
    } catch (const std::exception& e) {
      stand(group, at);
      throw std::runtime_error(std::string(e.what()) + "; thread " +
                               std::to_string(first_ + accessing_) + ", of those of " + where());
    }
  }
  stand(group, at);
  return done;
}

// Where the threads of the group may part; false: they do not all go on to the next instruction.
bool Warp::control(const Instruction& in, Mask group) {
  if (in.op == Op::branch) return branch(in, group);
  const Mask mask = guarded(in, group);
  for (Mask m = group & ~mask; m != 0; m &= m - 1) {
    ++at_[static_cast<std::size_t>(std::countr_zero(m))];
  }
  if (in.op == Op::exit) {
    alive_ &= ~mask;
  } else if (in.op == Op::vote_all || in.op == Op::vote_any || in.op == Op::meet_warp) {
    park_at_vote(in, mask);
  } else {
    at_barrier_ |= mask;
  }
  return false;
}

void Warp::execute(const Instruction& in, Mask mask) {
  switch (in.op) {
    case Op::clock:
      for (Mask m = mask; m != 0; m &= m - 1) {
        registers_.at(in.to[0])[std::countr_zero(m)] = clock_ns();
      }
      return;
    case Op::fence:
      for (Mask m = mask; m != 0; m &= m - 1)
        memory_.release(first_ + std::countr_zero(m), in.scope);
      return memory_.acquire(in.scope);
    case Op::proxy_fence:
      return;
    case Op::load:
    case Op::store:
    case Op::atomic:
    case Op::load_reduce:
    case Op::multicast_store:
    case Op::multicast_reduce:
      return access(in, mask);
    default:
      return compute(in, mask, registers_);
  }
}

bool Warp::branch(const Instruction& in, Mask group) {
  const Mask taken = guarded(in, group);
  for (Mask m = group; m != 0; m &= m - 1) {
    const int t = std::countr_zero(m);
    std::int32_t& at = at_[static_cast<std::size_t>(t)];
    at = (taken >> t & 1) != 0 ? in.target : at + 1;
  }
  return taken == 0;  // all go on to the next
}

void Warp::park_at_vote(const Instruction& in, Mask mask) {
  at_vote_ |= mask;
  for (Mask m = mask; m != 0; m &= m - 1) {
    const int t = std::countr_zero(m);
    if ((at_vote_ >> t & 1) == 0) continue;  // voted with an earlier one
    const auto voters = static_cast<Mask>(registers_.at(in.of[1])[t]);
    if ((voters >> t & 1) == 0) throw std::runtime_error("a vote without one of its voters");
    if ((voters & ~alive_) != 0) throw std::runtime_error("a vote of threads that have ended");
    if ((voters & ~at_vote_) == 0) finish_vote(in, voters);
  }
}

void Warp::finish_vote(const Instruction& in, Mask voters) {
  const std::int32_t here = at_[static_cast<std::size_t>(std::countr_zero(voters))];
  for (Mask m = voters; m != 0; m &= m - 1) {
    if (at_[static_cast<std::size_t>(std::countr_zero(m))] != here) {
      throw std::runtime_error("threads vote together at different instructions");
    }
  }
  for (Mask m = at_vote_; m != 0; m &= m - 1) {
    const int t = std::countr_zero(m);
    const auto theirs = static_cast<Mask>(registers_.at(in.of[1])[t]);
    const bool here_too = at_[static_cast<std::size_t>(t)] == here && (theirs & voters) != 0;
    if (here_too && theirs != voters)
      throw std::runtime_error("threads vote together with different masks");
  }
  const bool votes = in.op != Op::meet_warp;
  const Mask set = votes ? true_in(in.of[0], voters) : 0;
  const bool result = in.op == Op::vote_all ? set == voters : set != 0;
  for (Mask m = voters; m != 0; m &= m - 1) {
    const int t = std::countr_zero(m);
    if (votes) registers_.at(in.to[0])[t] = result ? 1 : 0;
    ++at_[static_cast<std::size_t>(t)];
  }
  at_vote_ &= ~voters;
}

void Warp::check_aligned() const {
  std::int32_t at = -1;
  for (Mask m = at_barrier_; m != 0; m &= m - 1) {
    const std::int32_t own = at_[static_cast<std::size_t>(std::countr_zero(m))];
    if (at != -1 && own != at)
      throw std::runtime_error("threads of a warp at different barriers: " + where());
    at = own;
  }
}

bool Warp::all_there() const {
  for (Mask m = at_barrier_; m != 0; m &= m - 1) {
    const int t = std::countr_zero(m);
    const Instruction& in =
        code_.instructions[static_cast<std::size_t>(at_[static_cast<std::size_t>(t)])];
    if (in.op != Op::barrier && registers_.at(in.of[0])[t] == 0) return false;
  }
  return true;
}
bool Warp::any_there() const {
  for (Mask m = at_barrier_; m != 0; m &= m - 1) {
    const int t = std::countr_zero(m);
    const Instruction& in =
        code_.instructions[static_cast<std::size_t>(at_[static_cast<std::size_t>(t)])];
    if (in.op != Op::barrier && registers_.at(in.of[0])[t] != 0) return true;
  }
  return false;
}

void Warp::leave_barrier(bool all, bool any) {
  for (Mask m = at_barrier_; m != 0; m &= m - 1) {
    const int t = std::countr_zero(m);
    std::int32_t& at = at_[static_cast<std::size_t>(t)];
    const Instruction& in = code_.instructions[static_cast<std::size_t>(at)];
    if (in.op != Op::barrier)
      registers_.at(in.to[0])[t] = (in.op == Op::barrier_all ? all : any) ? 1 : 0;
    ++at;
  }
  at_barrier_ = 0;
}

std::string Warp::where() const {
  std::string text;
  std::int32_t seen = -1;
  for (Mask m = alive_; m != 0; m &= m - 1) {
    const int t = std::countr_zero(m);
    const std::int32_t at = at_[static_cast<std::size_t>(t)];
    if (at == seen) continue;
    seen = at;
    text += "thread " + std::to_string(first_ + t) + " at \"" +
            code_.lines[static_cast<std::size_t>(
                code_.instructions[static_cast<std::size_t>(at)].line)] +
            "\" ";
  }
  return text;
}

}  // namespace fabricast::ptx
