#include "emulator/cost/offered.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/base/error.hpp"
#include "emulator/cost/forward_model.hpp"
#include "emulator/schedule/plan.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

std::string without_flag(const std::string& name) {
  std::string yaml = load_machine(name)->yaml();
  const auto at = yaml.find("value: yes");
  EXPECT_NE(at, std::string::npos);
  return yaml.replace(at, 10, "value: no");
}

// SHARP adds up in the network; A100 under InfiniBand have it and switches that do not reduce.
TEST(Offered, WhateverIsOfferedHasItsParameters) {
  const auto machine = load_machine("hgx-a100x8@infiniband-hdr");
  const auto nccl = ExecutorKind::nccl;
  const auto values = values_of(prior_profile(*machine, nccl));
  const auto offered = offered_algorithms(*machine, nccl, Collective::all_reduce);
  EXPECT_THAT(offered, Contains("collnet_direct"));
  for (const auto& algorithm : offered) {
    PointSpec point;
    point.algorithm = algorithm;
    point.protocol = Protocol::simple;
    point.bytes = 1 << 20;
    EXPECT_NO_THROW(build_case(*machine, values, point)) << algorithm;
  }
}

TEST(Offered, NvlsNeedsASwitchThatReduces) {
  const auto with = load_machine("hgx-h100");
  const auto without = parse_machine(without_flag("hgx-h100"), "test");
  const auto nccl = ExecutorKind::nccl;
  EXPECT_TRUE(reduces_in_switch(*with));
  EXPECT_FALSE(reduces_in_switch(*without));
  EXPECT_THAT(offered_algorithms(*with, nccl, Collective::all_reduce), Contains("nvls"));
  EXPECT_THAT(offered_algorithms(*without, nccl, Collective::all_reduce), Not(Contains("nvls")));
  EXPECT_THAT(why_not_offered(*without, nccl, Collective::all_reduce, "nvls"),
              HasSubstr("in_network_reduction: yes"));
  PointSpec point;
  point.algorithm = "nvls";
  point.bytes = 1 << 20;
  const auto values = values_of(prior_profile(*without, nccl));
  EXPECT_THAT([&] { build_case(*without, values, point); },
              testing::ThrowsMessage<UsageError>(HasSubstr("needs a switch that reduces")));
}

TEST(Offered, ExecutorsWithoutASwitchSendPointToPoint) {
  const auto without = parse_machine(without_flag("hgx-h100"), "test");
  EXPECT_EQ(why_not_offered(*without, ExecutorKind::cuda, Collective::all_reduce, "nvls"), "");
}

TEST(Offered, ShapesStillDecide) {
  const auto box = load_machine("hgx-h100");
  EXPECT_THAT(why_not_offered(*box, ExecutorKind::nccl, Collective::all_reduce, "hierarchical"),
              HasSubstr("at least two domains"));
}

TEST(Offered, ReductionInTheNetworkNeedsInfiniband) {
  const auto with = load_machine("hgx-h100x4"), without = load_machine("hgx-h100x4@roce-400");
  for (const std::string name : {"collnet_direct", "collnet_chain", "nvls_sharp"}) {
    EXPECT_EQ(why_not_offered(*with, ExecutorKind::nccl, Collective::all_reduce, name), "");
    EXPECT_THAT(why_not_offered(*without, ExecutorKind::nccl, Collective::all_reduce, name),
                HasSubstr("is roce, not infiniband"));
    EXPECT_EQ(why_not_offered(*without, ExecutorKind::host, Collective::all_reduce, name), "");
    EXPECT_FALSE(library_has(*with, Collective::all_reduce, name)) << "unless it is told to";
  }
  EXPECT_TRUE(library_has(*without, Collective::all_reduce, "nvls_tree"));
}

TEST(Offered, KernelsInCudaNeedNvidiasGpus) {
  for (const auto executor : {ExecutorKind::cuda, ExecutorKind::peers}) {
    EXPECT_EQ(why_no_executor(*load_machine("hgx-h100"), executor), "");
    for (const std::string name : {"mi300x-8", "gaudi3-8", "tpu-v5e-256"}) {
      EXPECT_THAT(why_no_executor(*load_machine(name), executor), HasSubstr("no NVIDIA GPU"))
          << name;
    }
  }
  EXPECT_EQ(why_no_executor(*load_machine("mi300x-8"), ExecutorKind::nccl), "");
}

TEST(Offered, LinesNeedALinkBetweenAllPairs) {
  const auto ll128 = [](const std::string& name) {
    return why_no_protocol(*load_machine(name), ExecutorKind::peers, Protocol::ll128);
  };
  EXPECT_EQ(ll128("hgx-h100"), "");
  EXPECT_EQ(ll128("hgx-a100-4"), "");
  EXPECT_THAT(ll128("dgx-1-v100"), HasSubstr("between all pairs"));
  EXPECT_THAT(ll128("h100-pcie"), HasSubstr("PCIe may split a line"));
}

// An algorithm of a file is refused what one of the catalogue is.
TEST(Offered, FilesAreNoWayAroundARefusal) {
  const auto refused = [](const std::string& name, Protocol protocol) {
    const auto machine = load_machine(name);
    PointSpec point;
    point.executor = ExecutorKind::peers;
    point.algorithm = "file:ring";
    point.protocol = protocol;
    point.bytes = 1 << 20;
    point.schedule = make_plan(Collective::all_reduce, "ring", machine->space(), point.bytes, 4,
                               plan_limits(ExecutorKind::peers, Collective::all_reduce, "ring",
                                           Protocol::simple, machine->space(), point.bytes, 1))
                         .channels.front()
                         .schedule;
    try {
      build_case(*machine, values_of(prior_profile(*machine, ExecutorKind::peers)), point);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(refused("hgx-h100", Protocol::ll128), "");
  EXPECT_THAT(refused("hgx-h100", Protocol::multimem), HasSubstr("algorithm nvls"));
  EXPECT_THAT(refused("hgx-h100x2", Protocol::simple), HasSubstr("no network"));
  EXPECT_THAT(refused("h100-pcie", Protocol::ll128), HasSubstr("PCIe may split a line"));
}

TEST(Offered, TheLibraryChoosesAmongItsOwn) {
  const auto box = load_machine("hgx-h100");
  const auto boxes = with_ranks(load_machine("hgx-h100x1260"), 16);
  EXPECT_TRUE(library_has(*box, Collective::all_reduce, "nvls"));
  EXPECT_FALSE(library_has(*boxes, Collective::all_reduce, "nvls"));
  EXPECT_FALSE(library_has(*boxes, Collective::all_reduce, "hierarchical"));
  EXPECT_FALSE(library_has(*box, Collective::all_gather, "pat"));
  EXPECT_FALSE(library_has(*box, Collective::all_gather, "direct")) << "symmetric windows only";
  EXPECT_TRUE(library_has(*box, Collective::gather, "direct"));
  EXPECT_TRUE(needs_windows(Collective::all_reduce, "one_shot"));
  EXPECT_FALSE(needs_windows(Collective::gather, "direct"));
  EXPECT_TRUE(library_has(*box, Collective::all_to_all, "grouped"));
  EXPECT_FALSE(library_has(*box, Collective::all_to_all, "pairwise"));
}

}  // namespace
}  // namespace fabricast
