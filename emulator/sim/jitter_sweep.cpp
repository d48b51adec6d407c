#include "emulator/sim/jitter_sweep.hpp"

#include <algorithm>
#include <array>

#include "emulator/sim/member_clocks.hpp"

namespace fabricast {
namespace {

using MemberKeys = std::array<std::uint64_t, wired_members>;

[[gnu::always_inline]] inline void draw(const FactorTable& table, const MemberKeys& keys,
                                        std::uint64_t step, const WiredStep& own,
                                        MemberCosts& costs) {
  // A receiver that takes up lines as they come starts before the end (semantics 3.9): what it is
  // ahead by is no way, and is not drawn.
  const std::int64_t latency = std::max<std::int64_t>(own.costs[latency_cost], 0);
  const std::int64_t latency_back = std::min<std::int64_t>(own.costs[latency_cost], 0);
  MemberRow mine{}, message{};
  for (std::size_t m = 0; m < wired_members; ++m) {
    const std::uint64_t word = mix64(step ^ keys[m]);
    mine[m] = table.factor(word >> 32);
    message[m] = table.factor(word & 0xffffffffu);
  }
  for (std::size_t m = 0; m < wired_members; ++m) {
    costs[0][m] = scaled(own.costs[lane_cost], mine[m]);
    costs[1][m] = scaled(own.costs[port_cost], message[m]);
    costs[2][m] = latency_back + scaled(latency, message[m]);
    costs[3][m] = own.costs[credit_cost];
  }
}

using DrawKernel = void (*)(const FactorTable&, const MemberKeys&, std::uint64_t, const WiredStep&,
                            MemberCosts&);

void draw_baseline(const FactorTable& table, const MemberKeys& keys, std::uint64_t step,
                   const WiredStep& own, MemberCosts& costs) {
  draw(table, keys, step, own, costs);
}

#if defined(__x86_64__)
[[gnu::target("avx2,bmi2")]] void draw_v3(const FactorTable& table, const MemberKeys& keys,
                                          std::uint64_t step, const WiredStep& own,
                                          MemberCosts& costs) {
  draw(table, keys, step, own, costs);
}

[[gnu::target("avx2,bmi2,avx512f,avx512dq,avx512vl,prefer-vector-width=512")]] void draw_v4(
    const FactorTable& table, const MemberKeys& keys, std::uint64_t step, const WiredStep& own,
    MemberCosts& costs) {
  draw(table, keys, step, own, costs);
}
#endif

DrawKernel draw_kernel(InstructionSet set) {
#if defined(__x86_64__)
  if (set == InstructionSet::x86_64_v3) return draw_v3;
  if (set == InstructionSet::x86_64_v4) return draw_v4;
#endif
  static_cast<void>(set);
  return draw_baseline;
}

class DrawnSource {
 public:
  static constexpr bool costs_stay = false;
  DrawnSource(const WiredProgram& program, const FactorTable& table,
              std::span<const std::uint64_t> keys, InstructionSet set)
      : table_(table), draw_(draw_kernel(set)), next_(static_cast<std::size_t>(program.lanes), 0) {
    // Places without a member repeat the first.
    for (std::size_t m = 0; m < wired_members; ++m) keys_[m] = keys[m < keys.size() ? m : 0];
  }

  const MemberCosts& costs(const WiredPlace& place) {
    const std::int64_t n = next_[static_cast<std::size_t>(place.lane)]++;
    draw_(table_, keys_, step_key(place.lane, n), place.step, costs_);
    return costs_;
  }

 private:
  const FactorTable& table_;
  DrawKernel draw_;
  MemberKeys keys_{};
  std::vector<std::int64_t> next_;  // number of the next step, by lane
  alignas(64) MemberCosts costs_{};
};

}  // namespace

ManyOutcome jitter_sweep(const WiredProgram& program, const FactorTable& table,
                         std::span<const std::uint64_t> keys, std::int32_t loops,
                         std::int32_t slices, InstructionSet set) {
  ManyOutcome result;
  for (std::size_t first = 0; first < keys.size(); first += wired_members) {
    const auto members = keys.subspan(first, std::min(wired_members, keys.size() - first));
    DrawnSource source(program, table, members, set);
    MemberClocks<DrawnSource> clocks(set, source);
    WiredRun<MemberClocks<DrawnSource>> run(program, loops, slices, false, clocks);
    run.run();
    const MemberRow ends = member_makespans(run);
    result.makespan_ps.insert(result.makespan_ps.end(), ends.begin(),
                              ends.begin() + static_cast<std::ptrdiff_t>(members.size()));
    result.updates += run.updates() * static_cast<std::int64_t>(members.size());
    result.state_bytes = run.state_bytes();
  }
  return result;
}

}  // namespace fabricast
