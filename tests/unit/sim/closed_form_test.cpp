#include "emulator/sim/closed_form.hpp"

#include <gtest/gtest.h>

#include "emulator/base/error.hpp"
#include "emulator/schedule/algorithms/algorithms.hpp"
#include "emulator/sim/naive.hpp"
#include "emulator/sim/sweep.hpp"
#include "tests/unit/sim/constant_costs.hpp"

namespace fabricast {
namespace {

struct Published {
  std::int32_t ranks;
  double milliseconds;
};

// T = 2(N-1)/N S/B + 2(N-1) L for S = 2^30 B, B = 50e9 B/s, L = 500 ns; LogGOPSim agrees to 4-5
// digits.
class PublishedRing : public testing::TestWithParam<Published> {};

TEST_P(PublishedRing, ClosedFormAndSweepAgree) {
  const auto [ranks, milliseconds] = GetParam();
  const std::int64_t bytes = std::int64_t{1} << 30;
  const Bandwidth bandwidth(50'000'000'000);
  const SimDuration latency(500 * ps_per_ns);
  EXPECT_NEAR(alpha_beta_ring_us(Collective::all_reduce, ranks, bytes, bandwidth, latency) / 1e3,
              milliseconds, 0.0006);

  const Schedule schedule = ring_all_reduce({ranks});
  // Picoseconds of S/N bytes, rounded: whole-byte chunks would be up to 1 B larger.
  const auto port = static_cast<std::int64_t>(static_cast<double>(bytes) / ranks * 20.0 + 0.5);
  const MessageCosts costs{0, port, latency.value(), 0};
  const SweepResult result = sweep(schedule, ConstantCosts(schedule, costs), {});
  EXPECT_NEAR(to_us(result.makespan) / 1e3, milliseconds, 0.0006);
  EXPECT_EQ(result.classes, 1);
  EXPECT_EQ(result.makespan, closed_form_ring(Collective::all_reduce, ranks, costs, 8));
}

INSTANTIATE_TEST_SUITE_P(Sizes, PublishedRing,
                         testing::Values(Published{8, 37.588}, Published{72, 42.424},
                                         Published{256, 43.037}, Published{1024, 43.931},
                                         Published{4096, 47.034}, Published{10008, 52.952}));

TEST(ClosedForm, RingEqualsNaive) {
  const MessageCosts cases[] = {
      {300, 700, 50, 20}, {700, 300, 50, 0}, {5, 0, 0, 30}, {0, 9, 4, 70}};
  for (const MessageCosts& costs : cases) {
    for (const std::int32_t p : {2, 3, 8, 13}) {
      const Schedule reduce = ring_all_reduce({p});
      const Schedule gather = ring_all_gather({p});
      const Schedule scatter = ring_reduce_scatter({p});
      EXPECT_EQ(closed_form_ring(Collective::all_reduce, p, costs, 8),
                naive_makespan(reduce, ConstantCosts(reduce, costs), 1, 1));
      EXPECT_EQ(closed_form_ring(Collective::all_gather, p, costs, 8),
                naive_makespan(gather, ConstantCosts(gather, costs), 1, 1));
      EXPECT_EQ(closed_form_ring(Collective::reduce_scatter, p, costs, 8),
                naive_makespan(scatter, ConstantCosts(scatter, costs), 1, 1));
    }
  }
}

TEST(ClosedForm, NoRingFormWhenCreditsBind) {
  const MessageCosts slow_credit{10, 10, 10, 500};
  EXPECT_FALSE(closed_form_ring(Collective::all_reduce, 8, slow_credit, 8).has_value());
  const Schedule schedule = ring_all_reduce({64});
  const auto time = naive_makespan(schedule, ConstantCosts(schedule, slow_credit), 1, 1);
  EXPECT_GT(time.value(), 2 * 63 * 20 + 10);
}

TEST(ClosedForm, PairwiseEqualsNaive) {
  const MessageCosts cases[] = {{300, 700, 50, 20}, {700, 300, 50, 0}, {10, 5, 1000, 0}};
  for (const MessageCosts& costs : cases) {
    for (const std::int64_t receive : {0, 40, 900}) {
      for (const std::int32_t p : {1, 2, 7, 24}) {
        const Schedule schedule = pairwise_all_to_all({p});
        EXPECT_EQ(closed_form_pairwise(p, costs, receive, 33),
                  naive_makespan(schedule, ConstantCosts(schedule, costs, receive, 33), 1, 1));
      }
    }
  }
}

// Costs by the size of the message, everywhere alike.
class SizedStepCosts final : public StepCosts {
 public:
  SizedStepCosts(const Schedule& schedule, const SizedCosts& costs, std::int64_t local)
      : flat_(flatten(schedule)), space_(schedule.space), costs_(costs), local_(local) {}
  void fill(int stage, int group, int phase, std::int32_t k, CostRows rows) const override {
    for (const FlatPhase& flat : flat_) {
      if (flat.stage != stage || flat.group != group || flat.index != phase) continue;
      const std::int64_t chunks = flat.phase->chunk.count;
      const MessageCosts send = costs_.of(chunks);
      for (std::size_t x = 0; x < rows.lane.size(); ++x) {
        const bool runs = executes(flat, space_, static_cast<std::int32_t>(x), k);
        const std::int64_t lane = flat.sends      ? send.lane
                                  : flat.receives ? costs_.receiving(chunks)
                                                  : local_;
        rows.lane[x] = runs ? lane : 0;
        rows.port[x] = runs && flat.sends ? send.port : 0;
        rows.latency[x] = runs && flat.sends ? send.latency : 0;
        rows.credit[x] = runs && flat.receives ? send.credit : 0;
      }
    }
  }

 private:
  std::vector<FlatPhase> flat_;
  RankSpace space_;
  SizedCosts costs_;
  std::int64_t local_;
};

const SizedCosts sized_cases[] = {{{300, 0, 50, 20}, {7, 11, 0, 1}, 40, 3},
                                  {{10, 900, 5, 0}, {20, 1, 0, 0}, 700, 0},
                                  {{0, 0, 1000, 70}, {0, 3, 0, 0}, 0, 9}};

TEST(ClosedForm, HypercubesEqualNaive) {
  for (const SizedCosts& costs : sized_cases) {
    for (std::int32_t p = 2; p <= 40; ++p) {
      const Schedule halving = halving_doubling_all_reduce({p});
      EXPECT_EQ(closed_form_halving_doubling(p, costs),
                naive_makespan(halving, SizedStepCosts(halving, costs, 0), 1, 1))
          << p;
      const Schedule doubling = doubling_all_reduce({p});
      const auto form = closed_form_doubling(p, costs);
      EXPECT_EQ(form.has_value(), (p & (p - 1)) == 0);
      if (!form) continue;
      EXPECT_EQ(*form, naive_makespan(doubling, SizedStepCosts(doubling, costs, 0), 1, 1)) << p;
    }
  }
}

TEST(ClosedForm, PatEqualsNaive) {
  for (const SizedCosts& costs : sized_cases) {
    for (std::int32_t p = 2; p <= 40; ++p) {
      const Schedule gather = pat_all_gather({p});
      EXPECT_EQ(closed_form_pat(Collective::all_gather, p, costs, 17),
                naive_makespan(gather, SizedStepCosts(gather, costs, 17), 1, 1))
          << p;
      const Schedule scatter = pat_reduce_scatter({p});
      EXPECT_EQ(closed_form_pat(Collective::reduce_scatter, p, costs, 17),
                naive_makespan(scatter, SizedStepCosts(scatter, costs, 17), 1, 1))
          << p;
    }
  }
}

TEST(ClosedForm, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW(closed_form_ring(Collective::broadcast, 8, {}, 8), UsageError);
}

}  // namespace
}  // namespace fabricast
