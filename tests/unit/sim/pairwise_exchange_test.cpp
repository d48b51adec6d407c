// The closed form against the sweep: random groups, kinds of pairs, costs and slices; and
// the machines of the library, partly filled ones too.
#include "emulator/sim/pairwise_exchange.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "emulator/base/counter_rng.hpp"
#include "emulator/cost/case_builder.hpp"
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

// Groups of few shapes in a row, each with random kinds of pairs.
class RandomExchange final : public StepCosts, public CostsOfExchange {
 public:
  explicit RandomExchange(std::uint64_t seed) {
    Random draw(seed);
    constexpr std::int64_t kinds = 3;
    struct Shape {
      std::int32_t members = 0;
      std::vector<std::size_t> kinds;  // [x * members + y]
      std::int32_t first = -1;         // group of this shape
    };
    std::vector<Shape> shapes(static_cast<std::size_t>(draw.between(1, 3)));
    for (Shape& shape : shapes) {
      shape.members = static_cast<std::int32_t>(draw.between(1, 6));
      const auto n = static_cast<std::size_t>(shape.members);
      shape.kinds.resize(n * n);
      for (std::size_t x = 0; x < n; ++x) {
        for (std::size_t y = 0; y < x; ++y) {
          shape.kinds[x * n + y] = shape.kinds[y * n + x] =
              static_cast<std::size_t>(draw.between(0, kinds - 1));
        }
      }
    }
    const std::int64_t groups = draw.between(2, 6);
    costs_.groups.begin.push_back(0);
    for (std::int32_t g = 0; g < groups; ++g) {
      Shape& shape = shapes[static_cast<std::size_t>(
          draw.between(0, static_cast<std::int64_t>(shapes.size()) - 1))];
      if (shape.first < 0) shape.first = g;
      costs_.groups.alike_to.push_back(shape.first);
      for (std::int32_t x = 0; x < shape.members; ++x) places_.push_back({g, x, shape.members});
      costs_.groups.begin.push_back(static_cast<std::int32_t>(places_.size()));
      kinds_.push_back(shape.kinds);
    }
    costs_.far = kinds;
    costs_.kind_of_pair = [this](std::int32_t x, std::int32_t y) { return kind(x, y); };
    const std::int64_t most = draw.between(0, 1) == 0 ? 5 : 1000;  // ties, or none
    for (std::int64_t k = 0; k <= kinds; ++k) {
      costs_.send_lane.push_back(draw.between(0, most));
      costs_.send_port.push_back(draw.between(0, most));
      costs_.send_latency.push_back(draw.between(-costs_.send_lane.back(), 3 * most));
      costs_.receive_lane.push_back(draw.between(0, most));
    }
    copy_ = draw.between(0, 2 * most);
  }

  std::int32_t positions() const { return static_cast<std::int32_t>(places_.size()); }

  void fill(int stage, int, int phase, std::int32_t k, CostRows rows) const override {
    const std::int32_t n = positions();
    for (std::int32_t x = 0; x < n; ++x) {
      const auto at = static_cast<std::size_t>(x);
      rows.lane[at] = rows.port[at] = rows.latency[at] = rows.credit[at] = 0;
      if (stage == 0) {
        rows.lane[at] = copy_;
      } else if (phase == 0) {
        const std::size_t kind = this->kind(x, (x + k + 1) % n);
        rows.lane[at] = costs_.send_lane[kind];
        rows.port[at] = costs_.send_port[kind];
        rows.latency[at] = costs_.send_latency[kind];
      } else {
        rows.lane[at] = costs_.receive_lane[kind(x, (x - k - 1 + n) % n)];
        rows.credit[at] = 5;  // nobody waits for it
      }
    }
  }
  std::optional<ExchangeCosts> exchange_costs(int, int, int, int) const override { return costs_; }

 private:
  struct Place {
    std::int32_t group, member, members;
  };
  std::size_t kind(std::int32_t x, std::int32_t y) const {
    const Place& a = places_[static_cast<std::size_t>(x)];
    const Place& b = places_[static_cast<std::size_t>(y)];
    if (a.group != b.group) return costs_.far;
    return kinds_[static_cast<std::size_t>(a.group)]
                 [static_cast<std::size_t>(a.member * a.members + b.member)];
  }

  ExchangeCosts costs_;
  std::vector<Place> places_;
  std::vector<std::vector<std::size_t>> kinds_;  // by group
  std::int64_t copy_ = 0;
};

TEST(PairwiseExchange, EqualsTheSweepOnRandomGroups) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const RandomExchange costs(seed);
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

TEST(PairwiseExchange, IsLeftToTheSweepWhereMessagesMayWait) {
  const RandomExchange costs(1);
  Schedule schedule = pairwise_all_to_all({costs.positions(), 1});
  schedule.fifo_depth = 2;
  EXPECT_TRUE(pairwise_exchange(schedule, costs, 1, 2).has_value());
  EXPECT_FALSE(pairwise_exchange(schedule, costs, 1, 3).has_value());
  EXPECT_FALSE(pairwise_exchange(schedule, costs, 2, 1).has_value());
  EXPECT_FALSE(is_pairwise_exchange(grouped_all_to_all({2, 2})));
}

TEST(PairwiseExchange, EqualsTheSweepOnPartlyFilledMachines) {
  struct Row {
    const char* machine;
    std::int32_t ranks;
  };
  for (const Row& row : {Row{"hgx-h100x1260", 1096}, Row{"gb300-nvl72x140", 72 * 11},
                         Row{"gb300-nvl72x140", 72 * 19}}) {
    const auto machine = with_ranks(load_machine(row.machine), row.ranks);
    Forward forward(*machine);
    const auto values = values_of(prior_profile(*machine, ExecutorKind::nccl));
    for (const std::int64_t bytes : {std::int64_t{row.ranks} * 64, std::int64_t{row.ranks} << 20}) {
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
          << row.machine << ", " << row.ranks << " ranks, " << bytes << " bytes";
      EXPECT_EQ(closed.channels.front().fold_note, "a pairwise exchange in closed form");
    }
  }
}

}  // namespace
}  // namespace fabricast
