#include "emulator/sim/row_kernels.hpp"

namespace fabricast {
namespace {

template <bool receives, bool sends>
[[gnu::always_inline]] inline void advance_run(const RowStep& step, const ColumnRun& run) {
  const std::int64_t* __restrict ready_in = step.ready_in + run.begin + run.in_delta;
  const std::int64_t* __restrict credit_in = step.credit_in + run.begin + run.out_delta;
  std::int64_t* __restrict ready_out = step.ready_out + run.begin;
  std::int64_t* __restrict credit_out = step.credit_out + run.begin;
  std::int64_t* __restrict lane = step.lane + run.begin;
  std::int64_t* __restrict port = step.port + run.begin;
  const std::int64_t* __restrict lane_cost = step.lane_cost + run.begin;
  const std::int64_t* __restrict port_cost = step.port_cost + run.begin;
  const std::int64_t* __restrict latency = step.latency + run.begin;
  const std::int64_t* __restrict credit_cost = step.credit_cost + run.begin;
  for (std::int32_t i = 0; i < run.count; ++i) {
    std::int64_t start = lane[i];
    if constexpr (receives) start = start > ready_in[i] ? start : ready_in[i];
    if constexpr (sends) start = start > credit_in[i] ? start : credit_in[i];
    const std::int64_t end = start + lane_cost[i];
    lane[i] = end;
    if constexpr (receives) credit_out[i] = end + credit_cost[i];
    if constexpr (sends) {
      const std::int64_t sent = (port[i] > start ? port[i] : start) + port_cost[i];
      port[i] = sent;
      ready_out[i] = (end > sent ? end : sent) + latency[i];
    }
  }
}

// All senders first: their rows are long, the receivers' runs may be a few columns only. Where
// there is one slice, nothing is read of others: rows do not fit into the nearest cache.
template <bool several_slices>
[[gnu::always_inline]] inline void exchange(const RowExchange& step,
                                            std::span<const ColumnRun> runs) {
  const auto larger = [](std::int64_t a, std::int64_t b) { return a > b ? a : b; };
  std::int64_t* __restrict lane = step.lane;
  std::int64_t* __restrict port = step.port;
  std::int64_t* __restrict first = step.first_ready;
  std::int64_t* __restrict last = step.last_ready;
  const std::int64_t* __restrict lane_first = step.lane_first;
  const std::int64_t* __restrict lane_rest = step.lane_rest;
  const std::int64_t* __restrict port_first = step.port_first;
  const std::int64_t* __restrict port_rest = step.port_rest;
  const std::int64_t* __restrict latency = step.latency;
  for (std::int32_t i = 0; i < step.columns; ++i) {
    std::int64_t end = lane[i] + lane_first[i];
    std::int64_t sent = larger(lane[i], port[i]) + port_first[i];
    first[i] = larger(end, sent) + latency[i];
    if constexpr (several_slices) {
      end += lane_rest[i];
      // A port that has waited for its lane is free before the lane is, which is all that counts.
      sent += port_rest[i];
      last[i] = larger(end, sent) + latency[i];
    }
    lane[i] = end;
    port[i] = sent;
  }
  for (const ColumnRun& run : runs) {
    std::int64_t* __restrict receiver = step.receiver + run.begin;
    const std::int64_t* __restrict receive_first = step.receive_first + run.begin;
    const std::int64_t* __restrict receive_rest = step.receive_rest + run.begin;
    const std::int64_t* __restrict from_first = first + run.begin + run.in_delta;
    const std::int64_t* __restrict from_last = last + run.begin + run.in_delta;
    for (std::int32_t i = 0; i < run.count; ++i) {
      std::int64_t busy = larger(receiver[i], from_first[i]);
      if constexpr (several_slices) busy = larger(busy + receive_rest[i], from_last[i]);
      receiver[i] = busy + receive_first[i];
    }
  }
}

template <bool several_slices>
void exchange_baseline(const RowExchange& step, std::span<const ColumnRun> runs) {
  exchange<several_slices>(step, runs);
}

template <bool receives, bool sends>
void advance_baseline(const RowStep& step, std::span<const ColumnRun> runs) {
  for (const ColumnRun& run : runs) advance_run<receives, sends>(step, run);
}

#if defined(__x86_64__)
template <bool receives, bool sends>
[[gnu::target("avx2,bmi2")]] void advance_v3(const RowStep& step, std::span<const ColumnRun> runs) {
  for (const ColumnRun& run : runs) advance_run<receives, sends>(step, run);
}

template <bool receives, bool sends>
[[gnu::target("avx2,bmi2,avx512f,avx512dq,avx512vl,prefer-vector-width=512")]] void advance_v4(
    const RowStep& step, std::span<const ColumnRun> runs) {
  for (const ColumnRun& run : runs) advance_run<receives, sends>(step, run);
}

template <bool several_slices>
[[gnu::target("avx2,bmi2")]] void exchange_v3(const RowExchange& step,
                                              std::span<const ColumnRun> runs) {
  exchange<several_slices>(step, runs);
}

template <bool several_slices>
[[gnu::target("avx2,bmi2,avx512f,avx512dq,avx512vl,prefer-vector-width=512")]] void exchange_v4(
    const RowExchange& step, std::span<const ColumnRun> runs) {
  exchange<several_slices>(step, runs);
}
#endif

template <bool receives, bool sends>
RowKernel select(InstructionSet set) {
#if defined(__x86_64__)
  if (set == InstructionSet::x86_64_v3) return advance_v3<receives, sends>;
  if (set == InstructionSet::x86_64_v4) return advance_v4<receives, sends>;
#endif
  static_cast<void>(set);
  return advance_baseline<receives, sends>;
}

template <bool several_slices>
ExchangeKernel select_exchange(InstructionSet set) {
#if defined(__x86_64__)
  if (set == InstructionSet::x86_64_v3) return exchange_v3<several_slices>;
  if (set == InstructionSet::x86_64_v4) return exchange_v4<several_slices>;
#endif
  static_cast<void>(set);
  return exchange_baseline<several_slices>;
}

}  // namespace

RowKernel row_kernel(InstructionSet set, bool receives, bool sends) {
  if (receives) return sends ? select<true, true>(set) : select<true, false>(set);
  return sends ? select<false, true>(set) : select<false, false>(set);
}

ExchangeKernel exchange_kernel(InstructionSet set, bool several_slices) {
  return several_slices ? select_exchange<true>(set) : select_exchange<false>(set);
}

}  // namespace fabricast
