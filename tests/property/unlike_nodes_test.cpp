// Predictions for machines whose nodes are of several kinds.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "emulator/cost/case_builder.hpp"
#include "emulator/cost/forward_model.hpp"
#include "emulator/cost/offered.hpp"
#include "emulator/sim/predict.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

// Eight nodes with NICs of `first_rate`, of which the last have `rate`.
std::shared_ptr<const Topology> machine(const std::string& first_rate, int others = 0,
                                        const std::string& rate = "") {
  std::string yaml = fmt::format(
      "name: m\ntitle: m\nkind: nested\nnode: hgx-h100\ncount: [{}, assumed, t]\n"
      "channels: [8, assumed, t]\nfabric:\n  kind: rail_fat_tree\n  name: infiniband\n"
      "  nic: {{bandwidth: [{}, assumed, t], latency: [3 us, assumed, t]}}\n"
      "  rails: [8, assumed, t]\n  radix: [64, assumed, t]\n  tiers: [2, assumed, t]\n"
      "  hop_latency: [0.5 us, assumed, t]\n  domains_per_leaf: [2, assumed, t]\n",
      8 - others, first_rate);
  if (others > 0) {
    yaml += fmt::format(
        "others:\n  - {{count: [{}, assumed, t], nic: {{bandwidth: [{}, assumed, t]}}}}\n", others,
        rate);
  }
  return parse_machine(yaml, "m.yaml");
}

// Folded, and checked against unfolded.
double time_us(const Topology& machine, Collective collective, const std::string& algorithm,
               std::int64_t bytes) {
  auto values = values_of(prior_profile(*fabricast::machine("400 Gbit/s"), ExecutorKind::nccl));
  values["nic.bandwidth"] = machine.link_classes()[1].bandwidth.value;
  PointSpec point;
  point.collective = collective;
  point.algorithm = algorithm;
  point.bytes = bytes;
  const auto made = build_case(machine, values, point);
  EngineOptions unfolded;
  unfolded.fold = false;
  const SimDuration folded = evaluate_case(made, {}).time;
  EXPECT_EQ(folded, evaluate_case(made, unfolded).time) << algorithm;
  return to_us(folded);
}

// Between the machine of all fast and that of all slow nodes, whatever the ratio; and the fast one
// where there is next to none.
TEST(UnlikeNodes, TakeNoLessThanFastAndNoMoreThanSlowOnes) {
  const std::string fast = "400 Gbit/s";
  const auto all_fast = machine(fast);
  int slower = 0;
  for (const std::string rate : {"399.999999 Gbit/s", "300 Gbit/s", "200 Gbit/s", "100 Gbit/s"}) {
    const auto mixed = machine(fast, 3, rate), all_slow = machine(rate);
    ASSERT_EQ(mixed->kinds(), 2);
    for (const Collective collective :
         {Collective::all_reduce, Collective::all_gather, Collective::all_to_all}) {
      for (const auto& algorithm : offered_algorithms(*mixed, ExecutorKind::nccl, collective)) {
        for (const std::int64_t bytes : {std::int64_t{64} << 20, std::int64_t{1} << 30}) {
          const std::string what =
              rate + ' ' + std::string(to_string(collective)) + ' ' + algorithm;
          const double least = time_us(*all_fast, collective, algorithm, bytes);
          const double some = time_us(*mixed, collective, algorithm, bytes);
          const double most = time_us(*all_slow, collective, algorithm, bytes);
          EXPECT_LE(least, some * 1.000001) << what;
          EXPECT_LE(some, most * 1.000001) << what;
          slower += some > 1.01 * least ? 1 : 0;
        }
      }
    }
  }
  EXPECT_GT(slower, 20);
}

// As many nodes of `first` and then of `other`, under one network.
std::shared_ptr<const Topology> of_generations(const std::string& first, int firsts,
                                               const std::string& other, int others) {
  std::string yaml = fmt::format(
      "name: m\ntitle: m\nkind: nested\nnode: {}\ncount: [{}, assumed, t]\n"
      "channels: [8, assumed, t]\nfabric:\n  kind: rail_fat_tree\n  name: infiniband\n"
      "  nic: {{bandwidth: [200 Gbit/s, assumed, t], latency: [3 us, assumed, t]}}\n"
      "  rails: [8, assumed, t]\n  radix: [64, assumed, t]\n  tiers: [2, assumed, t]\n"
      "  hop_latency: [0.5 us, assumed, t]\n  domains_per_leaf: [2, assumed, t]\n",
      first, firsts);
  if (others > 0)
    yaml += fmt::format("others:\n  - {{node: {}, count: [{}, assumed, t]}}\n", other, others);
  return parse_machine(yaml, "m.yaml");
}

SimDuration own_time(const Topology& machine, Collective collective, const std::string& algorithm,
                     Protocol protocol, std::int64_t bytes) {
  PointSpec point;
  point.collective = collective;
  point.algorithm = algorithm;
  point.protocol = protocol;
  point.bytes = bytes;
  const auto values = values_of(prior_profile(machine, ExecutorKind::nccl));
  const auto made = build_case(machine, values, point);
  EngineOptions unfolded;
  unfolded.fold = false;
  const SimDuration time = evaluate_case(made, {}).time;
  EXPECT_EQ(time, evaluate_case(made, unfolded).time) << algorithm;
  return time;
}

// Each machine by its own priors, whichever kind comes first. A100 is slower than H100 in
// everything; B200 has longer steps than H100 and faster links, so that both together may take
// longer than either.
TEST(UnlikeNodes, OfTwoGenerationsLieBetweenBoth) {
  struct Pair {
    std::string newer, older;
    double slack;
  };
  int apart = 0;
  for (const auto& [newer, older, slack] :
       {Pair{"hgx-h100", "hgx-a100", 1.001}, Pair{"hgx-b200", "hgx-h100", 1.1}}) {
    const auto all_new = of_generations(newer, 8, "", 0), all_old = of_generations(older, 8, "", 0);
    const auto new_first = of_generations(newer, 5, older, 3);
    const auto old_first = of_generations(older, 3, newer, 5);
    for (const Collective collective :
         {Collective::all_reduce, Collective::all_gather, Collective::all_to_all}) {
      for (const auto& algorithm : offered_algorithms(*new_first, ExecutorKind::nccl, collective)) {
        for (const Protocol protocol : protocols_of(ExecutorKind::nccl, collective, algorithm)) {
          for (const std::int64_t bytes : {std::int64_t{64} << 10, std::int64_t{256} << 20}) {
            const std::string what =
                fmt::format("{} {} {} {} {} {}", newer, older, to_string(collective), algorithm,
                            to_string(protocol), bytes);
            const double a = to_us(own_time(*all_new, collective, algorithm, protocol, bytes));
            const double b = to_us(own_time(*all_old, collective, algorithm, protocol, bytes));
            for (const auto& machine : {new_first, old_first}) {
              const double mixed =
                  to_us(own_time(*machine, collective, algorithm, protocol, bytes));
              EXPECT_LE(std::min(a, b), mixed * slack) << what;
              EXPECT_LE(mixed, std::max(a, b) * slack) << what;
            }
            apart += std::max(a, b) > 1.05 * std::min(a, b) ? 1 : 0;
          }
        }
      }
    }
  }
  EXPECT_GT(apart, 10);
}

std::string box(int gpus) {
  return "{kind: single_node, gpus: [" + std::to_string(gpus) +
         ", assumed, t], channels: [8, assumed, t], gpu: {name: A, generation: ampere}, "
         "interconnect: {kind: nvlink, bandwidth: [300 GB/s, assumed, t], latency: [150 ns, "
         "assumed, t]}}";
}

// Between a machine of all large and one of all small nodes, of as many GPUs. A ring has the NICs
// of the small ones, however many the large ones have.
TEST(UnlikeNodes, OfTwoSizesAreAsTheirOwnMachines) {
  const auto of = [](const std::string& node, int count, const std::string& others) {
    return parse_machine(
        fmt::format("name: m\ntitle: m\nkind: nested\nnode: {}\ncount: [{}, assumed, t]\n{}"
                    "channels: [8, assumed, t]\nfabric:\n  kind: rail_fat_tree\n  name: roce\n"
                    "  nic: {{bandwidth: [200 Gbit/s, assumed, t], latency: [3 us, assumed, t]}}\n"
                    "  rails: [4, assumed, t]\n  radix: [64, assumed, t]\n"
                    "  hop_latency: [0.5 us, assumed, t]\n  domains_per_leaf: [{}, assumed, t]\n",
                    node, count, others, node == box(8) ? 2 : 4),
        "m.yaml");
  };
  const auto mixed = of(box(8), 6, "others: [{node: " + box(4) + ", count: [4, assumed, t]}]\n");
  const auto large = of(box(8), 8, ""), small = of(box(4), 16, "");
  ASSERT_EQ(mixed->ranks(), 64);
  int apart = 0;
  for (const std::int64_t bytes : {std::int64_t{64} << 10, std::int64_t{64} << 20}) {
    for (const auto& [collective, algorithm] : {std::pair{Collective::all_to_all, "pairwise"},
                                                {Collective::all_reduce, "doubling"},
                                                {Collective::all_reduce, "ring"}}) {
      const auto time = [&, c = collective, a = algorithm](const Topology& machine) {
        return own_time(machine, c, a, Protocol::simple, bytes);
      };
      EXPECT_EQ(time(*with_ranks(mixed, 48)), time(*with_ranks(large, 48))) << algorithm;
      const SimDuration some = time(*mixed);
      EXPECT_LE(time(*large), some) << algorithm << ' ' << bytes;
      EXPECT_LE(some, time(*small)) << algorithm << ' ' << bytes;
      apart += time(*large) < time(*small) ? 1 : 0;
    }
  }
  EXPECT_GE(apart, 2);
}

}  // namespace
}  // namespace fabricast
