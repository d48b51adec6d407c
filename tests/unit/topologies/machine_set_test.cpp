// Machines made of others: base and set, NODExN@FABRIC, fabric files.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "emulator/base/error.hpp"
#include "emulator/base/text_file.hpp"
#include "tests/support/refusal.hpp"
#include "tests/unit/topologies/route_checks.hpp"
#include "topologies/builders/built_topology.hpp"
#include "topologies/builders/rail_fat_tree.hpp"
#include "topologies/draw/machine_svg.hpp"
#include "topologies/model/machine_cost.hpp"
#include "topologies/model/machine_file.hpp"
#include "topologies/model/machine_table.hpp"

namespace fabricast {
namespace {

const MachineSpec& spec_of(const std::shared_ptr<const Topology>& machine) {
  return dynamic_cast<const BuiltTopology&>(*machine).spec();
}

// 12,800 and 28,800 Gbit/s of EFA: 200 per chip of 64 and of 144. What the doubts say to type can
// be typed.
TEST(MachineFile, UltraServersOfTrainium3) {
  for (const auto& [name, chips] : {std::pair{"aws-trn3-64", 64}, {"aws-trn3-144", 144}}) {
    const auto one = load_machine(name);
    EXPECT_EQ(one->ranks(), chips);
    EXPECT_EQ(one->link_classes()[0].bandwidth.value, 1100);
    const auto four = load_machine(std::string(name) + "x4");
    const FabricSpec& fabric = *spec_of(four).fabric;
    EXPECT_EQ(fabric.nics * fabric.nic_bandwidth.value * 8, 200 * chips) << name;
    EXPECT_EQ(fabric.rails, 4);
    EXPECT_NE(fabric.nic_bandwidth.source.find("trn3-arch.rst"), std::string::npos) << name;
    std::set<double> told;
    for (const std::string& doubt : spec_of(one).doubts) {
      for (auto at = doubt.find("--set "); at != std::string::npos; at = doubt.find("--set ", at)) {
        at += 6;
        const std::string setting = doubt.substr(at, doubt.find_first_of(") ", at) - at);
        told.insert(load_machine(name, {setting})->link_classes()[0].bandwidth.value);
      }
    }
    EXPECT_EQ(told, (std::set<double>{352, 1280}));
  }
}

// 435 pods are more than the fabric's 64 ports reach: the machine is one with a larger radix only.
TEST(MachineExpression, IsJudgedWithWhatIsSet) {
  const auto by_name = load_machine("gb200-nvl72x3473", {"fabric.radix=144"});
  const auto by_count = load_machine("gb200-nvl72x140", {"count=3473", "fabric.radix=144"});
  EXPECT_EQ(by_name->ranks(), 72 * 3473);
  EXPECT_EQ(by_name->space(), by_count->space());
  EXPECT_EQ(by_name->name(), "gb200-nvl72x3473");
  EXPECT_EQ(parse_machine(by_name->yaml(), "again")->ranks(), by_name->ranks());
  for (const std::vector<std::string>& set :
       {std::vector<std::string>{}, {"fabric.uplink_latency=2us"}, {"fabric.radix=66"}}) {
    const std::string message = message_of([&] { load_machine("gb200-nvl72x3473", set); });
    EXPECT_NE(message.find("pods are more than a core switch of"), std::string::npos) << message;
  }
}

TEST(MachineExpression, JoinsNodesByTheirFabric) {
  const auto machine = load_machine("hgx-h100x16");
  EXPECT_EQ(machine->space(), RankSpace({8, 16}));
  EXPECT_EQ(machine->name(), "hgx-h100x16");
  EXPECT_EQ(machine->fabric(), "infiniband");
  EXPECT_EQ(machine->channels().value, 16) << "across nodes";
  const auto& fabric = *spec_of(machine).fabric;
  EXPECT_EQ(fabric.rails, 8) << "one per NIC";
  EXPECT_EQ(fabric.tiers, 2);
  EXPECT_EQ(spec_of(load_machine("hgx-h100x1025@roce-400")).fabric->tiers, 3)
      << "17 groups x 8 rails are more leaves than 128 ports";
  const auto racks = load_machine("gb200-nvl72x4@roce-800");
  EXPECT_EQ(racks->space(), RankSpace({72, 4}));
  EXPECT_EQ(spec_of(racks).fabric->rails, 4) << "one per NIC of a tray";
}

TEST(MachineExpression, IsRefusedWhereItMeansNothing) {
  EXPECT_NE(message_of([] { load_machine("hgx-h101x2"); }).find("did you mean"), std::string::npos);
  EXPECT_NE(
      message_of([] { load_machine("hgx-h100x2@nothing"); }).find("unknown fabric \"nothing\""),
      std::string::npos);
  EXPECT_NE(message_of([] { load_machine("hgx-h100x1"); }).find("out of range"), std::string::npos);
  EXPECT_THROW(load_machine("hgx-h100x1260x2"), UsageError) << "a cluster is no node";
}

// A copy of a machine that ships, in a folder of its own.
class Copied : public ::testing::Test {
 protected:
  Copied()
      : folder_(std::filesystem::path(::testing::TempDir()) /
                ("fabricast_copied_machine_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
    path_ = (folder_ / "mine.yaml").string();
    for (const auto& listing : list_machines()) {
      if (listing.name == "hgx-h100") yaml_ = read_text_file(listing.file);
    }
  }
  ~Copied() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name) {
    std::string text = yaml_;
    text.replace(text.find("name: hgx-h100"), 14, "name: " + name);
    std::ofstream(path_) << text;
  }

  std::filesystem::path folder_;
  std::string path_, yaml_;
};

TEST_F(Copied, CanBeTakenSeveralTimes) {
  write("mine");
  const auto machine = load_machine(path_ + "x4");
  EXPECT_EQ(machine->space(), RankSpace({8, 4}));
  EXPECT_EQ(machine->name(), "minex4");
  EXPECT_EQ(machine->fabric(), load_machine("hgx-h100x4")->fabric());
  EXPECT_EQ(load_machine(path_ + "x4@roce-400", {"fabric.rails=1"})->fabric(), "roce");
  EXPECT_EQ(load_machine(path_)->ranks(), 8);
  EXPECT_NE(message_of([&] { load_machine(path_ + "xx4"); }).find("mine.yamlxx4 (no such file)"),
            std::string::npos);
  EXPECT_TRUE(is_machine_path("mine.yamlx4"));
  EXPECT_FALSE(is_machine_path("hgx-h100x4"));
}

TEST_F(Copied, IsToldThatItKeptItsName) {
  write("hgx-h100");
  EXPECT_NE(name_warning(path_, *load_machine(path_)).find("the name of a machine that ships"),
            std::string::npos);
  write("ours");
  EXPECT_NE(name_warning(path_, *load_machine(path_)).find("\"ours\", its file mine.yaml"),
            std::string::npos);
  write("mine");
  EXPECT_EQ(name_warning(path_, *load_machine(path_)), "");
  for (const auto& listing : list_machines()) {
    EXPECT_EQ(name_warning(listing.file, *load_machine(listing.file)), "");
    EXPECT_EQ(name_warning(listing.name, *load_machine(listing.name)), "");
  }
  EXPECT_EQ(name_warning("hgx-h100x4", *load_machine("hgx-h100x4")), "");
}

TEST(MachineSet, ChangesKeysOfEverySection) {
  const auto machine = load_machine(
      "hgx-h100x16", {"node.gpus=4", "fabric.nic.per_node=2", "fabric.rails=1", "count=32"});
  EXPECT_EQ(machine->space(), RankSpace({4, 32}));
  const auto& spec = spec_of(machine);
  EXPECT_EQ(spec.fabric->nics, 2);
  EXPECT_EQ(spec.fabric->rails, 1);
  EXPECT_EQ(spec.domain.size.origin, Origin::assumed);
  EXPECT_EQ(spec.domain.size.source, "chosen: set by hgx-h100x16");
  // The echo says all of it.
  const auto again = parse_machine(machine->yaml(), "again");
  EXPECT_EQ(again->space(), machine->space());
  EXPECT_EQ(again->links(), machine->links());
}

TEST(MachineSet, ChangesAWrittenOutCluster) {
  const auto machine =
      load_machine("hgx-h100x1260", {"fabric.oversubscription=2", "node.gpu.name=H100-64"});
  EXPECT_EQ(spec_of(machine).fabric->oversubscription->value, 2);
  EXPECT_EQ(machine->gpu().name, "H100-64") << "a text stays a text";
  EXPECT_EQ(load_machine("hgx-h100", {"gpus=1"})->links(), 0);
}

// The option is to blame, not the file that it changes.
TEST(MachineSet, NamesWhatCannotBeSet) {
  const auto said = [](const std::string& name, const std::string& set) {
    return message_of([&] { load_machine(name, {set}); });
  };
  for (const auto& [set, start] : std::vector<std::pair<std::string, std::string>>{
           {"fabric.nic.bandwidth=400", "\"400\" has no unit"},
           {"fabric.rails=abc", "\"abc\" is not a number"},
           {"fabric.rails=3", "8 NICs of a domain cannot be spread evenly over 3 rails"},
           {"fabric.rals=4", "unknown key \"rals\" (did you mean \"rails\"?)"},
           {"nic.bandwidth=400", "unknown key \"nic\""},
           {"node.gpus=0", "0 is out of range"},
           {"node.gpu.vendor=cray", "unknown vendor \"cray\""},
           {"name.more=1", "cannot be set (what is above it is a single value)"},
           {"cost.usd_per_gpu_hour=2", "cost.date: missing key"}}) {
    const std::string expected = "--set " + set + ": " + start;
    EXPECT_EQ(said("hgx-h100x16", set).substr(0, expected.size()), expected);
  }
  EXPECT_NE(said("hgx-h100", "gpus").find("sets nothing"), std::string::npos);
  // Of a file, its place is.
  EXPECT_EQ(message_of([] {
              parse_machine("name: a\nbase: hgx-h100\nset:\n  gpus: many\n", "given.yaml");
            }),
            "given.yaml:4:9: set.gpus: \"many\" is not a number; write a number such as 8");
}

TEST(MachineBase, RestsOnAnother) {
  const auto machine = parse_machine(
      "name: half\nbase: gb200-nvl72\nset:\n  trays: [9, datasheet, \"a half rack\"]\n",
      "half.yaml");
  EXPECT_EQ(machine->name(), "half");
  EXPECT_EQ(machine->ranks(), 36);
  EXPECT_EQ(machine->title(), load_machine("gb200-nvl72")->title());
  EXPECT_THROW(parse_machine("name: a\nbase: a\n", "a.yaml"), UsageError);
}

// Found by libFuzzer: a base that is a path named only the file that is not there.
TEST(MachineBase, MistakesNameTheFileThatWasGiven) {
  for (const char* rest :
       {"base: no/such/fi-x8\n", "base: nobody\n", "base: no/x8@roce-400\n",
        "base: hgx-h100\nset:\n  gpus: many\n",
        "base: hgx-h100\nset:\n  interconnect.bandwidth: [-1 GB/s, assumed, x]\n"}) {
    const std::string said =
        message_of([&] { parse_machine(std::string("name: a\n") + rest, "given.yaml"); });
    EXPECT_NE(said.find("given.yaml"), std::string::npos) << said;
  }
  EXPECT_THROW(parse_machine("name: a\nbase: no/such/file\n", "given.yaml"), UsageError);
}

TEST(FabricFiles, EachJoinsNodes) {
  for (const auto& name : fabric_names()) {
    const auto machine = load_machine("hgx-h100x2@" + name);
    EXPECT_EQ(machine->ranks(), 16) << name;
    EXPECT_TRUE(spec_of(machine).fabric->radix.has_value()) << name;
  }
}

TEST(MachineSites, AreWholeTreesFarApart) {
  const auto machine = load_machine(
      "hgx-h100x8", {"fabric.sites.count=2", "fabric.sites.distance_km=100",
                     "fabric.sites.bandwidth=1.6 Tbit/s", "fabric.domains_per_leaf=2"});
  const auto& tree = dynamic_cast<const RailFatTree&>(*machine);
  EXPECT_EQ(tree.sites(), 2);
  EXPECT_EQ(tree.leaves(), 2 * 2 * 8) << "two groups at each site";
  const auto far = machine->route(RankId(0), RankId(32));
  ASSERT_EQ(far.count, 6);
  EXPECT_EQ(machine->link_name(far.links[2]), "site 0 way up");
  EXPECT_EQ(machine->link_name(far.links[3]), "site 1 way down");
  double us = 0;
  for (const LinkId link : far.span()) {
    us += machine->link_classes()[machine->link_class(link).value()].latency.value;
  }
  EXPECT_NEAR(us, 500 + 2.8 + 2 * 0.45, 1e-9);
  EXPECT_EQ(machine->route(RankId(0), RankId(16)).count, 4) << "other group, same site";
  expect_dense_links(*machine);
  for (std::uint32_t a = 0; a < 64; ++a) {
    for (std::uint32_t b = 0; b < 64; ++b) {
      const Route route = machine->route(RankId(a), RankId(b));
      const Route back = machine->route(RankId(b), RankId(a));
      ASSERT_EQ(route.count, back.count);
      for (int i = 0; i < route.count; ++i) {
        EXPECT_LT(route.links[static_cast<std::size_t>(i)].value(), machine->links());
      }
    }
  }
}

TEST(MachineProblems, ANicNeedsItsSlot) {
  EXPECT_TRUE(machine_problems(*load_machine("hgx-h100x2")).empty());
  const auto problems = machine_problems(*load_machine("hgx-a100x2@infiniband-ndr"));
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_NE(problems[0].find("a NIC of 50 GB/s is more than"), std::string::npos) << problems[0];
  for (const auto& listing : list_machines()) {
    EXPECT_TRUE(machine_problems(*load_machine(listing.name)).empty()) << listing.name;
  }
}

TEST(MachineList, IsThePageInDocs) {
  std::ifstream file(FABRICAST_MACHINE_LIST);
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  EXPECT_TRUE(page == machine_list_markdown())
      << "fabricast machine list --markdown > docs/machine-list.md";
}

TEST(MachineCost, IsThatOfTheRanksInUse) {
  const auto spec = spec_of(load_machine("hgx-h100x1260"));
  const RunningCost cost = running_cost(spec, 16);
  EXPECT_DOUBLE_EQ(cost.watts, 2 * 10200 * 1.3);
  EXPECT_EQ(cost.counts, "nodes, facility overhead 1.3");
  EXPECT_DOUBLE_EQ(cost.usd_per_hour, 16 * 6.88);
  EXPECT_EQ(cost.price_date, "2025-06");
  EXPECT_DOUBLE_EQ(joules(cost, 0.5), 2 * 10200 * 1.3 / 2);
  EXPECT_DOUBLE_EQ(dollars(cost, 1800), 8 * 6.88);
  const RunningCost gpus = running_cost(spec_of(load_machine("mi300x-8")), 8);
  EXPECT_DOUBLE_EQ(gpus.watts, 8 * 750);
  EXPECT_EQ(gpus.counts, "GPUs only");
  EXPECT_EQ(gpus.usd_per_hour, 0) << "no price in the file";
}

// `machine show` asks the machine that was cut, `report --cost` the whole one that the trace holds.
TEST(MachineCost, OfACutMachineIsThatOfItsRanks) {
  const auto box = load_machine("hgx-h100");
  for (const std::int32_t ranks : {1, 2, 8}) {
    const auto cut = with_ranks(box, ranks);
    const RunningCost shown = running_cost(spec_of(cut), ranks);
    const RunningCost reported = running_cost(spec_of(box), ranks);
    EXPECT_DOUBLE_EQ(shown.watts, ranks * 10200.0 / 8 * 1.3);
    EXPECT_DOUBLE_EQ(shown.watts, reported.watts);
    EXPECT_DOUBLE_EQ(shown.usd_per_hour, reported.usd_per_hour);
    EXPECT_EQ(shown.counts, reported.counts);
  }
}

TEST(MachineDrawing, ShowsEveryLevel) {
  const std::string svg = machine_svg(*load_machine("hgx-h100x1260"));
  for (const auto* part : {"1 core", "10 spine layers", "40 groups of leaves", "8 leaf switches",
                           "32 nodes", "8 NICs"}) {
    EXPECT_NE(svg.find(part), std::string::npos) << part;
  }
}

// In the words of those who build them.
TEST(MachineDrawing, CallsThingsByTheirNames) {
  const std::string estate = machine_svg(*load_machine("coreweave-estate"));
  for (const auto* part : {"1 wide-area network", "one for each of 32 sites", "250112 GPUs",
                           "GPU 7", "450 GB/s per GPU"}) {
    EXPECT_NE(estate.find(part), std::string::npos) << part;
  }
  for (const auto* name : {"gaudi3-8", "aws-trn2-16", "ascend910b-8", "tpu-v5e-256"}) {
    const std::string svg = machine_svg(*load_machine(name));
    EXPECT_EQ(svg.find("GPU"), std::string::npos) << name;
    EXPECT_NE(svg.find(" chips"), std::string::npos) << name;
  }
}

int count_of(const std::string& text, std::string_view part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// A spine of each rail with a wire to each of 8 groups, and no switch across them.
TEST(MachineDrawing, ShowsRailsThatNothingJoins) {
  const std::string svg = machine_svg(*load_machine("rail-only-h100x256"));
  for (const auto* part : {"8 spine layers", "one per rail, not joined", ">rail 7<", "group 7"}) {
    EXPECT_NE(svg.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(svg.find(">spine<"), std::string::npos);
  // Wires of rail 0: to 8 groups, and from its leaf to the 11 nodes that are shown.
  EXPECT_EQ(count_of(svg, "stroke=\"#0072b2\""), 8 + 11);
  const std::string one_group = machine_svg(*load_machine("rail-only-h100x256", {"count=32"}));
  EXPECT_EQ(one_group.find("spine"), std::string::npos) << "a single switch per rail";
}

TEST(MachineDrawing, ShowsWhatIsJoinedWithoutASwitch) {
  const std::string dragonfly = machine_svg(*load_machine("mi250x-8x1280"));
  for (const auto* part : {"20 groups", "32 routers each", ">32 routers<", "64 nodes"}) {
    EXPECT_NE(dragonfly.find(part), std::string::npos) << part;
  }
  // Eleven of the groups and of the routers are shown: an arc for every two.
  EXPECT_EQ(count_of(dragonfly, "<polyline"), 2 * 11 * 10 / 2);
  const std::string mesh = machine_svg(*load_machine("mi300x-8"));
  EXPECT_EQ(count_of(mesh, "<polyline"), 8 * 7 / 2);
  EXPECT_NE(mesh.find("64 GB/s each"), std::string::npos);
}

TEST(MachineDrawing, ShowsTheAxesOfATorus) {
  const std::string pod = machine_svg(*load_machine("tpu-v5p-8960"));
  for (const auto* part : {"16 x 20 x 28 torus", "x: 16, 100 GB/s a link, closed", ">319<",
                           "z = 27", "8960 chips", "600 GB/s per chip"}) {
    EXPECT_NE(pod.find(part), std::string::npos) << part;
  }
  // A part of it is a plane of open lines.
  const std::string part = machine_svg(*with_ranks(load_machine("tpu-v5p-8960"), 16 * 4));
  EXPECT_NE(part.find("y: 4, 100 GB/s a link, open"), std::string::npos);
  EXPECT_NE(part.find("(first 64 of 8960 ranks: y 4 of 20, z 1 of 28 without wraps)"),
            std::string::npos)
      << "and says why";
  EXPECT_EQ(part.find("z = "), std::string::npos);
}

// Published facts that a reader would look up.
TEST(Machines, AgreeWithWhatIsPublishedOfThem) {
  const auto rack = load_machine("gb200-nvl72");
  EXPECT_NEAR(rack->ranks() * rack->gpu().fp8_tflops.value / 1000, 360, 0.5) << "PFLOPS";
  EXPECT_NEAR(rack->ranks() * rack->gpu().hbm_gb.value / 1000, 13.4, 0.05) << "TB";
  EXPECT_EQ(load_machine("oci-superclusterx16384")->ranks(), 131072);
  EXPECT_GE(load_machine("coreweave-estate")->ranks(), 250000);
  EXPECT_EQ(load_machine("azure-nd-gb300-v6x64")->ranks(), 4608);
  EXPECT_EQ(load_machine("meta-24k-ibx3072")->ranks(), 24576);
  EXPECT_EQ(load_machine("xai-colossusx12500")->ranks(), 100000);
  const auto gigawatt = load_machine("gb300-1gw");
  EXPECT_NEAR(gigawatt->ranks(), 450000, 60000) << "400,000 to 500,000 GPUs per GW";
  const RunningCost cost = running_cost(spec_of(gigawatt), gigawatt->ranks());
  EXPECT_NEAR(cost.watts, 1e9, 1e6);
  EXPECT_NEAR(cost.capital_usd / cost.watts, 55, 5) << "50 to 60 billion USD per GW";
  const auto ten = load_machine("gb300-1gw", {"count=56980"});
  EXPECT_NEAR(ten->ranks(), 4.5e6, 5e5) << "4 to 5 million GPUs per 10 GW";
  EXPECT_NEAR(running_cost(spec_of(ten), ten->ranks()).watts, 1e10, 1e7);
}

}  // namespace
}  // namespace fabricast
