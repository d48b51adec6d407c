// Threads that start a piece of work together and are timed from that common start.
//
// Created once; the caller is member 0, so a team of n keeps n cores busy. Between runs the others
// spin shortly and then sleep. run() first wakes everybody and waits until all spin at the gate;
// only then is the clock read and the gate opened. Used from one thread; bodies must not throw.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace fabricast {

// Spins, then yields: on dedicated cores waiting costs no system call, on shared ones it lets the
// awaited thread run.
class SpinThenYield {
 public:
  explicit SpinThenYield(int spins) : spins_(spins) {}
  void reset() { count_ = 0; }
  bool operator()();  // true if it yielded

 private:
  int spins_;
  int count_ = 0;
};

class ThreadTeam {
 public:
  // `pin` binds member i to the i-th CPU of the affinity mask (only if there are enough).
  ThreadTeam(std::int32_t members, int spins_before_yield, bool pin);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  std::int32_t members() const { return members_; }
  // body(i) on every member i at once; seconds from the common start to the last end.
  double run(const std::function<void(std::int32_t)>& body);

 private:
  struct alignas(128) EndTime {
    std::int64_t ns = 0;
  };
  void work(std::int32_t member);
  void pin_to(std::int32_t member) const;

  std::int32_t members_;
  int spins_;
  std::vector<int> cpus_;     // non-empty: pinned
  std::vector<int> restore_;  // the caller's mask
  const std::function<void(std::int32_t)>* body_ = nullptr;
  std::vector<EndTime> ends_;
  alignas(128) std::atomic<std::uint32_t> woken_{0};
  alignas(128) std::atomic<std::uint32_t> gate_{0};
  alignas(128) std::atomic<std::int32_t> ready_{0};
  alignas(128) std::atomic<std::int32_t> done_{0};
  std::atomic<bool> leave_{false};
  std::vector<std::thread> threads_;
};

}  // namespace fabricast
