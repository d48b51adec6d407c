#include "tests/ptx_device/machine.hpp"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <memory>
#include <random>
#include <stdexcept>
#include <thread>

#include "tests/ptx_device/warp.hpp"

namespace fabricast::ptx {
namespace {

constexpr std::size_t resident_ctas = 512;  // more than a cooperative grid may have
constexpr int longest_turn = 256;           // instructions of a warp

class Cta {
 public:
  Cta(const Kernel& kernel, const Grid& grid, Dim3 block, const std::vector<std::uint64_t>& pool,
      std::uint64_t seed)
      : block_(block), memory_(kernel.shared_bytes + grid.dynamic_shared_bytes, seed) {
    const auto threads = static_cast<int>(grid.threads.x * grid.threads.y * grid.threads.z);
    for (int first = 0; first < threads; first += warp_size) {
      warps_.emplace_back(kernel, grid, block, first, threads, memory_, pool);
    }
  }
  Cta(const Cta&) = delete;
  Cta& operator=(const Cta&) = delete;

  // A turn of one of its warps; false if none can run.
  bool turn(std::minstd_rand& random) {
    memory_.pass_time();
    const std::size_t start = random() % warps_.size();
    for (std::size_t w = 0; w < warps_.size(); ++w) {
      Warp& warp = warps_[(start + w) % warps_.size()];
      if (!warp.can_run()) continue;
      warp.run(1 + static_cast<int>(random() % longest_turn));
      pass_barrier();
      return true;
    }
    return false;
  }

  bool over() const {
    return std::all_of(warps_.begin(), warps_.end(), [](const Warp& w) { return w.alive() == 0; });
  }
  CtaMemory& memory() { return memory_; }
  Dim3 block() const { return block_; }
  std::string where() const {
    for (const Warp& w : warps_) {
      if (w.alive() != 0) return w.where();
    }
    return "";
  }

 private:
  // Threads that have ended are not waited for.
  void pass_barrier() {
    bool any_waits = false, all = true, any = false;
    for (const Warp& w : warps_) {
      if (w.alive() != w.at_barrier()) return;
      any_waits = any_waits || w.at_barrier() != 0;
      all = all && w.all_there();
      any = any || w.any_there();
    }
    if (!any_waits) return;
    for (const Warp& w : warps_) w.check_aligned();
    memory_.barrier();
    for (Warp& w : warps_) w.leave_barrier(all, any);
  }

  Dim3 block_;
  CtaMemory memory_;
  std::deque<Warp> warps_;
};

// Seeds that follow each other give streams that follow each other: they are mixed first.
std::uint64_t mixed(std::uint64_t seed) {
  seed += 0x9E3779B97F4A7C15;
  seed = (seed ^ seed >> 30) * 0xBF58476D1CE4E5B9;
  seed = (seed ^ seed >> 27) * 0x94D049BB133111EB;
  return seed ^ seed >> 31;
}

// FABRICAST_PTX_SEED: another interleaving.
std::uint64_t seed() {
  const char* text = std::getenv("FABRICAST_PTX_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 1;
}

using Ctas = std::vector<std::unique_ptr<Cta>>;

// Now and then a CTA stands still for as long as others take for some steps, so that what it has
// stored and not released is missed by those who need it; soonest where it has just told them.
class Held {
 public:
  // The CTA `which` of those running, or the next one if it stands still.
  std::size_t pass_over(std::size_t which, const Ctas& running, std::minstd_rand& random) {
    if (quiet_ > 0) --quiet_;
    if (turns_ == 0 && random() % (1024 * running.size()) == 0) {
      hold(*running[which], running.size(), random);
    }
    if (turns_ == 0) return which;
    --turns_;
    return running[which].get() == held_ ? (which + 1) % running.size() : which;
  }
  void hold(const Cta& cta, std::size_t ctas, std::minstd_rand& random) {
    if (turns_ > 0 || quiet_ > 0) return;
    held_ = &cta;
    turns_ = 1 + random() % (512 * ctas);
    quiet_ = 3 * turns_;
  }
  void let_go() { turns_ = 0; }

 private:
  const Cta* held_ = nullptr;
  std::size_t turns_ = 0;
  static thread_local std::size_t quiet_;  // turns, of later kernels too: it costs time
};
thread_local std::size_t Held::quiet_ = 0;

std::string name_of(const Kernel& kernel, Dim3 block) {
  return " (kernel " + kernel.name + ", CTA " + std::to_string(block.x) + ")";
}

}  // namespace

void run(const Kernel& kernel, const Grid& grid) {
  const auto pool = Registers::pool_of(*kernel.code);
  const std::size_t all = std::size_t{grid.blocks.x} * grid.blocks.y * grid.blocks.z;
  std::minstd_rand random(static_cast<std::minstd_rand::result_type>(mixed(seed())));
  Ctas running;
  Held held;
  std::deque<CtaMemory> ended;
  std::size_t next = 0;
  unsigned turns = 0;
  std::size_t idle = 0;  // CTAs in a row that could not run
  while (next < all || !running.empty()) {
    while (next < all && running.size() < resident_ctas) {
      const Dim3 block{static_cast<unsigned>(next % grid.blocks.x),
                       static_cast<unsigned>(next / grid.blocks.x % grid.blocks.y),
                       static_cast<unsigned>(next / grid.blocks.x / grid.blocks.y)};
      running.push_back(std::make_unique<Cta>(kernel, grid, block, pool, mixed(random())));
      ++next;
    }
    if (idle > 0) held.let_go();
    const std::size_t which = idle > 0 ? idle % running.size()
                                       : held.pass_over(random() % running.size(), running, random);
    Cta& cta = *running[which];
    try {
      idle = cta.turn(random) ? 0 : idle + 1;
      if (idle > 2 * running.size())
        throw std::runtime_error("threads wait for threads that never come: " + cta.where());
      if (cta.memory().overtaken()) held.hold(cta, running.size(), random);
      cta.memory().forget_overtaking();
    } catch (const std::exception& e) {
      throw std::runtime_error(e.what() + name_of(kernel, cta.block()));
    }
    if (cta.over()) {
      // What it stored plainly and did not release may stay unseen until the grid has ended.
      ended.push_back(std::move(running[which]->memory()));
      if (ended.size() > resident_ctas) {
        ended.front().send_all();
        ended.pop_front();
      }
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(which));
      idle = 0;
    }
    if (++turns % 16 == 0) {
      for (CtaMemory& memory : ended) memory.pass_time();
    }
    if (turns % 1024 == 0) std::this_thread::yield();  // others' kernels, on few cores
  }
  for (CtaMemory& memory : ended) memory.send_all();
}

}  // namespace fabricast::ptx
