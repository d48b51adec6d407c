// The closed form against the sweep: random groups, kinds of pairs, classes of positions, costs and
// slices; and the machines of the library, partly filled ones and ones of unlike nodes too.
#include "emulator/sim/pairwise_exchange.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "emulator/base/counter_rng.hpp"
#include "emulator/cost/case_builder.hpp"
#include "emulator/cost/position_keys.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/sim/predict.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : seed_(seed) {}
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return random_int(seed_, 0, next_++, low, high);
  }

 private:
  std::uint64_t seed_, next_ = 0;
};

// A whole parted at random into positions, or into groups of few shapes, which are parted in turn;
// groups without parts have random kinds of pairs. Positions are of one class or of several: in
// blocks, in turns or at random. With a period above 1 the sizes of parts are multiples of it but
// for the smallest, and kinds between them may depend on labels that come round with it.
class RandomExchange final : public StepCosts, public CostsOfExchange {
 public:
  explicit RandomExchange(std::uint64_t seed, std::size_t classes = 1, std::int32_t period = 1)
      : draw_(seed), classes_(classes), unit_(period) {
    using Parts = ExchangeGroup::Parts;
    std::vector<ExchangeGroup>& groups = costs_.groups.groups;
    groups.emplace_back();
    groups[0].between = any_kind();
    const std::int64_t parts = draw_.between(unit_ > 1 ? 2 : 0, 9);
    if (parts < 2) {
      groups[0].parts = parts == 0 ? Parts::none : Parts::positions;
      groups[0].end = static_cast<std::int32_t>(draw_.between(2, 9));
    } else {
      part_whole();
    }
    const auto n = static_cast<std::size_t>(positions());
    kinds_.assign(n * n, 0);
    fill_kinds(0);
    copy_alike();
    if (classes_ > 1) draw_classes();
    costs_.kinds_of_pairs = [this](std::int32_t x, std::int32_t y, std::span<std::uint16_t> out) {
      for (std::uint16_t& each : out) each = static_cast<std::uint16_t>(kind(x, y++));
    };
    const std::int64_t most = draw_.between(0, 1) == 0 ? 5 : 1000;  // ties, or none
    const auto all_kinds = kinds * static_cast<std::int64_t>(classes_ * classes_);
    for (std::int64_t k = 0; k < all_kinds; ++k) {
      costs_.send_lane.push_back(draw_.between(0, most));
      costs_.send_port.push_back(draw_.between(0, most));
      costs_.send_latency.push_back(draw_.between(-costs_.send_lane.back(), 3 * most));
      costs_.receive_lane.push_back(draw_.between(0, most));
    }
    copy_ = draw_.between(0, 2 * most);
  }

  std::int32_t positions() const { return costs_.groups.groups.front().end; }

  void fill(int stage, int, int phase, std::int32_t k, CostRows rows) const override {
    const std::int32_t n = positions();
    for (std::int32_t x = 0; x < n; ++x) {
      const auto at = static_cast<std::size_t>(x);
      rows.lane[at] = rows.port[at] = rows.latency[at] = rows.credit[at] = 0;
      if (stage == 0) {
        rows.lane[at] = copy_;
      } else if (phase == 0) {
        const std::size_t kind = charged(x, (x + k + 1) % n);
        rows.lane[at] = costs_.send_lane[kind];
        rows.port[at] = costs_.send_port[kind];
        rows.latency[at] = costs_.send_latency[kind];
      } else {
        rows.lane[at] = costs_.receive_lane[charged(x, (x - k - 1 + n) % n)];
        rows.credit[at] = 5;  // nobody waits for it
      }
    }
  }
  std::optional<ExchangeCosts> exchange_costs(int, int, int, int) const override { return costs_; }

 private:
  static constexpr std::int64_t kinds = 4;

  std::size_t any_kind() { return static_cast<std::size_t>(draw_.between(0, kinds - 1)); }
  std::size_t& kind_at(std::int32_t x, std::int32_t y) {
    return kinds_[static_cast<std::size_t>(x) * static_cast<std::size_t>(positions()) +
                  static_cast<std::size_t>(y)];
  }
  std::size_t kind(std::int32_t x, std::int32_t y) const {
    return kinds_[static_cast<std::size_t>(x) * static_cast<std::size_t>(positions()) +
                  static_cast<std::size_t>(y)];
  }

  std::size_t charged(std::int32_t x, std::int32_t y) const {
    const auto& classes = costs_.groups.classes;
    if (classes.empty()) return kind(x, y);
    const std::size_t of_x = classes[static_cast<std::size_t>(x)];
    return (of_x * classes_ + classes[static_cast<std::size_t>(y)]) * kinds + kind(x, y);
  }

  void draw_classes() {
    const auto n = static_cast<std::size_t>(positions());
    costs_.groups.class_count = classes_;
    const std::int64_t how = draw_.between(0, 2);
    const auto length = static_cast<std::size_t>(draw_.between(1, positions() / 2));
    for (std::size_t x = 0; x < n; ++x) {
      const auto any =
          static_cast<std::size_t>(draw_.between(0, static_cast<std::int64_t>(classes_) - 1));
      const std::size_t of_x = how == 0   ? std::min(x / length, classes_ - 1)
                               : how == 1 ? x / length % classes_
                                          : any;
      costs_.groups.classes.push_back(static_cast<std::uint8_t>(of_x));
    }
    auto& groups = costs_.groups.groups;  // no parts are alike
    for (std::size_t g = 0; g < groups.size(); ++g) groups[g].alike_to = static_cast<int>(g);
  }

  // Parts of the whole: of a new size, or alike to an earlier one.
  void part_whole() {
    auto& groups = costs_.groups.groups;
    groups[0].parts = ExchangeGroup::Parts::groups;
    groups[0].first = 1;
    groups[0].last = 1 + static_cast<std::int32_t>(draw_.between(2, 5));
    std::int32_t begin = 0;
    for (std::int32_t g = 1; g < groups[0].last; ++g) {
      ExchangeGroup part;
      part.begin = begin;
      part.alike_to = g;
      std::int64_t size = unit_ * draw_.between(1, unit_ > 1 ? 4 : 9);
      if (g > 1 && classes_ == 1 && draw_.between(0, 1) == 0) {
        const auto like = static_cast<std::size_t>(draw_.between(1, g - 1));
        part.alike_to = groups[like].alike_to;
        size = groups[like].end - groups[like].begin;
      }
      part.end = begin = begin + static_cast<std::int32_t>(size);
      groups.push_back(part);
    }
    groups[0].end = begin;
    draw_pattern(groups[0]);
    for (std::size_t g = 1; g < groups.size(); ++g) {
      if (groups[g].alike_to == static_cast<std::int32_t>(g) ||
          static_cast<std::int32_t>(g) >= groups[0].last) {
        part_further(g);
      }
    }
  }

  void part_further(std::size_t g) {
    auto& groups = costs_.groups.groups;
    ExchangeGroup group = groups[g];
    group.between = any_kind();
    const std::int32_t size = group.end - group.begin;
    const std::int64_t parts = draw_.between(0, 3);
    if (parts == 0) group.parts = ExchangeGroup::Parts::positions;
    const bool in_units = size > unit_ && draw_.between(0, 1) == 0;
    const std::int32_t unit = in_units ? unit_ : 1;
    if (parts > 1 && size > 2) {
      group.parts = ExchangeGroup::Parts::groups;
      group.first = static_cast<std::int32_t>(groups.size());
      for (std::int32_t begin = group.begin; begin < group.end;) {
        ExchangeGroup part;
        part.begin = begin;
        const auto most = (size - 1) / unit;
        part.end = begin = std::min<std::int32_t>(
            group.end, begin + unit * static_cast<std::int32_t>(draw_.between(1, most)));
        part.alike_to = static_cast<std::int32_t>(groups.size());
        groups.push_back(part);
      }
      group.last = static_cast<std::int32_t>(groups.size());
      if (in_units) draw_pattern(group);
    }
    groups[g] = group;
  }

  // Of parts that are multiples of the unit: labels that all occur, or none.
  void draw_pattern(ExchangeGroup& group) {
    if (unit_ == 1 || draw_.between(0, 3) == 0) return;
    ExchangePattern pattern;
    pattern.count = static_cast<std::size_t>(draw_.between(2, unit_));
    pattern.labels.clear();
    for (std::int32_t x = 0; x < unit_; ++x) {
      const auto label = x < static_cast<std::int32_t>(pattern.count)
                             ? x
                             : draw_.between(0, static_cast<std::int64_t>(pattern.count) - 1);
      pattern.labels.push_back(static_cast<std::uint8_t>(label));
    }
    group.pattern = costs_.groups.patterns.size();
    group.between_unlike = any_kind();
    costs_.groups.patterns.push_back(std::move(pattern));
  }

  void fill_kinds(std::size_t g) {
    const ExchangeGroup group = costs_.groups.groups[g];
    for (std::int32_t x = group.begin; x < group.end; ++x) {
      for (std::int32_t y = group.begin; y < x; ++y) {
        const bool random = group.parts == ExchangeGroup::Parts::none;
        const auto& labels = costs_.groups.patterns[group.pattern].labels;
        const auto label = [&](std::int32_t at) {
          return labels[static_cast<std::size_t>(at) % labels.size()];
        };
        const std::size_t between = label(x) == label(y) ? group.between : group.between_unlike;
        kind_at(x, y) = kind_at(y, x) = random ? any_kind() : between;
      }
    }
    for (std::int32_t part = group.first; part < group.last; ++part) {
      fill_kinds(static_cast<std::size_t>(part));
    }
  }

  void copy_alike() {
    const auto& groups = costs_.groups.groups;
    for (std::int32_t g = groups[0].first; g < groups[0].last; ++g) {
      const ExchangeGroup& to = groups[static_cast<std::size_t>(g)];
      const ExchangeGroup& from = groups[static_cast<std::size_t>(to.alike_to)];
      for (std::int32_t x = 0; x < to.end - to.begin; ++x) {
        for (std::int32_t y = 0; y < to.end - to.begin; ++y) {
          kind_at(to.begin + x, to.begin + y) = kind(from.begin + x, from.begin + y);
        }
      }
    }
  }

  Random draw_;
  std::size_t classes_;
  std::int32_t unit_;
  ExchangeCosts costs_;
  std::vector<std::size_t> kinds_;  // [x][y]
  std::int64_t copy_ = 0;
};

void expect_the_sweep(std::size_t classes, std::int32_t period = 1) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const RandomExchange costs(seed, classes, period);
    Schedule schedule = pairwise_all_to_all({costs.positions(), 1});
    schedule.fifo_depth = 8;
    const auto slices = static_cast<std::int32_t>(1 + seed % 8);
    const auto closed = pairwise_exchange(schedule, costs, 1, slices);
    ASSERT_TRUE(closed.has_value());
    const SweepResult swept = sweep(schedule, costs, {1, slices, false, true, {}});
    ASSERT_EQ(closed->makespan.value(), swept.makespan.value())
        << "seed " << seed << ", " << costs.positions() << " positions, " << slices << " slices";
    ASSERT_EQ(closed->messages, swept.messages);
    ASSERT_EQ(closed->stages.size(), swept.stages.size());
    for (std::size_t s = 0; s < swept.stages.size(); ++s) {
      EXPECT_EQ(closed->stages[s].start_ps, swept.stages[s].start_ps) << "seed " << seed;
      EXPECT_EQ(closed->stages[s].end_ps, swept.stages[s].end_ps) << "seed " << seed;
    }
  }
}

TEST(PairwiseExchange, EqualsTheSweepOnRandomGroups) { expect_the_sweep(1); }

TEST(PairwiseExchange, EqualsTheSweepOnRandomGroupsOfSeveralClasses) {
  expect_the_sweep(2);
  expect_the_sweep(3);
}

TEST(PairwiseExchange, EqualsTheSweepOnLabelsThatComeRound) {
  for (const std::int32_t period : {2, 3, 5}) {
    SCOPED_TRACE(period);
    expect_the_sweep(1, period);
    expect_the_sweep(2, period);
  }
}

// Classes in turns cost as much as there are turns.
TEST(PairwiseExchange, IsLeftToTheSweepWhereClassesComeInManyTurns) {
  ExchangeGroups groups;
  groups.groups.emplace_back();
  groups.groups[0].end = 100'000;
  groups.groups[0].parts = ExchangeGroup::Parts::positions;
  EXPECT_LT(exchange_work(groups), most_exchange_work);
  groups.class_count = 2;
  for (std::size_t x = 0; x < 100'000; ++x) groups.classes.push_back(x < 50'000 ? 0 : 1);
  EXPECT_LT(exchange_work(groups), most_exchange_work);
  for (std::size_t x = 0; x < 100'000; ++x) groups.classes[x] = x / 8 % 2 == 0 ? 0 : 1;
  EXPECT_GT(exchange_work(groups), most_exchange_work);
}

// Rails that nothing joins, and leaves of one rail each under a spine.
TEST(PairwiseExchange, NeedsNoPairsOneByOneWhereRailsComeRound) {
  for (const char* name : {"rail-only-h100x256", "hgx-h100x1260"}) {
    const auto machine = with_ranks(load_machine(name), 2048);
    std::vector<std::int32_t> ranks(2048);
    std::iota(ranks.begin(), ranks.end(), 0);
    const PositionKeys keys(*machine, ranks);
    const ExchangeGroups& groups = keys.exchange_groups();
    EXPECT_GT(groups.patterns.size(), 1u) << name;
    EXPECT_LT(exchange_work(groups), 2048.0 * 2048 / 8) << name;
  }
}

TEST(PairwiseExchange, IsLeftToTheSweepWhereMessagesMayWait) {
  const RandomExchange costs(1);
  Schedule schedule = pairwise_all_to_all({costs.positions(), 1});
  schedule.fifo_depth = 2;
  EXPECT_TRUE(pairwise_exchange(schedule, costs, 1, 2).has_value());
  EXPECT_FALSE(pairwise_exchange(schedule, costs, 1, 3).has_value());
  EXPECT_FALSE(pairwise_exchange(schedule, costs, 2, 1).has_value());
  EXPECT_FALSE(is_pairwise_exchange(grouped_all_to_all({2, 2})));
}

// Rails of three nodes come round too seldom to be a pattern: all pairs one by one would be more
// than a period of them.
TEST(PairwiseExchange, IsLeftToOnePeriodWhereThatIsLess) {
  const auto machine = with_ranks(load_machine("rail-only-h100x256"), 24);
  Forward forward(*machine);
  PointSpec point;
  point.collective = Collective::all_to_all;
  point.algorithm = "pairwise";
  point.bytes = std::int64_t{machine->ranks()} << 10;
  const auto made = forward.build(values_of(prior_profile(*machine, ExecutorKind::nccl)), point);
  const SweepResult swept = evaluate_channel(made, 0, {});
  const std::int64_t pairs = std::int64_t{machine->ranks()} * machine->ranks();
  EXPECT_NE(swept.fold_note.find("one period"), std::string::npos) << swept.fold_note;
  EXPECT_LT(swept.updates, pairs);
}

// Returns the slices of a message.
std::int32_t expect_the_sweep(const Topology& machine, std::int64_t bytes) {
  Forward forward(machine);
  const auto values = values_of(prior_profile(machine, ExecutorKind::nccl));
  PointSpec point;
  point.collective = Collective::all_to_all;
  point.algorithm = "pairwise";
  point.protocol = Protocol::simple;
  point.bytes = bytes;
  const CollectiveCase made = forward.build(values, point);
  const auto closed = evaluate_case(made, {});
  EngineOptions plain;
  plain.fold = false;
  EXPECT_EQ(closed.time.value(), evaluate_case(made, plain).time.value())
      << machine.name() << ", " << machine.ranks() << " ranks, " << bytes << " bytes";
  EXPECT_EQ(closed.channels.front().fold_note, "a pairwise exchange in closed form") << bytes;
  return made.plan.slices;
}

TEST(PairwiseExchange, EqualsTheSweepOnPartlyFilledMachines) {
  struct Row {
    const char* machine;
    std::int32_t ranks;
  };
  for (const Row& row : {Row{"hgx-h100x1260", 1096}, Row{"gb300-nvl72x140", 72 * 11},
                         Row{"gb300-nvl72x140", 72 * 19}, Row{"coreweave-estate", 8 * 131},
                         Row{"rail-only-h100x256", 8 * 83}}) {
    const auto machine = with_ranks(load_machine(row.machine), row.ranks);
    expect_the_sweep(*machine, std::int64_t{row.ranks} * 64);
    expect_the_sweep(*machine, std::int64_t{row.ranks} << 20);
  }
}

// Boxes of three kinds in blocks, and of two in turns, under two levels of switches; rails that
// share a leaf leave groups without parts.
TEST(PairwiseExchange, EqualsTheSweepOnUnlikeNodes) {
  const std::string slow = "nic: {bandwidth: [200 Gbit/s, assumed, t]}";
  const std::string blocks =
      "  - {node: hgx-h200, count: [7, assumed, t], " + slow + "}\n" +
      "  - {count: [3, assumed, t], nic: {bandwidth: [100 Gbit/s, assumed, t]}}\n";
  std::string turns;
  for (int turn = 0; turn < 5; ++turn) {
    turns += "  - {node: hgx-h200, count: [1, assumed, t], " + slow + "}\n" +
             "  - {count: [2, assumed, t]}\n";
  }
  for (const std::string& others : {blocks, turns}) {
    for (const char* rails : {"8", "2"}) {
      const auto machine = parse_machine(
          std::string("name: m\ntitle: m\nkind: nested\nnode: hgx-h100\ncount: [9, assumed, t]\n") +
              "channels: [8, assumed, t]\nfabric:\n  kind: rail_fat_tree\n  name: roce\n" +
              "  nic: {bandwidth: [400 Gbit/s, assumed, t], latency: [3 us, assumed, t]}\n" +
              "  rails: [" + rails + ", assumed, t]\n  radix: [32, assumed, t]\n" +
              "  tiers: [3, assumed, t]\n  hop_latency: [0.5 us, assumed, t]\n" +
              "  domains_per_leaf: [2, assumed, t]\nothers:\n" + others,
          "m.yaml");
      ASSERT_GT(machine->kinds(), 1);
      std::int32_t slices = 0;
      for (const std::int64_t of_rank : {1 << 6, 1 << 16, 1 << 20, 1 << 22}) {
        slices = expect_the_sweep(*machine, of_rank * machine->ranks());
      }
      EXPECT_GT(slices, 1);
    }
  }
}

}  // namespace
}  // namespace fabricast
