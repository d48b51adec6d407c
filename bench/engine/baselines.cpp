#include "bench/engine/baselines.hpp"

#include <algorithm>
#include <cstring>
#include <ctime>

#include "emulator/base/counter_rng.hpp"
#include "emulator/base/units.hpp"

namespace fabricast {
namespace {

struct Rows {
  std::int32_t columns;
  std::int64_t* __restrict lane;
  std::int64_t* __restrict port;
  const std::int64_t* __restrict ready_in;
  std::int64_t* __restrict ready_out;
  std::int64_t* __restrict credit;  // of the slot: read one column on, then written
  const std::int64_t* __restrict lane_cost;
  const std::int64_t* __restrict port_cost;
  const std::int64_t* __restrict latency;
  const std::int64_t* __restrict credit_cost;
};

// Column x receives from x - 1 and takes a slot that x + 1 has freed (docs/semantics.md 3). Rows
// have a copy of the last column before the first, and of the first behind the last.
[[gnu::always_inline]] inline void plain_step(const Rows& rows) {
#pragma GCC ivdep
  for (std::int32_t x = 0; x < rows.columns; ++x) {
    const std::int64_t start =
        std::max(std::max(rows.lane[x], rows.credit[x + 1]), rows.ready_in[x - 1]);
    const std::int64_t end = start + rows.lane_cost[x];
    const std::int64_t port = std::max(rows.port[x], start) + rows.port_cost[x];
    rows.lane[x] = end;
    rows.port[x] = port;
    rows.credit[x] = end + rows.credit_cost[x];
    rows.ready_out[x] = std::max(port, end) + rows.latency[x];
  }
}

void step_baseline(const Rows& rows) { plain_step(rows); }
#if defined(__x86_64__)
[[gnu::target("avx2,bmi2")]] void step_v3(const Rows& rows) { plain_step(rows); }
[[gnu::target("avx2,bmi2,avx512f,avx512dq,avx512vl,prefer-vector-width=512")]] void step_v4(
    const Rows& rows) {
  plain_step(rows);
}
#endif

double thread_seconds() {
  std::timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

PlainRing::PlainRing(std::int32_t columns, std::int32_t depth) : columns_(columns), depth_(depth) {
  const auto n = static_cast<std::size_t>(columns);
  for (auto* row : {&lane_, &port_}) row->assign(n, 0);
  for (auto* row : {&ready_in_, &ready_out_}) row->assign(n + 2, 0);
  credit_.assign(static_cast<std::size_t>(depth) * (n + 2), 0);
  std::uint64_t which = 0;
  for (auto* costs : {&lane_cost_, &port_cost_, &latency_, &credit_cost_}) {
    for (std::size_t x = 0; x < n; ++x) {
      costs->push_back(random_int(1, which, x, 100 * ps_per_ns, ps_per_us));
    }
    ++which;
  }
}

std::int64_t PlainRing::advance(std::int64_t steps, InstructionSet set) {
  auto* step = step_baseline;
#if defined(__x86_64__)
  if (set == InstructionSet::x86_64_v3) step = step_v3;
  if (set == InstructionSet::x86_64_v4) step = step_v4;
#endif
  static_cast<void>(set);
  const auto n = static_cast<std::size_t>(columns_);
  const std::int64_t slack = depth_ - 1;  // one message is in flight
  for (std::int64_t end = done_ + steps; done_ < end; ++done_) {
    std::int64_t* credit = credit_.data() + static_cast<std::size_t>(done_ % slack) * (n + 2) + 1;
    credit[n] = credit[0];
    ready_in_[0] = ready_in_[n];
    step({columns_, lane_.data(), port_.data(), ready_in_.data() + 1, ready_out_.data() + 1, credit,
          lane_cost_.data(), port_cost_.data(), latency_.data(), credit_cost_.data()});
    ready_in_.swap(ready_out_);
  }
  return *std::max_element(lane_.begin(), lane_.end());
}

double copy_bytes_per_second(std::int64_t bytes) {
  const auto n = static_cast<std::size_t>(bytes);
  std::vector<char> from(n, 1), to(n, 2);
  double best = 0;
  for (int i = 0; i < 5; ++i) {
    const double begin = thread_seconds();
    std::memcpy(to.data(), from.data(), n);
    const double seconds = thread_seconds() - begin;
    from[0] = to[n - 1];
    best = std::max(best, 2.0 * static_cast<double>(bytes) / seconds);
  }
  return best;
}

}  // namespace fabricast
