// Several hosts, alike and unlike, as one machine.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "emulator/base/error.hpp"
#include "tests/support/refusal.hpp"
#include "tests/unit/topologies/example_hosts.hpp"

namespace fabricast {
namespace {

// Every kind is named with its hosts, and what to type for the larger one.
TEST(Discover, UnlikeHostsAreRefusedKindByKind) {
  auto a = host("a", 8), b = host("b", 4), c = host("c", 8);
  c.usable_cores = 2;  // what a GPU box has of cores is no part of its machine
  EXPECT_EQ(message_of([&] {
              machine_of({a, b, c, a});
            }),
            "the 3 hosts are of 2 kinds (a, c: 8 x NVIDIA H200 (18 NVLinks, 151 GB), no network "
            "port of known rate; b: 4 x NVIDIA H200 (18 NVLinks, 151 GB), no network port of known "
            "rate), and the nodes of a machine have as many GPUs, or cores, and as "
            "many ports of one network, or GPUs by twos or more with as many ports each; run on "
            "those of one kind, such as --host a,c, or write the "
            "machine file by hand");
  EXPECT_EQ(machine_of({a, c})->space(), RankSpace({8, 2}));
  EXPECT_NE(message_of([&] {
              machine_of({host("x", 0), a});
            }).find("x: no GPU, Some \"CPU\", 4 "),
            std::string::npos);
}

// The slower ports decided, or the faster, whichever host came first.
TEST(Discover, HostsWithOtherPortsAreUnlike) {
  auto a = host("a", 4), b = host("b", 4);
  for (int i = 0; i < 4; ++i) {
    a.nics.push_back({"mlx5_" + std::to_string(i), "infiniband", 400});
    b.nics.push_back({"mlx5_" + std::to_string(i), "infiniband", i == 3 ? 200.0 : 400.0});
  }
  const std::string said = message_of([&] { machine_of({a, b}); });
  for (const auto* part :
       {"a: 4 x NVIDIA H200", "4 x 400 Gbit/s infiniband; b:", "3 x 400 Gbit/s infiniband)"}) {
    EXPECT_NE(said.find(part), std::string::npos) << said;
  }
}

// In the order of the ranks, which is that of the hosts.
TEST(Discover, UnlikeHostsOfOneFrameAreOneMachine) {
  const auto box = [](const std::string& name, const std::string& gpu, double gbit) {
    auto machine = host(name, 2);
    for (LocalGpu& each : machine.gpus) each.name = gpu;
    machine.nics = {{"mlx5_0", "infiniband", gbit}, {"mlx5_1", "infiniband", gbit}};
    return machine;
  };
  const std::string h200 = "NVIDIA H200", h100 = "NVIDIA H100 80GB HBM3";
  const auto machine = machine_of({box("a", h200, 200), box("b", h200, 200), box("c", h100, 400),
                                   box("d", h200, 200), box("e", h100, 400)});
  EXPECT_EQ(machine->space(), RankSpace({2, 5}));
  EXPECT_EQ(machine->kinds(), 2);
  EXPECT_EQ(machine->title(), "5 hosts of several kinds");
  const auto rate_of = [&](std::int32_t rank) {
    const Route route = machine->route(RankId::from(rank), RankId::from((rank + 4) % 10));
    return machine->link_classes()[machine->link_class(route.links[0]).value()].bandwidth.value;
  };
  for (const auto& [rank, gb_per_s] : {std::pair{0, 25.0}, {3, 25}, {4, 50}, {7, 25}, {9, 50}}) {
    EXPECT_EQ(rate_of(rank), gb_per_s) << rank;
  }
}

TEST(Discover, HostsOfTwoSizesAreOneMachine) {
  const auto box = [](const std::string& name, int gpus, int ports) {
    auto machine = host(name, gpus);
    for (int i = 0; i < ports; ++i)
      machine.nics.push_back({"mlx5_" + std::to_string(i), "infiniband", 400});
    return machine;
  };
  const auto machine = machine_of({box("a", 8, 4), box("b", 4, 2), box("c", 8, 4)});
  EXPECT_EQ(machine->space(), RankSpace({4, 5}));
  EXPECT_EQ(machine->node_of(RankId(7)), machine->node_of(RankId(0)));
  EXPECT_NE(machine->node_of(RankId(8)), machine->node_of(RankId(7)));
  EXPECT_EQ(machine->node_of(RankId(12)), machine->node_of(RankId(19)));
  for (const auto& [other, ports] : {std::pair{4, 2}, {4, 0}, {3, 3}, {1, 1}}) {
    EXPECT_THROW(machine_of({box("a", 8, 8), box("b", other, ports)}), UsageError)
        << other << ' ' << ports;
  }
}

TEST(Discover, HostsOfTwoGenerationsAreOneMachine) {
  auto hopper = host("a", 4), ampere = host("b", 4);
  for (LocalGpu& gpu : ampere.gpus) {
    gpu.name = "NVIDIA A100-SXM4-80GB";
    gpu.compute_major = 8;
    gpu.nvlinks = 12;
  }
  const auto machine = machine_of({hopper, ampere});
  EXPECT_EQ(machine->gpu().generation, "hopper");
  EXPECT_EQ(machine->kinds(), 2);
  const Route inside = machine->route(RankId(4), RankId(5));
  EXPECT_EQ(machine->link_classes()[machine->link_class(inside.links[0]).value()].generation,
            "ampere");
}

}  // namespace
}  // namespace fabricast
