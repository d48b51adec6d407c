#include "emulator/sim/jitter_sweep.hpp"

#include <algorithm>
#include <array>

#include "emulator/sim/lane_step.hpp"
#include "emulator/sim/lane_stream.hpp"
#include "emulator/sim/member_clocks.hpp"

namespace fabricast {
namespace {

using MemberKeys = std::array<std::uint64_t, wired_members>;

// Factors of the members.
using FactorRow = std::array<std::uint32_t, wired_members>;

template <class Scale>
[[gnu::always_inline]] inline void scale(const WiredCosts& own, const FactorRow& mine,
                                         const FactorRow& message, Scale scaled_by,
                                         MemberCosts& costs) {
  // A receiver that takes up lines as they come starts before the end (semantics 3.9): what it is
  // ahead by is no way, and is not drawn.
  const std::int64_t latency = std::max<std::int64_t>(own[latency_cost], 0);
  const std::int64_t latency_back = std::min<std::int64_t>(own[latency_cost], 0);
  for (std::size_t m = 0; m < wired_members; ++m) {
    costs[0][m] = scaled_by(own[lane_cost], mine[m]);
    costs[1][m] = scaled_by(own[port_cost], message[m]);
    costs[2][m] = latency_back + scaled_by(latency, message[m]);
    costs[3][m] = own[credit_cost];
  }
}

[[gnu::always_inline]] inline void draw(const FactorTable& table, const MemberKeys& keys,
                                        std::uint64_t step, const WiredStep& own,
                                        MemberCosts& costs) {
  alignas(64) FactorRow mine, message;
  for (std::size_t m = 0; m < wired_members; ++m) {
    const std::uint64_t word = mix64(step ^ keys[m]);
    mine[m] = static_cast<std::uint32_t>(table.factor(word >> 32));
    message[m] = static_cast<std::uint32_t>(table.factor(word & 0xffffffffu));
  }
  const WiredCosts& of = own.costs;
  if (is_word(of[lane_cost]) && is_word(of[port_cost]) &&
      is_word(std::max<std::int64_t>(of[latency_cost], 0))) {
    const auto by_word = [](std::int64_t ps, std::uint32_t factor) {
      return scaled_word(static_cast<std::uint32_t>(ps), factor);
    };
    scale(of, mine, message, by_word, costs);
  } else {
    const auto by_any = [](std::int64_t ps, std::uint32_t factor) { return scaled(ps, factor); };
    scale(of, mine, message, by_any, costs);
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
  DrawnSource(const WiredProgram& program, const FactorTable& table, const MemberKeys& keys,
              InstructionSet set)
      : table_(table),
        keys_(keys),
        draw_(draw_kernel(set)),
        next_(static_cast<std::size_t>(program.lanes), 0) {}

  const MemberCosts& costs(const WiredPlace& place) {
    const std::int64_t n = next_[static_cast<std::size_t>(place.lane)]++;
    draw_(table_, keys_, step_key(place.lane, n), place.step, costs_);
    return costs_;
  }

 private:
  const FactorTable& table_;
  MemberKeys keys_;
  DrawKernel draw_;
  std::vector<std::int64_t> next_;  // number of the next step, by lane
  alignas(64) MemberCosts costs_{};
};

// The steps of one turn, each with its draw, W members at a time.
template <int W>
[[gnu::always_inline]] inline void advance_drawn(const FactorTable& table, const MemberKeys& keys,
                                                 const LaneTurn& turn) {
  constexpr int members = wired_members;
  alignas(64) MemberCosts costs;
  std::int64_t n = turn.first_round * static_cast<std::int64_t>(turn.places.size());
  for (std::int32_t round = 0; round < turn.rounds; ++round) {
    for (std::size_t s = 0; s < turn.places.size(); ++s) {
      draw(table, keys, step_key(turn.lane, n++), turn.steps[s], costs);
      const LanePlace& place = turn.places[s];
      for (int m = 0; m < members; m += W) {
        const std::int64_t slot = std::int64_t{round} * members + m;
        auto lane = load<W>(turn.clock + m);
        auto port = load<W>(turn.port + m);
        advance_step<W, members>(lane, port, costs.front().data() + m,
                                 place.in != nullptr ? place.in + slot : nullptr,
                                 place.out != nullptr ? place.out + slot : nullptr);
        store<W>(turn.clock + m, lane);
        store<W>(turn.port + m, port);
      }
    }
  }
}

using TurnKernel = void (*)(const FactorTable&, const MemberKeys&, const LaneTurn&);

void advance_drawn_baseline(const FactorTable& table, const MemberKeys& keys,
                            const LaneTurn& turn) {
  advance_drawn<2>(table, keys, turn);
}

#if defined(__x86_64__)
[[gnu::target("avx2,bmi2")]] void advance_drawn_v3(const FactorTable& table, const MemberKeys& keys,
                                                   const LaneTurn& turn) {
  advance_drawn<4>(table, keys, turn);
}

[[gnu::target("avx2,bmi2,avx512f,avx512dq,avx512vl,prefer-vector-width=512")]] void
advance_drawn_v4(const FactorTable& table, const MemberKeys& keys, const LaneTurn& turn) {
  advance_drawn<8>(table, keys, turn);
}
#endif

TurnKernel turn_kernel(InstructionSet set) {
#if defined(__x86_64__)
  if (set == InstructionSet::x86_64_v3) return advance_drawn_v3;
  if (set == InstructionSet::x86_64_v4) return advance_drawn_v4;
#endif
  static_cast<void>(set);
  return advance_drawn_baseline;
}

class DrawnTurns final : public LaneKernel {
 public:
  DrawnTurns(const FactorTable& table, const MemberKeys& keys, InstructionSet set)
      : table_(table), keys_(keys), kernel_(turn_kernel(set)) {}
  void advance(const LaneTurn& turn) override { kernel_(table_, keys_, turn); }

 private:
  const FactorTable& table_;
  MemberKeys keys_;
  TurnKernel kernel_;
};

struct PassOutcome {
  std::vector<std::int64_t> ends_ps;  // by member
  std::int64_t updates = 0;           // of each
  std::int64_t state_bytes = 0;
};

PassOutcome pass(const WiredProgram& program, const FactorTable& table, const MemberKeys& keys,
                 std::int32_t loops, std::int32_t slices, InstructionSet set) {
  if (LaneStream::applies(program)) {
    DrawnTurns kernel(table, keys, set);
    LaneStream lanes(program, loops, slices, wired_members, kernel);
    lanes.run();
    return {lanes.ends_ps(), lanes.updates(), lanes.state_bytes()};
  }
  DrawnSource source(program, table, keys, set);
  MemberClocks<DrawnSource> clocks(set, source);
  WiredRun<MemberClocks<DrawnSource>> run(program, loops, slices, false, clocks);
  run.run();
  const MemberRow ends = member_makespans(run);
  return {{ends.begin(), ends.end()}, run.updates(), run.state_bytes()};
}

}  // namespace

ManyOutcome jitter_sweep(const WiredProgram& program, const FactorTable& table,
                         std::span<const std::uint64_t> keys, std::int32_t loops,
                         std::int32_t slices, InstructionSet set) {
  ManyOutcome result;
  for (std::size_t first = 0; first < keys.size(); first += wired_members) {
    const auto members = keys.subspan(first, std::min(wired_members, keys.size() - first));
    MemberKeys all{};  // places without a member repeat the first
    for (std::size_t m = 0; m < wired_members; ++m) all[m] = members[m < members.size() ? m : 0];
    const PassOutcome outcome = pass(program, table, all, loops, slices, set);
    result.makespan_ps.insert(
        result.makespan_ps.end(), outcome.ends_ps.begin(),
        outcome.ends_ps.begin() + static_cast<std::ptrdiff_t>(members.size()));
    result.updates += outcome.updates * static_cast<std::int64_t>(members.size());
    result.state_bytes = outcome.state_bytes;
  }
  return result;
}

}  // namespace fabricast
