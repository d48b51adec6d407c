// What the choice follows: versions, overrides, types, limits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/base/error.hpp"
#include "emulator/base/text_file.hpp"
#include "emulator/nccl/choice.hpp"
#include "emulator/nccl/network_settings.hpp"
#include "emulator/nccl/tuner_tables.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast::nccl {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

Communicator of_file(const std::string& topology, int nodes, const Version& version = {},
                     const std::map<std::string, std::string>& environment = {}) {
  const std::string file = std::string(FABRICAST_GOLDEN_NCCL) + "/topologies/" + topology + ".xml";
  return make_communicator(read_system(read_text_file(file), file), nodes, version,
                           overrides_from(environment));
}

constexpr std::int64_t gib = std::int64_t{1} << 30;

TEST(NcclChoice, IsTheCheapestCandidate) {
  for (const int nodes : {1, 2, 16}) {
    const auto communicator = of_file("h100", nodes);
    for (const auto collective :
         {Collective::all_reduce, Collective::all_gather, Collective::broadcast}) {
      for (std::int64_t bytes = 8; bytes <= 16 * gib; bytes *= 32) {
        const Request request{collective, bytes};
        const Choice choice = choose(communicator, request);
        double least = 1e30;
        for (const auto& candidate : candidates(communicator, request)) {
          EXPECT_EQ(candidate.time_us.has_value(), candidate.reason.empty());
          if (candidate.time_us) least = std::min(least, *candidate.time_us);
        }
        EXPECT_EQ(choice.estimate_us, least);
        EXPECT_GE(choice.channels, 1);
        EXPECT_GE(choice.threads, 96);
      }
    }
  }
}

// NICs on the CPU of a Grace Hopper: over C2C since 2.27, through the CPU before.
TEST(NcclChoice, Ll128OverC2cIsNew) {
  const auto machine = load_machine("gh200-4x4@slingshot-11");
  const auto why = [&](const Version& version) {
    return make_communicator(*machine, version)
        .disabled[index_of(Function::all_reduce)][index_of(Algorithm::tree)]
                 [index_of(Protocol::ll128)];
  };
  EXPECT_THAT(why({2, 23, 4}), HasSubstr("the way to the NIC"));
  EXPECT_EQ(why({2, 28, 9}), "");
}

TEST(NcclChoice, OnlyInfinibandReduces) {
  const auto overrides = overrides_from({{"NCCL_COLLNET_ENABLE", "1"}});
  const auto supported = [&](const char* name) {
    return make_communicator(*load_machine(name), {}, overrides).collnet_supported;
  };
  EXPECT_TRUE(supported("hgx-h100x4@infiniband-ndr"));
  EXPECT_FALSE(supported("hgx-h100x4@roce-400"));
  EXPECT_FALSE(supported("hgx-a100-4x4@slingshot-11"));
}

TEST(NcclChoice, SmallSizesTakeFewerChannelsAndThreads) {
  const auto communicator = of_file("h100", 1);
  const auto at = [&](std::int64_t bytes) {
    return choice_of(communicator, {Collective::all_reduce, bytes}, Algorithm::ring, Protocol::ll);
  };
  // 24 channels x 512 threads x 8 B x 8 ranks fill from 786,432 B on.
  EXPECT_EQ(at(786'432).channels, 24);
  EXPECT_EQ(at(786'431).channels, 23);
  EXPECT_EQ(at(8192).channels, 1);
  EXPECT_EQ(at(8192).threads, 128);
  const auto simple =
      choice_of(communicator, {Collective::all_reduce, gib}, Algorithm::ring, Protocol::simple);
  EXPECT_EQ(simple.threads, 512 + 32);
}

TEST(NcclChoice, Fp8AvoidsLongRings) {
  const auto two = of_file("h100", 2);
  EXPECT_EQ(choose(two, {Collective::all_gather, gib, DataType::f8e4m3}).algorithm,
            Algorithm::ring);  // nothing else exists
  const auto tree_or_ring =
      of_file("h100", 2, {}, {{"NCCL_ALGO", "tree,ring"}, {"NCCL_PROTO", "Simple"}});
  EXPECT_EQ(choose(tree_or_ring, {Collective::all_reduce, 16 * gib}).algorithm, Algorithm::ring);
  EXPECT_EQ(choose(tree_or_ring, {Collective::all_reduce, 16 * gib, DataType::f8e5m2}).algorithm,
            Algorithm::tree);
}

TEST(NcclChoice, RacksBeyond32GpusGatherInRings) {
  const auto rack = of_file("gb200", 1);
  const Request gather{Collective::all_gather, gib};
  EXPECT_EQ(choose(rack, gather).algorithm, Algorithm::ring);
  EXPECT_EQ(choose(rack, {Collective::all_reduce, gib}).algorithm, Algorithm::nvls);
  for (const auto& candidate : candidates(rack, gather)) {
    if (candidate.algorithm != Algorithm::nvls || candidate.protocol != Protocol::simple) continue;
    EXPECT_THAT(candidate.reason, HasSubstr("32 heads"));
  }
}

TEST(NcclChoice, TheSwitchReducesOnlyWhatItCan) {
  const auto box = of_file("h100", 1);
  EXPECT_EQ(choose(box, {Collective::all_reduce, gib, DataType::bfloat16}).algorithm,
            Algorithm::nvls);
  EXPECT_EQ(choose(box, {Collective::all_reduce, gib, DataType::int8}).algorithm, Algorithm::ring);
  EXPECT_EQ(choose(box, {Collective::all_reduce, gib, DataType::float32, Operation::max}).algorithm,
            Algorithm::ring);
}

TEST(NcclChoice, OverridesHold) {
  const auto forced =
      of_file("h100", 2, {},
              {{"NCCL_ALGO", "allreduce:ring;allgather:^nvls"}, {"NCCL_PROTO", "^LL,LL128"}});
  EXPECT_TRUE(forced.overrides.what_if());
  for (std::int64_t bytes = 8; bytes <= gib; bytes *= 8) {
    const Choice choice = choose(forced, {Collective::all_reduce, bytes});
    EXPECT_EQ(choice.algorithm, Algorithm::ring);
    EXPECT_EQ(choice.protocol, Protocol::simple);
  }
  EXPECT_EQ(of_file("h100", 2, {}, {{"NCCL_MAX_NCHANNELS", "4"}}).coll_channels, 4);
  EXPECT_EQ(of_file("h100", 2, {}, {{"NCCL_MIN_NCHANNELS", "32"}}).coll_channels, 32);
  EXPECT_FALSE(of_file("h100", 1, {}, {{"NCCL_NVLS_ENABLE", "0"}}).nvls_supported);
  EXPECT_EQ(of_file("h100", 2, {}, {{"NCCL_CROSS_NIC", "0"}}).ring.cross_nic, 0);
  // Without peer-to-peer all traffic inside the box goes through the CPUs.
  const auto staged = of_file("h100", 1, {}, {{"NCCL_P2P_DISABLE", "1"}});
  EXPECT_GE(staged.ring.type_intra, PathType::phb);
  EXPECT_EQ(choose(staged, {Collective::all_reduce, gib, DataType::int8}).protocol,
            Protocol::simple);
}

TEST(NcclChoice, NetworksBringVariablesOfTheirOwn) {
  const auto with_network = [](const char* name, const char* variable, const char* value) {
    Overrides overrides;
    if (variable != nullptr) assign(overrides, variable, value);
    const auto machine = load_machine(name);
    add_network_settings(overrides, *machine, machine->ranks() / machine->space().domain_size());
    return overrides;
  };
  const auto google = with_network("gcp-a3-megax128", nullptr, "");
  EXPECT_EQ(google.proto, "Simple");
  EXPECT_EQ(google.nvls_enable, 0);
  EXPECT_EQ(google.from_network.size(), 2U);
  EXPECT_FALSE(google.what_if()) << "the user asked nothing";
  const auto user = with_network("gcp-a3-megax128", "NCCL_PROTO", "LL128");
  EXPECT_EQ(user.proto, "LL128");
  EXPECT_EQ(user.from_network.count("NCCL_PROTO"), 0U);
  EXPECT_EQ(with_network("hgx-a100x4@efa-v1", nullptr, "").proto, "Simple");
  EXPECT_EQ(with_network("hgx-a100", nullptr, "").proto, "") << "one node";
  EXPECT_EQ(with_network("aws-p5x128", nullptr, "").proto, "") << "keeps 128 bytes in order";
}

TEST(NcclChoice, SharpBringsCollNet) {
  std::string xml = read_text_file(std::string(FABRICAST_GOLDEN_NCCL) + "/topologies/h100.xml");
  for (std::size_t at = 0; (at = xml.find("keep=\"1\"", at)) != std::string::npos; at += 8) {
    xml.insert(at, "coll=\"1\" ");
    at += 9;
  }
  const auto system = read_system(xml, "h100.xml");
  EXPECT_FALSE(make_communicator(system, 4).collnet_supported);
  const auto sharp =
      make_communicator(system, 4, {}, overrides_from({{"NCCL_COLLNET_ENABLE", "1"}}));
  EXPECT_TRUE(sharp.collnet_supported);
  EXPECT_EQ(sharp.collnet_direct.channels, 8);
  const auto all = candidates(sharp, {Collective::all_reduce, gib});
  EXPECT_TRUE(all[index_of(Algorithm::collnet_direct) * protocol_count + 2].time_us.has_value());
  EXPECT_TRUE(all[index_of(Algorithm::nvls) * protocol_count + 2].time_us.has_value());
}

TEST(NcclChoice, BadOverridesAreRefused) {
  Overrides overrides;
  EXPECT_THAT([&] { assign(overrides, "NCCL_ALG", "ring"); },
              ThrowsMessage<UsageError>(HasSubstr("did you mean \"NCCL_ALGO\"")));
  EXPECT_THAT([&] { assign(overrides, "NCCL_MAX_NCHANNELS", "many"); },
              ThrowsMessage<UsageError>(HasSubstr("whole number")));
  EXPECT_THAT([&] { assign(overrides, "NCCL_P2P_LEVEL", "near"); },
              ThrowsMessage<UsageError>(HasSubstr("PXB")));
  EXPECT_THAT(
      [] {
        of_file("h100", 1, {}, {{"NCCL_ALGO", "rign"}});
      },
      ThrowsMessage<UsageError>(HasSubstr("did you mean \"Ring\"")));
  const auto none = of_file("h100", 1, {}, {{"NCCL_ALGO", "NVLSTree"}});
  EXPECT_THAT(
      [&] {
        static_cast<void>(choose(none, {Collective::all_reduce, 8}));
      },
      ThrowsMessage<UsageError>(HasSubstr("NCCL_ALGO \"NVLSTree\"")));
  EXPECT_TRUE(overrides_from({{"NCCL_DEBUG", "INFO"}}).set.empty());
}

TEST(NcclVersions, TablesAreOrderedAndNamed) {
  const auto tables = tuner_tables();
  for (std::size_t i = 1; i < tables.size(); ++i) EXPECT_GT(tables[i - 1].since, tables[i].since);
  EXPECT_THAT(std::string(tuner_table({2, 28, 9}).source), HasSubstr("v2.28.9-1"));
  EXPECT_THAT(std::string(tuner_table({2, 24, 3}).source), HasSubstr("v2.23.4-1"));
  EXPECT_EQ(parse_version("2.27"), (Version{2, 27, 7}));
  EXPECT_EQ(parse_version("2.21.5-1+cuda12.4"), (Version{2, 21, 5}));
  EXPECT_THROW(parse_version("3.1"), UsageError);
  EXPECT_THROW(parse_version("2.x"), UsageError);
  EXPECT_THROW(parse_version(""), UsageError);
}

TEST(NcclVersions, ChoicesDiffer) {
  const Request gather{Collective::all_gather, 262'144};
  EXPECT_EQ(choose(of_file("one", 8), gather).algorithm, Algorithm::pat);
  EXPECT_EQ(choose(of_file("one", 8, {2, 21, 5}), gather).algorithm, Algorithm::ring);
  // 2.18: NVLink 4 counts 20.0 GB/s a link, 2.28: 20.6.
  const auto row = [](const Version& version) {
    return of_file("b200", 2, version)
        .bandwidth_gbps[index_of(Function::all_reduce)][index_of(Algorithm::ring)]
                       [index_of(Protocol::ll128)];
  };
  EXPECT_LT(row({2, 28, 9}), row({2, 28, 3}));
  EXPECT_NE(row({2, 30, 7}), row({2, 28, 9}));
}

TEST(NcclMachines, ShippedMachinesGetTheChannelsTheirFilesSay) {
  for (const char* name : {"hgx-h100", "hgx-h100x1260", "gb200-nvl72", "gb300-nvl72x140"}) {
    const auto machine = load_machine(name);
    const auto communicator = make_communicator(*machine);
    EXPECT_EQ(communicator.ranks, machine->ranks());
    EXPECT_EQ(communicator.coll_channels, machine->channels().value) << name;
  }
}

TEST(NcclMachines, EveryShippedMachineIsChosenForOrRefused) {
  for (const auto& listing : list_machines()) {
    const auto machine = load_machine(listing.name);
    try {
      const auto communicator = make_communicator(*machine);
      EXPECT_GT(choose(communicator, {Collective::all_reduce, gib}).channels, 0) << listing.name;
    } catch (const UsageError& error) {
      EXPECT_THAT(error.what(), HasSubstr("NCCL does not run on")) << listing.name;
    }
  }
}

TEST(NcclMachines, PartOfAMachineIsOneToo) {
  const auto whole = load_machine("gb300-nvl72x140");
  EXPECT_EQ(make_communicator(*with_ranks(whole, 144)).nodes, 2);
  const auto half = make_communicator(*with_ranks(whole, 36));
  EXPECT_EQ(half.ranks, 36);
  EXPECT_TRUE(half.mnnvl);
  EXPECT_EQ(make_communicator(*with_ranks(whole, 1)).ranks, 1);
}

}  // namespace
}  // namespace fabricast::nccl
