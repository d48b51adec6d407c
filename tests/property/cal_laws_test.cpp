// Laws that every prediction obeys, over seeded random points of machines small enough to sweep.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "emulator/base/counter_rng.hpp"
#include "emulator/base/error.hpp"
#include "emulator/calibrate/calibrate.hpp"
#include "emulator/calibrate/predictor.hpp"
#include "emulator/cost/case_builder.hpp"
#include "emulator/cost/offered.hpp"
#include "emulator/profile/inventory.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

constexpr std::uint64_t seed = 20250917;

const char* const pcie_box = R"(name: pcie-box
title: Four cards behind PCIe
kind: single_node
gpus: [4, assumed, "a test"]
gpu: {name: L40S, generation: ampere}
interconnect:
  kind: pcie
  bandwidth: [32 GB/s, assumed, "a test"]
  latency: [300 ns, assumed, "a test"]
channels: [2, assumed, "a test"]
)";

const char* const host_of_four = R"(name: four-lanes
title: A host of four cores
kind: host
lanes: [4, assumed, "a test"]
processor:
  name: test core
  memory: [64 GB, assumed, "a test"]
  llc: [32 MB, assumed, "a test"]
interconnect:
  kind: shared_memory
  bandwidth: [20 GB/s, assumed, "a test"]
  latency: [100 ns, assumed, "a test"]
channels: [1, assumed, "a test"]
)";

// Eight boxes, two per leaf, with trunks three times too narrow at the leaf, or at the spine.
std::string narrow_cluster(int leaf, int core) {
  return R"(name: narrow
title: Eight boxes under narrow trunks
kind: nested
node: hgx-h100
count: [8, assumed, "a test"]
channels: [4, assumed, "a test"]
fabric:
  kind: rail_fat_tree
  name: infiniband
  nic:
    bandwidth: [400 Gbit/s, assumed, "a test"]
    latency: [2.8 us, assumed, "a test"]
  tiers: [3, assumed, "a test"]
  rails: [8, assumed, "a test"]
  radix: [16, assumed, "a test"]
  domains_per_leaf: [2, assumed, "a test"]
  hop_latency: [0.45 us, assumed, "a test"]
  oversubscription: [)" +
         std::to_string(leaf) + R"(, assumed, "a test"]
  core_oversubscription: [)" +
         std::to_string(core) + ", assumed, \"a test\"]\n";
}

struct Subject {
  std::shared_ptr<const Topology> topology;
  ExecutorKind executor;
};

// One machine per link kind and executor. A pod of hgx-h100x1260 is 128 boxes: 130 span two.
const std::vector<Subject>& subjects() {
  static const std::vector<Subject> all{
      {load_machine("hgx-h100"), ExecutorKind::nccl},
      {with_ranks(load_machine("hgx-h100x1260"), 8 * 130), ExecutorKind::nccl},
      {with_ranks(load_machine("gb300-nvl72x140"), 72 * 5), ExecutorKind::nccl},
      {parse_machine(narrow_cluster(3, 1), "test"), ExecutorKind::nccl},
      {parse_machine(narrow_cluster(1, 15), "test"), ExecutorKind::nccl},
      {parse_machine(pcie_box, "test"), ExecutorKind::nccl},
      {load_machine("hgx-h100"), ExecutorKind::cuda},
      {load_machine("hgx-h100"), ExecutorKind::peers},
      {parse_machine(pcie_box, "test"), ExecutorKind::peers},
      {parse_machine(host_of_four, "test"), ExecutorKind::host},
      {parse_machine(host_of_four, "test"), ExecutorKind::mpi}};
  return all;
}

// Every algorithm that the machine has, but for exchanges of a thousand ranks.
PointSpec random_point(const Subject& subject, std::uint64_t entity) {
  const auto draw = [entity](std::uint64_t index, std::int64_t high) {
    return static_cast<std::size_t>(random_int(seed, entity, index, 0, high));
  };
  PointSpec point;
  point.executor = subject.executor;
  const auto rows = algorithm_catalogue();
  for (std::uint64_t attempt = 0;; ++attempt) {
    const AlgorithmEntry& entry =
        rows[draw(10 * attempt + 9, static_cast<std::int64_t>(rows.size()) - 1)];
    point.collective = entry.collective;
    point.algorithm = entry.name;
    const bool large =
        entry.collective == Collective::all_to_all && subject.topology->ranks() > 400;
    if (!large &&
        why_not_offered(*subject.topology, subject.executor, point.collective, point.algorithm)
            .empty()) {
      break;
    }
  }
  const auto protocols =
      offered_protocols(*subject.topology, subject.executor, point.collective, point.algorithm);
  point.protocol = protocols[draw(5, static_cast<std::int64_t>(protocols.size()) - 1)];
  point.bytes = std::int64_t{1} << draw(6, 27);
  point.bytes += static_cast<std::int64_t>(draw(7, point.bytes));
  point.channels = static_cast<std::int32_t>(draw(8, 4));
  return point;
}

std::string describe(const Subject& subject, const PointSpec& point) {
  return subject.topology->name() + " " + std::string(to_string(point.executor)) + " " +
         std::string(to_string(point.collective)) + " " + point.algorithm + " " +
         std::string(to_string(point.protocol)) + " " + std::to_string(point.bytes) + " x" +
         std::to_string(point.channels);
}

template <class Check>
void for_points(int per_subject, Check check) {
  for (std::size_t s = 0; s < subjects().size(); ++s) {
    const Subject& subject = subjects()[s];
    const auto profile = prior_profile(*subject.topology, subject.executor);
    Forward forward(*subject.topology);
    for (int i = 0; i < per_subject; ++i) {
      const auto point = random_point(subject, 1000 * s + static_cast<std::uint64_t>(i));
      SCOPED_TRACE(describe(subject, point));
      check(subject, profile, forward, point);
    }
  }
}

void expect_within_capacity(const Subject& subject, const CalibrationProfile& profile,
                            Forward& forward, const PointSpec& point) {
  const auto made = forward.build(values_of(profile), point);
  const auto timed = forward.evaluate(made);
  EXPECT_GE(timed.time, made.bandwidth_bound);
  EXPECT_EQ(made.loads.empty(), subject.executor == ExecutorKind::cuda);
  const double seconds = to_seconds(timed.time - made.launch);
  for (const LinkLoad& load : made.loads) {
    EXPECT_LE(static_cast<double>(load.busiest_bytes),
              1.000001 * seconds * to_gb_per_s(load.capacity) * 1e9)
        << subject.topology->link_classes()[load.link_class.value()].name;
  }
}

TEST(PredictionLaws, TimeIsAtLeastTheBandwidthBoundAndNoLinkIsAboveCapacity) {
  for_points(20, expect_within_capacity);
}

// The same, for every algorithm of every machine and executor.
TEST(PredictionLaws, EveryAlgorithmStaysWithinCapacity) {
  int checked = 0;
  for (const Subject& subject : subjects()) {
    const auto profile = prior_profile(*subject.topology, subject.executor);
    Forward forward(*subject.topology);
    for (const AlgorithmEntry& entry : algorithm_catalogue()) {
      if (entry.collective == Collective::all_to_all && subject.topology->ranks() > 400) continue;
      PointSpec point;
      point.executor = subject.executor;
      point.collective = entry.collective;
      point.algorithm = entry.name;
      if (!why_not_offered(*subject.topology, subject.executor, entry.collective, entry.name)
               .empty()) {
        EXPECT_THROW(forward.build(values_of(profile), (point.bytes = 1 << 20, point)), UsageError);
        continue;
      }
      for (const Protocol protocol :
           offered_protocols(*subject.topology, subject.executor, entry.collective, entry.name)) {
        for (const std::int64_t bytes : {4096LL, 1LL << 20, 1LL << 28}) {
          point.protocol = protocol;
          point.bytes = bytes;
          SCOPED_TRACE(describe(subject, point));
          expect_within_capacity(subject, profile, forward, point);
          ++checked;
        }
      }
    }
  }
  EXPECT_GT(checked, 400);
}

// Euler: times and inverse rates are the only dimensions, so their elasticities sum to one. Where
// two paths are equally long within the step of the difference (a kink), the sum is off by what
// they differ in: rare, and bounded here.
TEST(PredictionLaws, ElasticitiesOfTimesAndRatesSumToOne) {
  int points = 0, exact = 0;
  for_points(12, [&](const Subject&, const CalibrationProfile& profile, Forward& forward,
                     const PointSpec& point) {
    double sum = 0;
    for (const Elasticity& e : forward.elasticities(values_of(profile), point)) {
      const ParameterSpec& spec = profile.find(e.id)->spec;
      EXPECT_GE(spec.sense == ParameterSense::cost ? e.value : -e.value, -1e-9) << e.id;
      if (spec.unit == "us" || spec.unit == "GB/s") sum += std::abs(e.value);
    }
    EXPECT_NEAR(sum, 1, 0.05);
    ++points;
    exact += std::abs(sum - 1) < 5e-3;
  });
  EXPECT_GE(exact, points * 9 / 10) << exact << " of " << points;
}

TEST(PredictionLaws, DearerCostsNeverMakeItFasterNorBetterRatesSlower) {
  for_points(6, [](const Subject&, const CalibrationProfile& profile, Forward& forward,
                   const PointSpec& point) {
    const auto values = values_of(profile);
    const SimDuration base = forward.time(values, point);
    for (const ParameterValue& parameter : profile.parameters) {
      auto moved = values;
      moved[parameter.spec.id] *= 1.7;
      const SimDuration time = forward.time(moved, point);
      if (parameter.spec.sense == ParameterSense::cost) {
        EXPECT_GE(time, base) << parameter.spec.id;
      } else {
        EXPECT_LE(time, base) << parameter.spec.id;
      }
    }
  });
}

// Within one cut of the message (channels, loops, slices, chunks): a larger one never takes less.
TEST(PredictionLaws, MoreBytesNeverTakeLessTime) {
  for_points(
      10, [](const Subject&, const CalibrationProfile& profile, Forward& forward, PointSpec point) {
        const auto values = values_of(profile);
        if (point.channels == 0) point.channels = 1;
        const auto small = forward.build(values, point);
        PointSpec larger = point;
        larger.bytes += point.bytes / 3 + 1;
        const auto large = forward.build(values, larger);
        const bool same_cut = small.plan.loops == large.plan.loops &&
                              small.plan.slices == large.plan.slices &&
                              small.plan.channels.front().schedule->chunks ==
                                  large.plan.channels.front().schedule->chunks;
        if (!same_cut) return;
        EXPECT_GE(forward.evaluate(large).time, forward.evaluate(small).time);
      });
}

// Symmetric ranks stand for each other, whatever the algorithm; and a thousand of them do not take
// long even where none do.
TEST(PredictionLaws, FoldedIsUnfoldedForEveryAlgorithm) {
  const auto racks = with_ranks(load_machine("gb300-nvl72x140"), 72 * 8);
  const auto values = values_of(prior_profile(*racks, ExecutorKind::nccl));
  CaseBuilder builder(*racks);
  EngineOptions unfolded;
  unfolded.fold = false;
  int folded = 0;
  for (const AlgorithmEntry& entry : algorithm_catalogue()) {
    SCOPED_TRACE(std::string(to_string(entry.collective)) + " " + entry.name);
    if (!why_not_offered(*racks, ExecutorKind::nccl, entry.collective, entry.name).empty()) {
      EXPECT_TRUE(reduces_between_domains(entry.needs) || entry.needs == Needs::one_domain)
          << "racks are too large for some of these";
      continue;
    }
    for (const std::int64_t bytes : {1LL << 16, 1LL << 28}) {
      PointSpec point;
      point.collective = entry.collective;
      point.algorithm = entry.name;
      point.bytes = bytes;
      const auto made = builder.build(values, point);
      const auto classes = evaluate_case(made, {});
      EXPECT_EQ(classes.time, evaluate_case(made, unfolded).time);
      folded += classes.channels.front().classes < racks->ranks();
    }
  }
  EXPECT_GE(folded, 20) << "rings, hierarchies, switches, PAT and exchanges fold";
}

// One period of a machine of equal groups tells the whole exchange, in either order of rounds.
TEST(PredictionLaws, OnePeriodOfAnExchangeIsTheWholeExchange) {
  const auto clusters = {with_ranks(load_machine("hgx-h100x1260"), 8 * 96),
                         with_ranks(load_machine("gb300-nvl72x140"), 72 * 8)};
  for (const auto& cluster : clusters) {
    const auto values = values_of(prior_profile(*cluster, ExecutorKind::nccl));
    PointSpec point;
    point.collective = Collective::all_to_all;
    for (const char* const algorithm : {"pairwise", "grouped"}) {
      for (const std::int64_t bytes : {1LL << 10, 1LL << 24, 1LL << 30}) {
        point.algorithm = algorithm;
        point.protocol = bytes == 1LL << 24 ? Protocol::ll : Protocol::simple;
        point.bytes = bytes;
        const auto made = build_case(*cluster, values, point);
        EngineOptions unfolded;
        unfolded.fold = false;
        const auto whole = evaluate_case(made, unfolded);
        const auto period = evaluate_case(made, {});
        EXPECT_EQ(period.time, whole.time) << cluster->name() << " " << bytes;
        EXPECT_LE(period.updates * 2, whole.updates);
      }
    }
  }
}

TEST(PredictionLaws, OccupancyIsALowerBound) {
  for_points(20, [](const Subject&, const CalibrationProfile& profile, Forward& forward,
                    const PointSpec& point) {
    const auto made = forward.build(values_of(profile), point);
    EXPECT_LE(occupancy_bound(made), forward.evaluate(made).time);
  });
}

TEST(PredictionLaws, BusBandwidthOfARingStaysBelowTheLink) {
  const auto box = load_machine("hgx-h100");
  const auto values = values_of(prior_profile(*box, ExecutorKind::nccl));
  const double link = box->link_classes().front().bandwidth.value;
  PointSpec point;
  point.algorithm = "ring";
  for (const Collective collective :
       {Collective::all_reduce, Collective::all_gather, Collective::reduce_scatter}) {
    point.collective = collective;
    for (std::int64_t bytes = 8; bytes <= (1LL << 34); bytes *= 8) {
      point.bytes = bytes;
      const double us = to_us(predict_time(*box, values, point));
      const double busbw = algbw_gb_per_s(bytes, us) * busbw_factor(collective, box->ranks());
      EXPECT_LE(busbw, link) << to_string(collective) << " " << bytes;
    }
  }
}

// Halved and taken for measured, does it change what the rules carry to nccl?
bool is_carried_to_nccl(const Subject& subject, const std::string& id) {
  auto from = prior_profile(*subject.topology, subject.executor);
  if (from.find(id) == nullptr) return false;
  for (ParameterValue& parameter : from.parameters) parameter.origin = ParameterOrigin::measured;
  auto other = from;
  other.find(id)->value *= 0.5;
  for (const Subject& target : subjects()) {
    if (target.executor != ExecutorKind::nccl) continue;
    auto one = prior_profile(*target.topology, ExecutorKind::nccl), two = one;
    transfer(from, one);
    transfer(other, two);
    if (values_of(one) != values_of(two)) return true;
  }
  return false;
}

// No parameter is dead: halved, each changes some prediction of the executor that owns it, or of
// nccl by a transfer rule.
TEST(PredictionLaws, EveryParameterOfTheInventoryMatters) {
  std::set<std::string> idle;
  for (const ParameterSpec& spec : parameter_inventory()) idle.insert(spec.id);
  for (const Subject& subject : subjects()) {
    const auto profile = prior_profile(*subject.topology, subject.executor);
    const auto values = values_of(profile);
    Forward forward(*subject.topology);
    for (const std::string algorithm : {"ring", "tree", "nvls", "pairwise"}) {
      const Collective collective =
          algorithm == "pairwise" ? Collective::all_to_all : Collective::all_reduce;
      if (!why_not_offered(*subject.topology, subject.executor, collective, algorithm).empty()) {
        continue;
      }
      // Only an exchange crosses the trunks: rings and trees stay on their rail.
      if (algorithm == "pairwise" && subject.topology->name() != "narrow") continue;
      for (const Protocol protocol :
           offered_protocols(*subject.topology, subject.executor, collective, algorithm)) {
        for (const std::int64_t bytes : {8LL, 1LL << 20, 1LL << 26}) {
          PointSpec point;
          point.executor = subject.executor;
          point.collective = collective;
          point.algorithm = algorithm;
          point.protocol = protocol;
          point.bytes = bytes;
          if (subject.executor == ExecutorKind::peers && bytes > 1 << 20) point.channels = 24;
          const SimDuration base = forward.time(values, point);
          for (const ParameterValue& parameter : profile.parameters) {
            if (!idle.contains(parameter.spec.id)) continue;
            auto moved = values;
            moved[parameter.spec.id] *= 0.5;
            if (forward.time(moved, point) != base) idle.erase(parameter.spec.id);
          }
        }
      }
    }
  }
  for (const Subject& subject : subjects()) {
    std::erase_if(idle, [&](const std::string& id) { return is_carried_to_nccl(subject, id); });
  }
  EXPECT_TRUE(idle.empty()) << "never matter: " << ::testing::PrintToString(idle);
}

}  // namespace
}  // namespace fabricast
