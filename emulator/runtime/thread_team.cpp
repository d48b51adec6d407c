#include "emulator/runtime/thread_team.hpp"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <chrono>

#include "emulator/runtime/usable_cores.hpp"

namespace fabricast {
namespace {

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void bind_this_thread(const std::vector<int>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(static_cast<std::size_t>(cpu), &set);
  // Best effort: a failure leaves the thread where the system puts it.
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

}  // namespace

bool SpinThenYield::operator()() {
  if (++count_ <= spins_) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
    return false;
  }
  sched_yield();
  return true;
}

ThreadTeam::ThreadTeam(std::int32_t members, int spins_before_yield, bool pin)
    : members_(members), spins_(spins_before_yield), ends_(static_cast<std::size_t>(members)) {
  if (pin) {
    auto cpus = affinity_cpus();
    if (cpus.size() >= static_cast<std::size_t>(members)) {
      restore_ = cpus;
      cpus_ = std::move(cpus);
      pin_to(0);
    }
  }
  for (std::int32_t member = 1; member < members; ++member) {
    threads_.emplace_back([this, member] { work(member); });
  }
}

ThreadTeam::~ThreadTeam() {
  leave_.store(true, std::memory_order_relaxed);
  woken_.fetch_add(1, std::memory_order_release);
  woken_.notify_all();
  for (auto& thread : threads_) thread.join();
  if (!restore_.empty()) bind_this_thread(restore_);
}

void ThreadTeam::pin_to(std::int32_t member) const {
  bind_this_thread({cpus_[static_cast<std::size_t>(member)]});
}

void ThreadTeam::work(std::int32_t member) {
  if (!cpus_.empty()) pin_to(member);
  std::uint32_t last = 0;
  for (;;) {
    SpinThenYield pause(spins_);
    std::uint32_t woken = woken_.load(std::memory_order_acquire);
    for (int i = 0; woken == last && i < spins_; ++i) {
      pause();
      woken = woken_.load(std::memory_order_acquire);
    }
    if (woken == last) {
      woken_.wait(last, std::memory_order_acquire);
      continue;
    }
    last = woken;
    if (leave_.load(std::memory_order_relaxed)) return;
    ready_.fetch_add(1, std::memory_order_release);
    pause.reset();
    while (gate_.load(std::memory_order_acquire) != last) pause();
    (*body_)(member);
    ends_[static_cast<std::size_t>(member)].ns = now_ns();
    done_.fetch_add(1, std::memory_order_release);
  }
}

double ThreadTeam::run(const std::function<void(std::int32_t)>& body) {
  body_ = &body;
  ready_.store(0, std::memory_order_relaxed);
  done_.store(0, std::memory_order_relaxed);
  const std::uint32_t generation = woken_.fetch_add(1, std::memory_order_release) + 1;
  woken_.notify_all();
  SpinThenYield pause(spins_);
  while (ready_.load(std::memory_order_acquire) != members_ - 1) pause();
  const std::int64_t start = now_ns();
  gate_.store(generation, std::memory_order_release);
  body(0);
  ends_[0].ns = now_ns();
  pause.reset();
  while (done_.load(std::memory_order_acquire) != members_ - 1) pause();
  std::int64_t end = start;
  for (const auto& e : ends_) end = std::max(end, e.ns);
  return static_cast<double>(end - start) * 1e-9;
}

}  // namespace fabricast
