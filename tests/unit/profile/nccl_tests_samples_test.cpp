#include "emulator/profile/nccl_tests_samples.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "emulator/profile/nccl_settings.hpp"
#include "emulator/profile/nccl_tests_json.hpp"
#include "emulator/profile/nccl_tests_log.hpp"

namespace fabricast {
namespace {

struct Imported {
  SampleSet samples;
  std::vector<RefusedLine> refused;
  std::vector<NcclTestsShape> shapes;
  ImportCount count;
};

Imported import_text(const std::string& text, const std::string& file, const ImportRules& rules) {
  const auto output =
      looks_like_json(text) ? read_nccl_tests_json(text, file) : read_nccl_tests_log(text, file);
  Imported made;
  for (const auto& run : output.runs) {
    made.shapes.push_back(shape_of(run, file, rules));
    if (!made.shapes.back().refusal.empty()) continue;
    made.count =
        add_samples(run, made.shapes.back(), rules, {"m", file, "abc"}, made.samples, made.refused);
  }
  return made;
}

Imported import_golden(const std::string& name, const ImportRules& rules = {}) {
  std::ifstream file(std::string(FABRICAST_GOLDEN_NCCL_TESTS) + "/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  return import_text({std::istreambuf_iterator<char>(file), {}}, name, rules);
}

TEST(NcclTestsSamples, ConditionsAreThoseOfALibraryThatChose) {
  const auto made = import_golden("all_reduce-2.17.log");
  ASSERT_EQ(made.samples.conditions.size(), 28);
  const Conditions& c = made.samples.conditions[2];
  EXPECT_EQ(c.executor, ExecutorKind::nccl);
  EXPECT_EQ(c.machine, "m");
  EXPECT_EQ(c.suite, "collective");
  EXPECT_EQ(c.collective, Collective::all_reduce);
  EXPECT_EQ(c.algorithm, "nccl");
  EXPECT_EQ(c.protocol, "auto");
  EXPECT_EQ(c.channels, 0);
  EXPECT_EQ(c.ranks, 8);
  EXPECT_EQ(c.bytes, 32);
  EXPECT_EQ(c.dtype, "float");
  EXPECT_FALSE(c.in_place);
  ASSERT_EQ(made.samples.sources.size(), made.samples.samples.size());
  const SampleSource& source = made.samples.sources[2];
  EXPECT_EQ(source.file, "all_reduce-2.17.log");
  EXPECT_EQ(source.line, 19);
  EXPECT_NE(source.description.find("NCCL 2.28.3, mean of 20 iterations after 5"),
            std::string::npos);
  EXPECT_EQ(made.shapes[0].hosts, 1);
  EXPECT_EQ(made.shapes[0].per_host, 8);
}

TEST(NcclTestsSamples, OverridesAndWhatTheLibrarySaid) {
  const auto two = import_golden("two-runs.log");
  EXPECT_EQ(two.shapes[0].hosts, 2);
  EXPECT_EQ(two.samples.conditions.front().algorithm, "nccl");
  EXPECT_EQ(two.samples.conditions.back().algorithm, "ring");
  EXPECT_EQ(two.samples.conditions.back().protocol, "simple");
  EXPECT_EQ(two.samples.conditions.front().redop, "sum");
  EXPECT_EQ(two.samples.conditions.back().redop, "none");
  ASSERT_EQ(two.refused.size(), 3);
  EXPECT_EQ(two.refused[0].reason, "size 0 moves nothing");
  const auto said = import_golden("all_reduce-tuning.log");
  EXPECT_EQ(said.samples.conditions[0].protocol, "ll");
  EXPECT_EQ(said.samples.conditions[0].channels, 4);
  EXPECT_EQ(said.samples.conditions[4].algorithm, "nvls");
  const auto json = import_golden("reduce_scatter.json");
  EXPECT_EQ(json.samples.conditions.front().protocol, "simple");
  EXPECT_EQ(json.samples.conditions.front().dtype, "bfloat16");
}

TEST(NcclTestsSamples, OddRowsAreRefusedByLineAndReason) {
  const auto made = import_golden("alltoall-odd-rows.log");
  ASSERT_EQ(made.refused.size(), 3);
  EXPECT_EQ(made.refused[0].line, 18);
  EXPECT_EQ(made.refused[0].reason, "its time out of place is no positive number");
  EXPECT_NE(made.refused[1].reason.find("algbw 99.9 does not follow from 4194304 B in 48.07 us"),
            std::string::npos);
  EXPECT_EQ(made.refused[2].reason, "its time out of place is no positive number");
  // The first row's set-up: shown, not fitted.
  EXPECT_EQ(made.count.accepted, 4);
  EXPECT_EQ(made.count.discarded, 1);
  EXPECT_TRUE(made.samples.samples[0].discarded);
  EXPECT_FALSE(made.samples.samples[1].discarded);
}

TEST(NcclTestsSamples, WrongElementsAreNoEvidenceUnlessAsked) {
  EXPECT_EQ(import_golden("broadcast-2.18-per-iteration.log").refused.at(0).reason,
            "3 wrong elements out of place");
  EXPECT_TRUE(import_golden("broadcast-2.18-per-iteration.log", {{}, 0, true}).refused.empty());
}

TEST(NcclTestsSamples, RepeatsOfAConditionCountUp) {
  std::ifstream file(std::string(FABRICAST_GOLDEN_NCCL_TESTS) + "/all_reduce-1.x.log");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto made = import_text(text + text, "all_reduce.log", {});
  EXPECT_EQ(made.samples.conditions.size(), 8);
  EXPECT_EQ(made.samples.samples.size(), 16);
  EXPECT_EQ(made.samples.samples.back().iteration, 1);
  EXPECT_EQ(made.samples.summarize(0).count, 2);
}

TEST(NcclTestsSamples, WhatTheTextDoesNotSayMustBeSaid) {
  const std::string row =
      "  268435456  67108864  float  sum  -1  1234.56  217.43  407.69  0  1230.00  218.24  409.20  "
      "0\n";
  EXPECT_NE(import_text(row, "log.txt", {}).shapes.at(0).refusal.find("say --collective"),
            std::string::npos);
  EXPECT_EQ(import_text(row, "b200-all-reduce.txt", {}).shapes.at(0).refusal,
            "it does not list its ranks (its bandwidths fit 16): say --ranks");
  const auto made = import_text(row, "log.txt", {Collective::all_reduce, 16, false});
  EXPECT_EQ(made.count.accepted, 2);
  const auto wrong = import_text(row, "log.txt", {Collective::all_gather, 16, false});
  ASSERT_EQ(wrong.refused.size(), 1);
  EXPECT_NE(wrong.refused[0].reason.find("as all_gather of 16 ranks"), std::string::npos);
  ImportRules rules;
  rules.collective = Collective::broadcast;
  EXPECT_EQ(import_golden("all_reduce-2.17.log", rules).shapes.at(0).refusal,
            "it says all_reduce_perf, not the collective asked for");
  rules = {{}, 4, false};
  EXPECT_EQ(import_golden("all_reduce-2.17.log", rules).shapes.at(0).refusal,
            "it lists 8 ranks, not the 4 asked for");
}

// Most tables that people paste do not name the program. The columns and the ratio of the
// bandwidths often leave one collective only.
TEST(NcclTestsSamples, TheBandwidthsMayTellTheCollective) {
  const auto collective_of = [](const std::string& columns, const std::string& numbers,
                                std::int32_t ranks) {
    const std::string row =
        "  268435456  67108864  float  " + columns + "  " + numbers + "  0  " + numbers + "  0\n";
    ImportRules rules;
    rules.ranks = ranks;
    const auto shape = import_text(row, "log.txt", rules).shapes.at(0);
    return shape.collective ? std::string(to_string(*shape.collective)) : shape.refusal;
  };
  const std::string ask =
      "neither the text nor the file's name says which collective it is: say --collective";
  // 2 (n - 1) / n, (n - 1) / n and 1 of 217.43 GB/s.
  const std::string twice = "1234.56  217.43  407.69", once = "1234.56  217.43  203.84",
                    all = "1234.56  217.43  217.43";
  EXPECT_EQ(collective_of("sum  -1", twice, 16), "all_reduce");
  EXPECT_EQ(collective_of("sum  -1", once, 16), "reduce_scatter");
  EXPECT_EQ(collective_of("sum   0", all, 16), "reduce");
  EXPECT_EQ(collective_of("none  0", all, 16), "broadcast");
  EXPECT_EQ(collective_of("none -1", once, 16), ask) << "all_gather or all_to_all";
  EXPECT_EQ(collective_of("sum  -1", all, 2), ask) << "all_reduce of two, or send_recv";
  EXPECT_EQ(collective_of("sum  -1", all, 8), ask) << "of two, whatever --ranks says";
  EXPECT_EQ(collective_of("sum  -1", twice, 8), ask) << "of no collective of eight";
  EXPECT_EQ(collective_of("sum  -1", twice, 0), ask) << "the ranks are not known";
}

TEST(NcclTestsSamples, RunsThatAreNoEvidence) {
  NcclTestsRun run;
  run.program = "all_reduce_perf";
  run.devices = {{0, 0, "a", "H100"}, {1, 0, "a", "H100"}};
  EXPECT_EQ(shape_of(run, "x", {}).refusal, "");
  auto changed = run;
  changed.devices.pop_back();
  EXPECT_EQ(shape_of(changed, "x", {}).refusal, "one rank moves nothing between GPUs");
  changed = run;
  changed.devices[1].group = 1;
  EXPECT_NE(shape_of(changed, "x", {}).refusal.find("2 groups"), std::string::npos);
  changed = run;
  changed.devices[1].name = "H200";
  EXPECT_NE(shape_of(changed, "x", {}).refusal.find("not alike"), std::string::npos);
  changed = run;
  changed.aggregated = 4;
  EXPECT_NE(shape_of(changed, "x", {}).refusal.find("-m"), std::string::npos);
  changed = run;
  changed.cpu_time = true;
  EXPECT_NE(shape_of(changed, "x", {}).refusal.find("-C"), std::string::npos);
  changed = run;
  changed.program = "hypercube_perf";
  EXPECT_NE(shape_of(changed, "x", {}).refusal.find("hypercube_perf"), std::string::npos);
}

TEST(NcclTestsSamples, BandwidthsFollowFromTheTimeWithinItsDigits) {
  NcclTestsTiming timing;
  timing.time_us = {12.34, 0.005};
  timing.algbw = {84.97, 0.005};
  timing.busbw = {148.70, 0.005};
  EXPECT_EQ(bandwidth_problem(timing, 1048576, Collective::all_reduce, 8), "");
  timing.busbw.value = 148.90;
  EXPECT_NE(bandwidth_problem(timing, 1048576, Collective::all_reduce, 8).find("busbw 148.9"),
            std::string::npos);
  timing.time_us = {1.2e4, 500};  // printed with two digits
  timing.algbw = {85, 0.5};
  timing.busbw = {148.7, 0.05};
  EXPECT_EQ(bandwidth_problem(timing, 1048576000, Collective::all_reduce, 8), "");
}

// As of 1 GiB on 12 GPUs in 13,744 us: 78.1 GB/s, of which a rank keeps a twelfth.
TEST(NcclTestsSamples, OlderAlgbwLeavesTheOwnBlockOut) {
  NcclTestsShape shape;
  shape.ranks = 12;
  const auto refused_as = [&](Collective collective, double algbw, double busbw) {
    NcclTestsRun run;
    run.rows.push_back({1, 1073741808, "float", "", -1, {}});
    run.rows[0].timings.push_back(
        {false, {13744, 0.5}, {algbw, 0.005}, {busbw, 0.005}, std::nullopt});
    shape.collective = collective;
    SampleSet samples;
    std::vector<RefusedLine> refused;
    add_samples(run, shape, {}, {"m", "f", "0"}, samples, refused);
    return refused.size();
  };
  EXPECT_EQ(refused_as(Collective::all_gather, 71.61, 71.61), 0);
  EXPECT_EQ(refused_as(Collective::reduce_scatter, 71.61, 71.61), 0);
  EXPECT_EQ(refused_as(Collective::all_gather, 78.12, 71.61), 0) << "as of today";
  EXPECT_EQ(refused_as(Collective::all_gather, 70.61, 70.61), 1);
  EXPECT_EQ(refused_as(Collective::all_to_all, 71.61, 71.61), 1) << "came later";
}

TEST(NcclSettings, VersionsAndNames) {
  EXPECT_EQ(nccl_version_of(22105), "2.21.5");
  EXPECT_EQ(nccl_version_of(2804), "2.8.4");
  EXPECT_EQ(nccl_version_of(-1), "");
  EXPECT_EQ(nccl_version_in("x NCCL INFO NCCL version 2.21.5+cuda12.4"), "2.21.5");
  EXPECT_EQ(nccl_version_in("NCCL version"), "");
  EXPECT_EQ(algorithm_of("NVLSTree"), "nvls_tree");
  EXPECT_EQ(algorithm_of("^tree"), "");
  EXPECT_EQ(protocol_of("LL128"), "ll128");
  EXPECT_EQ(protocol_of("LL,Simple"), "");
}

}  // namespace
}  // namespace fabricast
