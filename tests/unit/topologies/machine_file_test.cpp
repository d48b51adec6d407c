#include "topologies/model/machine_file.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>  // setenv

#include <filesystem>
#include <fstream>
#include <set>

#include "emulator/base/counter_rng.hpp"
#include "emulator/base/error.hpp"
#include "tests/support/refusal.hpp"
#include "tests/unit/topologies/example_machines.hpp"
#include "tests/unit/topologies/route_checks.hpp"
#include "topologies/builders/rail_fat_tree.hpp"

namespace fabricast {
namespace {

TEST(MachineFile, ShipsTheMachinesOfTheReadme) {
  std::set<std::string> names;
  for (const auto& listing : list_machines()) {
    names.insert(listing.name);
    const auto machine = load_machine(listing.name);
    EXPECT_EQ(machine->name(), listing.name) << "file name and name agree";
    EXPECT_EQ(machine->ranks(), listing.gpus);
    EXPECT_EQ(machine->title(), listing.title);
  }
  for (const auto* name :
       {"gb200-nvl72", "gb300-nvl72", "gb300-nvl72x140", "hgx-h100", "hgx-h100x1260"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

TEST(MachineFile, EveryNumberOfAShippedMachineHasASource) {
  for (const auto& listing : list_machines()) {
    const auto machine = load_machine(listing.name);
    const auto check = [&](const Sourced& number, const std::string& what) {
      EXPECT_GT(number.value, 0) << listing.name << " " << what;
      EXPECT_FALSE(number.unit.empty()) << listing.name << " " << what;
      EXPECT_GT(number.source.size(), 10u) << listing.name << " " << what;
    };
    for (const auto& link : machine->link_classes()) {
      check(link.bandwidth, link.name + " bandwidth");
      check(link.latency, link.name + " latency");
    }
    check(machine->channels(), "channels");
    check(machine->gpu().hbm_gb, "hbm");
    check(machine->gpu().hbm_tb_per_s, "hbm bandwidth");
    check(machine->gpu().bf16_tflops, "bf16");
    // Not every GPU has FP8; where it is given, it has a source.
    if (machine->gpu().fp8_tflops.value > 0) check(machine->gpu().fp8_tflops, "fp8");
    check(machine->gpu().power_w, "power");
  }
}

TEST(MachineFile, YamlOfAMachineReadsBackTheSame) {
  for (const auto& listing : list_machines()) {
    const auto machine = load_machine(listing.name);
    const auto again = parse_machine(machine->yaml(), "again");
    EXPECT_EQ(again->space(), machine->space());
    EXPECT_EQ(again->links(), machine->links());
    EXPECT_EQ(again->link_classes().size(), machine->link_classes().size());
    for (std::size_t i = 0; i < machine->link_classes().size(); ++i) {
      EXPECT_EQ(again->link_classes()[i].bandwidth.value,
                machine->link_classes()[i].bandwidth.value);
      EXPECT_EQ(again->link_classes()[i].latency.value, machine->link_classes()[i].latency.value);
    }
  }
}

TEST(MachineFile, NumbersOfTheReferenceClusters) {
  const auto racks = load_machine("gb300-nvl72x140");
  const auto& tree = dynamic_cast<const RailFatTree&>(*racks);
  EXPECT_EQ(racks->space(), RankSpace({72, 140}));
  EXPECT_EQ(racks->ranks(), 10080);
  EXPECT_EQ(tree.leaves(), 140);
  EXPECT_EQ(tree.pods(), 0);
  EXPECT_EQ(racks->link_classes()[0].bandwidth.value, 900);
  EXPECT_EQ(racks->link_classes()[1].bandwidth.value, 100);
  EXPECT_EQ(racks->link_classes()[2].bandwidth.value, 7200);
  EXPECT_EQ(racks->channels().value, 32);
  EXPECT_NE(racks->yaml().find("# node: gb300-nvl72\n"), std::string::npos)
      << "the text that the name stands for is echoed";

  const auto boxes = load_machine("hgx-h100x1260");
  const auto& big = dynamic_cast<const RailFatTree&>(*boxes);
  EXPECT_EQ(boxes->space(), RankSpace({8, 1260}));
  EXPECT_EQ(big.leaves(), 40 * 8);
  EXPECT_EQ(big.pods(), 10);
  EXPECT_EQ(boxes->link_classes()[2].bandwidth.value, 32 * 50);
  EXPECT_EQ(boxes->link_classes()[3].bandwidth.value, 32 * 32 * 50);
  EXPECT_EQ(boxes->channels().value, 16);
  EXPECT_EQ(load_machine("hgx-h100")->channels().value, 24);
  for (const auto& machine : {racks, boxes}) {
    expect_dense_links(*machine);
    for (std::uint64_t i = 0; i < 5000; ++i) {
      expect_sound_route(*machine, RankId::from(random_int(1, 1, i, 0, 10079)),
                         RankId::from(random_int(1, 2, i, 0, 10079)));
    }
  }
}

TEST(MachineFile, UnknownNamesAndPaths) {
  EXPECT_EQ(message_of([] { load_machine("gb300-nvl27"); }),
            "unknown machine \"gb300-nvl27\" (did you mean \"gb300-nvl72\"?); give a name of "
            "`fabricast machine list`, a path to a .yaml file, or NODExN[@FABRIC]");
  EXPECT_THROW(load_machine("cray"), UsageError);
  EXPECT_EQ(message_of([] { load_machine("./nothing-here.yaml"); }),
            "cannot read ./nothing-here.yaml (no such file); check the path");
  EXPECT_EQ(message_of([] { load_machine("./"); }),
            "cannot read ./ (not a regular file); give a file");
}

TEST(MachineFile, DataDirectoryCanBeChosen) {
  const auto directory = std::filesystem::path(::testing::TempDir()) / "fabricast_data_directory";
  std::filesystem::create_directories(directory / "machines");
  std::ofstream(directory / "machines" / "box.yaml") << node_yaml(4);
  ASSERT_EQ(setenv("FABRICAST_DATA_DIR", directory.c_str(), 1), 0);
  const auto listings = list_machines();
  const std::string missing = message_of([] { load_machine("hgx-h100"); });
  ASSERT_EQ(setenv("FABRICAST_DATA_DIR", "/nowhere", 1), 0);
  const std::string nowhere = message_of([] { list_machines(); });
  ASSERT_EQ(unsetenv("FABRICAST_DATA_DIR"), 0);
  std::filesystem::remove_all(directory);
  ASSERT_EQ(listings.size(), 1u);
  EXPECT_EQ(listings[0].name, "box");
  EXPECT_EQ(missing,
            "unknown machine \"hgx-h100\"; give a name of `fabricast machine list`, a path to a "
            ".yaml file, or NODExN[@FABRIC]");
  EXPECT_EQ(
      nowhere,
      "FABRICAST_DATA_DIR is /nowhere, but /nowhere/machines is no directory; unset it or point "
      "it at a directory with machines/*.yaml");
}

TEST(MachineFile, WarnsAboutAssumedAndMissingNumbers) {
  const auto machine =
      parse_machine(replaced(node_yaml(8), "  bf16: [989 TFLOPS, datasheet, test]\n", ""), "t");
  EXPECT_EQ(machine_warnings(*machine),
            (std::vector<std::string>{
                "nvlink latency = 0.15 us is assumed (test); calibrate it or cite a source",
                "gpu.bf16 is not given; what depends on it cannot be predicted"}));
}

TEST(WithRanks, CutsPartOfADomain) {
  const auto cut = with_ranks(load_machine("hgx-h100x1260"), 4);
  EXPECT_EQ(cut->space(), RankSpace({4}));
  EXPECT_EQ(cut->links(), 8);
  EXPECT_EQ(cut->channels().value, 24) << "inside one box";
  EXPECT_EQ(cut->name(), "hgx-h100x1260");
  EXPECT_EQ(cut->title(),
            "1,260 x HGX H100, 10,080 GPUs, 400G InfiniBand rails, 3 tiers (first 4 of "
            "10080 ranks)");
  EXPECT_EQ(with_ranks(load_machine("hgx-h100"), 1)->links(), 0);
  EXPECT_EQ(with_ranks(load_machine("hgx-h100x1260"), 8)->space(), RankSpace({8}));
}

TEST(WithRanks, CutsWholeDomainsAndKeepsTheirRoutes) {
  const auto whole = load_machine("hgx-h100x1260");
  const auto cut = with_ranks(whole, 1024);
  EXPECT_EQ(cut->space(), RankSpace({8, 128}));
  EXPECT_EQ(cut->channels().value, 16);
  EXPECT_EQ(with_ranks(whole, 10080), whole);
  expect_dense_links(*cut);
  for (std::uint64_t i = 0; i < 500; ++i) {
    const auto a = RankId::from(random_int(5, 1, i, 0, 1023));
    const auto b = RankId::from(random_int(5, 2, i, 0, 1023));
    const Route in_cut = cut->route(a, b), in_whole = whole->route(a, b);
    ASSERT_EQ(in_cut.count, in_whole.count);
    for (int k = 0; k < in_cut.count; ++k) {
      const auto at = static_cast<std::size_t>(k);
      EXPECT_EQ(cut->link_name(in_cut.links[at]), whole->link_name(in_whole.links[at]));
    }
  }
}

TEST(WithRanks, RefusesOtherCuts) {
  const auto machine = load_machine("hgx-h100x1260");
  EXPECT_EQ(
      message_of([&] { with_ranks(machine, 12); }),
      "12 ranks are not whole nodes of 8 (the first node or part of one node can be used); give 8 "
      "or 16");
  EXPECT_EQ(message_of([&] { with_ranks(machine, 0); }),
            "0 ranks are not available (the machine hgx-h100x1260 has 10080); give 1 to 10080");
  EXPECT_EQ(message_of([&] { with_ranks(machine, 20000); }),
            "20000 ranks are not available (the machine hgx-h100x1260 has 10080); give 1 to 10080");
  EXPECT_EQ(
      message_of([&] { with_ranks(load_machine("gb300-nvl72"), 250000); }),
      "250000 ranks are not available (the machine gb300-nvl72 has 72); give 1 to 72, or take "
      "more of them: --machine gb300-nvl72x3473");
}

// A pod is a block of the network between pods, however large.
TEST(MachineFile, JoinsWholePodsOfEveryTpu) {
  for (const char* name : {"tpu-v5p-8960x28", "tpu7x-9216x28", "tpu-v5p-2048x123"}) {
    EXPECT_GT(load_machine(name)->ranks(), 250'000) << name;
  }
}

}  // namespace
}  // namespace fabricast
