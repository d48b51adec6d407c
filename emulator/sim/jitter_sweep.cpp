#include "emulator/sim/jitter_sweep.hpp"

#include <algorithm>
#include <array>

#include "emulator/sim/member_clocks.hpp"

namespace fabricast {
namespace {

class DrawnSource {
 public:
  DrawnSource(const WiredProgram& program, const FactorTable& table,
              std::span<const std::uint64_t> keys)
      : table_(table), next_(static_cast<std::size_t>(program.lanes), 0) {
    // Places without a member repeat the first.
    for (std::size_t m = 0; m < wired_members; ++m) keys_[m] = keys[m < keys.size() ? m : 0];
  }

  const MemberCosts& costs(const WiredPlace& place) {
    const std::uint64_t key =
        step_key(place.lane, next_[static_cast<std::size_t>(place.lane)]++);
    const WiredStep& step = place.step;
    for (std::size_t m = 0; m < wired_members; ++m) {
      const std::uint64_t word = mix64(key ^ keys_[m]);
      const std::int64_t own = table_.factor(static_cast<std::uint32_t>(word >> 32));
      const std::int64_t message = table_.factor(static_cast<std::uint32_t>(word));
      costs_[0][m] = scaled(step.lane, own);
      costs_[1][m] = scaled(step.port, message);
      costs_[2][m] = scaled(step.latency, message);
      costs_[3][m] = step.credit;
    }
    return costs_;
  }

 private:
  const FactorTable& table_;
  std::array<std::uint64_t, wired_members> keys_{};
  std::vector<std::int64_t> next_;  // number of the next step, by lane
  MemberCosts costs_{};
};

}  // namespace

ManyOutcome jitter_sweep(const WiredProgram& program, const FactorTable& table,
                         std::span<const std::uint64_t> keys, std::int32_t loops,
                         std::int32_t slices, InstructionSet set) {
  ManyOutcome result;
  for (std::size_t first = 0; first < keys.size(); first += wired_members) {
    const auto members = keys.subspan(first, std::min(wired_members, keys.size() - first));
    DrawnSource source(program, table, members);
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
