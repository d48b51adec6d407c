#include "emulator/profile/nccl_tests_log.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/profile/log_line.hpp"
#include "emulator/profile/nccl_tests_samples.hpp"

namespace fabricast {
namespace {

std::string golden(const std::string& name) {
  std::ifstream file(std::string(FABRICAST_GOLDEN_NCCL_TESTS) + "/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

NcclTestsOutput read_golden(const std::string& name) {
  return read_nccl_tests_log(golden(name), name);
}

const char* const table_head =
    "#       size         count      type   redop    root     time   algbw   busbw #wrong     time "
    "  algbw   busbw #wrong\n";

TEST(NcclTestsLog, TheNewestHead) {
  const auto output = read_golden("all_reduce-2.17.log");
  ASSERT_EQ(output.runs.size(), 1);
  const NcclTestsRun& run = output.runs.front();
  EXPECT_EQ(run.program, "all_reduce_perf");
  EXPECT_EQ(run.tests_version, "2.17.6");
  EXPECT_EQ(run.nccl_version, "2.28.3");
  EXPECT_EQ(run.iterations, 20);
  EXPECT_EQ(run.warmup, 5);
  EXPECT_EQ(run.aggregated, 1);
  EXPECT_EQ(run.graph, 0);
  EXPECT_TRUE(run.complete);
  EXPECT_FALSE(run.failed);
  ASSERT_EQ(run.devices.size(), 8);
  EXPECT_EQ(run.devices[7].rank, 7);
  EXPECT_EQ(run.devices[7].host, "node-a");
  EXPECT_EQ(run.devices[7].name, "NVIDIA H100 80GB HBM3");
  ASSERT_EQ(run.rows.size(), 14);
  const NcclTestsRow& row = run.rows[8];
  EXPECT_EQ(row.bytes, 524288);
  EXPECT_EQ(row.dtype, "float");
  EXPECT_EQ(row.redop, "sum");
  EXPECT_EQ(row.root, -1);
  ASSERT_EQ(row.timings.size(), 2);
  EXPECT_FALSE(row.timings[0].in_place);
  EXPECT_EQ(row.timings[0].time_us, (PrintedNumber{23.18, 0.005}));
  EXPECT_TRUE(row.timings[1].in_place);
  EXPECT_EQ(row.timings[1].wrong, 0);
  EXPECT_TRUE(output.refused.empty());
  EXPECT_EQ(output.unknown_lines, 0);
}

TEST(NcclTestsLog, SeveralRunsWithTheirOwnSettings) {
  const auto output = read_golden("two-runs.log");
  ASSERT_EQ(output.runs.size(), 2);
  EXPECT_EQ(output.runs[0].program, "all_reduce_perf");
  EXPECT_EQ(output.runs[0].environment.count("NCCL_ALGO"), 0);
  EXPECT_EQ(output.runs[0].nccl_version, "2.28.3");
  EXPECT_EQ(output.runs[1].program, "all_gather_perf");
  EXPECT_EQ(output.runs[1].environment.at("NCCL_ALGO"), "Ring");
  EXPECT_EQ(output.runs[1].environment.at("NCCL_PROTO"), "Simple");
  EXPECT_EQ(output.runs[1].devices.size(), 16);
  EXPECT_EQ(output.runs[1].rows.front().bytes, 0);
  EXPECT_EQ(output.unknown_lines, 1) << "srun's last word";
}

TEST(NcclTestsLog, LabelsOfMpirunAndTheLibrarysLogInsideARow) {
  const auto output = read_golden("all_reduce-2.13-mpirun-tags.log");
  ASSERT_EQ(output.runs.size(), 1);
  const NcclTestsRun& run = output.runs.front();
  EXPECT_EQ(run.stream, "0");
  EXPECT_EQ(run.nccl_version, "2.18.5");
  EXPECT_EQ(run.environment.at("NCCL_ALGO"), "Tree");
  EXPECT_EQ(run.devices.size(), 16);
  ASSERT_EQ(run.rows.size(), 8);
  EXPECT_EQ(run.rows[0].bytes, 1024);
  EXPECT_EQ(run.rows[0].timings[0].time_us.value, 36.01);
  EXPECT_EQ(run.rows[0].timings[1].busbw.value, 0.05);
  EXPECT_TRUE(output.refused.empty());
  EXPECT_EQ(output.library_lines, 14);
  EXPECT_EQ(output.unknown_lines, 0);
}

TEST(NcclTestsLog, LabelsOfSrunTimeStampsColoursAndTheErrorColumn) {
  const auto output = read_golden("all_reduce-2.0-srun-crlf.log");
  ASSERT_EQ(output.runs.size(), 1);
  const NcclTestsRun& run = output.runs.front();
  EXPECT_EQ(run.stream, "0");
  EXPECT_EQ(run.devices.size(), 8);
  EXPECT_EQ(run.devices[0].name, "A100-SXM4-80GB");
  ASSERT_EQ(run.rows.size(), 4);
  EXPECT_EQ(run.rows[3].bytes, 64 << 20);
  EXPECT_EQ(run.rows[3].timings[1].busbw.value, 213.03);
  EXPECT_FALSE(run.rows[3].timings[1].wrong) << "an error of 2e-07 is no count";
  EXPECT_TRUE(run.complete);
  EXPECT_EQ(output.unknown_lines, 1);
}

// AMD's: a head of its own, older ones with other words, and RCCL's lines between.
TEST(NcclTestsLog, RcclTests) {
  const std::string rows =
      std::string(table_head) +
      "  1048576  262144  float  sum  -1  69.03  15.19  28.48  0  68.26  15.36 "
      " 28.80  0\n# Avg bus bandwidth : 28\n";
  const std::string device =
      "#  Rank  0 Group  0 Pid 7 on node-a device  0 [0000:05:00] AMD MI300X\n";
  const auto now = read_nccl_tests_log(
      "# rccl-tests version 2.17.9-develop:4a65e8d rccl-headers=22707 rccl-library=22707\n"
      "# Collective test starting: all_reduce_perf\n"
      "# nThread 1 nGpus 1 minBytes 16 maxBytes 32 step: 2(factor) warmup iters: 5 iters: 20 agg "
      "iters: 1 validation: 1 graph: 0\n" +
          device +
          "RCCL version : 2.27.7-HEAD:96a25b5\nHIP version  : 7.2.5\nROCm version : 7.2.2.0-86\n"
          "Hostname     : node-a\nLibrccl path : /opt/rocm/lib/librccl.so.1\n" +
          rows,
      "x.log");
  ASSERT_EQ(now.runs.size(), 1);
  EXPECT_EQ(now.runs[0].tests_version, "2.17.9-develop:4a65e8d");
  EXPECT_EQ(now.runs[0].nccl_version, "2.27.7");
  EXPECT_EQ(now.unknown_lines, 0);
  EXPECT_EQ(describe(now.runs[0]),
            "rccl-tests 2.17.9-develop:4a65e8d, RCCL 2.27.7, mean of 20 iterations after 5");
  const auto before = read_nccl_tests_log(
      "# nThreads: 1 nGpus: 2 nRanks: 1 minBytes: 8 maxBytes: 16 step: 2(factor) warmupIters: 5 "
      "iters: 20 validation: 1\n#\nrccl-tests: Version develop:ae3e635\n" +
          device + "RCCL version 2.18.3+hip6.0 HEAD:2f6d59e+\n" + rows,
      "x.log");
  ASSERT_EQ(before.runs.size(), 1);
  EXPECT_EQ(before.unknown_lines, 0);
  EXPECT_EQ(describe(before.runs[0]),
            "rccl-tests develop:ae3e635, RCCL 2.18.3, mean of 20 iterations after 5");
  EXPECT_EQ(before.runs[0].validation, 1);
  // With NCCL_DEBUG=VERSION and no head that names AMD's tests.
  const auto early = read_nccl_tests_log(
      "RCCL version : 2.27.7-HEAD:96a25b5\n# Collective test starting: all_reduce_perf\n" + device +
          rows,
      "x.log");
  ASSERT_EQ(early.runs.size(), 1);
  EXPECT_TRUE(early.runs[0].rccl);
  EXPECT_EQ(early.runs[0].nccl_version, "2.27.7");
}

TEST(NcclTestsLog, LinesMayBeQuotedOrLabelledByRay) {
  auto plain = read_golden("all_reduce-2.17.log");
  const auto with = [](const std::string& prefix) {
    std::string text = prefix;
    for (const char c : golden("all_reduce-2.17.log")) {
      text += c;
      if (c == '\n') text += prefix;
    }
    return read_nccl_tests_log(text + "\n", "all_reduce-2.17.log");
  };
  EXPECT_EQ(with("> ").runs, plain.runs);
  EXPECT_EQ(with("> ").unknown_lines, 0);
  const auto labelled = with("(head, rank=0, pid=3808) ");
  plain.runs.at(0).stream = "head, rank=0, pid=3808";
  EXPECT_EQ(labelled.runs, plain.runs);
  EXPECT_EQ(labelled.unknown_lines, 0);
}

TEST(NcclTestsLog, VersionOne) {
  const auto output = read_golden("all_reduce-1.x.log");
  ASSERT_EQ(output.runs.size(), 1);
  EXPECT_EQ(output.runs[0].devices.size(), 4);
  EXPECT_EQ(output.runs[0].devices[3].name, "Tesla V100-SXM2-16GB");
  ASSERT_EQ(output.runs[0].rows.size(), 4);
  EXPECT_EQ(output.runs[0].rows[0].timings[0].time_us, (PrintedNumber{31.092, 0.0005}));
}

TEST(NcclTestsLog, IterationReportsTimeStampsAndRoots) {
  const auto output = read_golden("broadcast-2.18-per-iteration.log");
  ASSERT_EQ(output.runs.size(), 1);
  ASSERT_EQ(output.runs[0].rows.size(), 6);
  EXPECT_EQ(output.runs[0].rows[2].root, 2);
  EXPECT_EQ(output.runs[0].rows[2].timings[0].wrong, 3);
  EXPECT_EQ(output.runs[0].rows[5].timings[1].time_us.value,
            output.runs[0].rows[5].timings[0].time_us.value);
  EXPECT_TRUE(output.runs[0].failed);
  EXPECT_EQ(output.runs[0].nccl_version, "2.29.7");
}

TEST(NcclTestsLog, WhatTheLibrarySaysItChose) {
  const auto output = read_golden("all_reduce-tuning.log");
  ASSERT_EQ(output.runs.size(), 1);
  const auto& choices = output.runs[0].choices;
  EXPECT_EQ(choices.at({"AllReduce", 1024}), (NcclChoice{"ring", "ll", 4}));
  EXPECT_EQ(choices.at({"AllReduce", 1 << 18}), (NcclChoice{"nvls", "simple", 16}));
  EXPECT_EQ(choices.at({"AllReduce", 1 << 22}), (NcclChoice{"ring", "simple", 16}));
}

// A cut file gives the rows before the cut, whatever the byte.
TEST(NcclTestsLog, CutAtEveryByte) {
  for (const char* name :
       {"all_reduce-2.17.log", "two-runs.log", "all_reduce-2.13-mpirun-tags.log",
        "all_reduce-2.0-srun-crlf.log", "all_reduce-1.x.log", "broadcast-2.18-per-iteration.log",
        "alltoall-odd-rows.log", "all_reduce-tuning.log"}) {
    const std::string text = golden(name);
    std::vector<NcclTestsRow> rows;
    for (const auto& run : read_nccl_tests_log(text, name).runs) {
      rows.insert(rows.end(), run.rows.begin(), run.rows.end());
    }
    std::size_t most = 0;
    for (std::size_t size = 0; size <= text.size(); ++size) {
      const auto cut = read_nccl_tests_log(std::string_view(text).substr(0, size), name);
      const bool middle = size > 0 && text[size - 1] != '\n';
      ASSERT_EQ(cut.cut, middle) << name << " " << size;
      ASSERT_EQ(middle, !cut.refused.empty() && cut.refused.back().reason.find(
                                                    "middle of this line") != std::string::npos);
      std::size_t seen = 0;
      for (const auto& run : cut.runs) {
        for (const auto& row : run.rows) {
          ASSERT_LT(seen, rows.size());
          ASSERT_EQ(row, rows[seen++]) << name << " cut at " << size;
        }
      }
      ASSERT_GE(seen, most) << "a longer text has no fewer rows";
      most = seen;
    }
    EXPECT_EQ(most, rows.size()) << name;
  }
}

// Whatever happened to a file, it is read to its end, and every row has a time.
TEST(NcclTestsLog, DamagedFiles) {
  constexpr int files = 3000;
  constexpr std::array<const char*, 4> names{"two-runs.log", "all_reduce-2.13-mpirun-tags.log",
                                             "broadcast-2.18-per-iteration.log",
                                             "all_reduce-tuning.log"};
  constexpr std::string_view pieces = "\n\r \t\x1b[:|#-+.0123456789eEnaif/{}=\xff";
  std::mt19937 random(7);
  for (int i = 0; i < files; ++i) {
    std::string text = golden(names[static_cast<std::size_t>(i) % names.size()]);
    for (int k = 0; k < 8; ++k) {
      const std::size_t at = random() % text.size(), other = random() % text.size();
      switch (random() % 4) {
        case 0:
          text[at] = pieces[random() % pieces.size()];
          break;
        case 1:
          text.erase(at, random() % 80);
          break;
        case 2:
          text.insert(at, text.substr(other, random() % 200));
          break;
        default:
          text.insert(at, 1, pieces[random() % pieces.size()]);
      }
    }
    const auto output = read_nccl_tests_log(text, "all_reduce.log");
    SampleSet samples;
    std::vector<RefusedLine> refused;
    std::size_t rows = 0;
    for (const auto& run : output.runs) {
      for (const auto& row : run.rows) {
        ASSERT_FALSE(row.timings.empty());
        ASSERT_GT(row.line, 0);
        ASSERT_LE(row.line, output.lines);
      }
      const auto shape = shape_of(run, "all_reduce.log", {});
      if (!shape.refusal.empty()) continue;
      rows += run.rows.size();
      add_samples(run, shape, {}, {"m", "f", "s"}, samples, refused);
    }
    for (const auto& sample : samples.samples) ASSERT_GT(sample.value, 0);
    ASSERT_LE(samples.samples.size(), 2 * (rows - refused.size()));
  }
}

TEST(NcclTestsLog, ARowThatNeverEndsIsRefused) {
  const std::string text =
      std::string(table_head) +
      "        1024           256     float     sum      -1    36.01    0.03\n"
      "mpirun was killed\n"
      "        4096          1024     float     sum      -1    36.03    0.11    "
      "0.21      0    34.95    0.12    0.22      0\n";
  const auto output = read_nccl_tests_log(text, "x");
  ASSERT_EQ(output.runs.size(), 1);
  EXPECT_EQ(output.runs[0].rows.size(), 1);
  ASSERT_EQ(output.refused.size(), 1);
  EXPECT_EQ(output.refused[0].line, 2);
  EXPECT_NE(output.refused[0].reason.find("not whole (3 numbers"), std::string::npos);
}

TEST(NcclTestsLog, OnePlacementOfTwo) {
  const std::string start =
      std::string(table_head) + "        1024           256     float     sum      -1";
  const std::string numbers = "    36.01    0.03    0.05      0\n";
  const auto first = read_nccl_tests_log(start + numbers, "x");
  ASSERT_EQ(first.runs.at(0).rows.size(), 1);
  EXPECT_FALSE(first.runs[0].rows[0].timings.at(0).in_place);
  const auto second = read_nccl_tests_log(start + std::string(32, ' ') + numbers, "x");
  ASSERT_EQ(second.runs.at(0).rows.size(), 1);
  EXPECT_TRUE(second.runs[0].rows[0].timings.at(0).in_place);
}

TEST(NcclTestsLog, TablesWithoutAnyHead) {
  const auto output = read_nccl_tests_log(
      "  1048576  262144  float  sum  -1  48.07  21.81  38.17  0  47.00  22.31  39.04  0\n"
      "  4194304  1048576  float  sum  72.26  58.04  101.57  2e-07  71.02  59.06  103.36  2e-07\n",
      "x");
  ASSERT_EQ(output.runs.size(), 1);
  ASSERT_EQ(output.runs[0].rows.size(), 2);
  EXPECT_EQ(output.runs[0].rows[0].timings[0].wrong, 0);
  EXPECT_EQ(output.runs[0].rows[1].root, -1);
  EXPECT_FALSE(output.runs[0].rows[1].timings[0].wrong);
  EXPECT_TRUE(output.runs[0].devices.empty());
}

// Processes that did not find each other each print a table of one rank.
TEST(NcclTestsLog, EveryProcessItsOwnTable) {
  std::string text;
  for (const char* label : {"[1,0]<stdout>:", "[1,1]<stdout>:"}) {
    text += std::string(label) + "#  Rank  0 Group  0 Pid 7 on node-a device 0 [0x19] H100\n";
  }
  for (const char* label : {"[1,1]<stdout>:", "[1,0]<stdout>:"}) {
    text += std::string(label) +
            "   1024   256   float   sum   -1   6.01   0.17   0.00   0   5.95   0.17   0.00   0\n";
  }
  const auto output = read_nccl_tests_log(text, "x");
  ASSERT_EQ(output.runs.size(), 2);
  for (const auto& run : output.runs) {
    EXPECT_EQ(run.devices.size(), 1);
    EXPECT_EQ(run.rows.size(), 1);
  }
}

TEST(NcclTestsLog, SettingsOfTheShell) {
  const auto output = read_nccl_tests_log(
      "export NCCL_ALGO=Tree NCCL_IB_HCA=\"mlx5\"\n"
      "mpirun -x NCCL_PROTO=LL ./all_reduce_perf -b 8\n"
      "  1048576  262144  float  sum  -1  48.07  21.81  38.17  0  47.00  22.31  39.04  0\n"
      "# Avg bus bandwidth    : 38 \n"
      "unset NCCL_ALGO\n"
      "./broadcast_perf\n"
      "#       size         count      type   redop    root     time   algbw   busbw #wrong     "
      "time   "
      "algbw   busbw #wrong\n"
      "  1048576  262144  float  none  0  48.07  21.81  21.81  0  47.00  22.31  22.31  0\n",
      "x");
  ASSERT_EQ(output.runs.size(), 2);
  EXPECT_EQ(output.runs[0].program, "all_reduce_perf");
  EXPECT_EQ(output.runs[0].environment.at("NCCL_ALGO"), "Tree");
  EXPECT_EQ(output.runs[0].environment.at("NCCL_PROTO"), "LL");
  EXPECT_EQ(output.runs[0].environment.at("NCCL_IB_HCA"), "mlx5");
  EXPECT_EQ(output.runs[1].program, "broadcast_perf");
  EXPECT_EQ(output.runs[1].environment,
            (std::map<std::string, std::string>{{"NCCL_IB_HCA", "mlx5"}}));
}

TEST(LogLine, Prefixes) {
  const auto text = [](std::string_view line) { return read_log_line(line, {}).text; };
  EXPECT_EQ(text("[1,0]<stdout>:# x"), "# x");
  EXPECT_EQ(text("Mon Jan  6 10:00:00 2025[1,12]<stdout>:# x"), "# x");
  EXPECT_EQ(text("[prterun-a-12@1,0]<stdout>: # x"), " # x");
  EXPECT_EQ(text(" 0: # x"), " # x");
  EXPECT_EQ(text("node-17: # x"), " # x");
  EXPECT_EQ(text("worker-0 | # x"), " # x");
  EXPECT_EQ(text("[0] # x"), " # x") << "MPICH";
  EXPECT_EQ(read_log_line("[5.000005] 8 2 float", {}).stream, "") << "seconds";
  EXPECT_EQ(text("[pod/job-launcher-x7/nccl]      8   2  float"), "      8   2  float")
      << "kubectl";
  EXPECT_EQ(read_log_line("[0] NCCL INFO x", {}).stream, "") << "that is a device";
  EXPECT_EQ(text("[a0:0:17 - context.c:5] 8"), "[a0:0:17 - context.c:5] 8");
  EXPECT_EQ(text("[2025-01-02 03:04:05,678] # x"), "# x");
  EXPECT_EQ(text("2025-01-02T03:04:05.678901+00:00 # x"), "# x");
  EXPECT_EQ(text("03:04:05 # x"), "# x");
  EXPECT_EQ(text("Warning: nothing of ours"), "Warning: nothing of ours");
  EXPECT_EQ(text("progress 10%\rprogress 20%\r# x\r"), "# x");
  EXPECT_EQ(read_log_line("12: # x", {}).stream, "12");
}

TEST(LogLine, TheLibrarysPart) {
  const auto glued =
      read_log_line("  8  2  float  sum  -110-0-0-1:12:34 [0] NCCL INFO x", {"10-0-0-1"});
  EXPECT_EQ(glued.text, "  8  2  float  sum  -1");
  EXPECT_EQ(glued.library, "10-0-0-1:12:34 [0] NCCL INFO x");
  EXPECT_EQ(read_log_line("a:1:2 [0] net.cc:12 NCCL WARN x", {}).text, "");
  EXPECT_EQ(read_log_line("NCCL version 2.21.5+cuda12.4", {}).text, "");
}

}  // namespace
}  // namespace fabricast
