#include "emulator/sim/ensemble.hpp"

#include <algorithm>

#include "emulator/sim/jitter_sweep.hpp"

namespace fabricast {

Ensemble::Ensemble(const CollectiveCase& made, const FactorTable& table, std::uint64_t seed,
                   InstructionSet set)
    : made_(made), table_(table), seed_(seed), set_(set) {
  for (const ChannelClass& channels : made.channel_classes) {
    const auto front = static_cast<std::size_t>(channels.representative);
    programs_.push_back(wire(*made.plan.channels[front].schedule, *channels.costs));
  }
}

std::vector<std::int64_t> Ensemble::times_ps(std::int32_t first_member, std::int32_t count) {
  std::vector<std::int64_t> slowest(static_cast<std::size_t>(count), 0);
  std::vector<std::uint64_t> keys(slowest.size());
  for (std::size_t c = 0; c < programs_.size(); ++c) {
    for (const std::int32_t channel : made_.channel_classes[c].channels) {
      for (std::size_t m = 0; m < keys.size(); ++m) {
        keys[m] = member_key(seed_, first_member + static_cast<std::int64_t>(m), channel);
      }
      const ManyOutcome outcome =
          jitter_sweep(programs_[c], table_, keys, made_.plan.loops, made_.plan.slices, set_);
      updates_ += outcome.updates;
      for (std::size_t m = 0; m < keys.size(); ++m) {
        slowest[m] = std::max(slowest[m], outcome.makespan_ps[m]);
      }
    }
  }
  for (std::int64_t& time : slowest) time += made_.launch.value();  // semantics 3.7
  return slowest;
}

}  // namespace fabricast
