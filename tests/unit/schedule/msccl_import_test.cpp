// MSCCL XML becomes a schedule that the verifier accepts, or is refused with file, line and reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include <fmt/format.h>

#include "emulator/base/counter_rng.hpp"
#include "emulator/base/error.hpp"
#include "emulator/base/text_file.hpp"
#include "emulator/schedule/import/algorithm_file.hpp"
#include "emulator/schedule/import/msccl_xml.hpp"
#include "emulator/schedule/plan.hpp"
#include "emulator/schedule/verify/verify.hpp"
#include "tests/unit/schedule/msccl_files.hpp"
#include "tests/unit/schedule/msccl_tools_files.hpp"

namespace fabricast {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

VerifyReport verified(const ImportedSchedule& imported) {
  return verify(*imported.schedule, Placement::identity(imported.schedule->space));
}

void expect_correct(const std::string& xml) {
  const auto imported = read_msccl_xml(xml, "f.xml");
  const auto report = verified(imported);
  EXPECT_TRUE(report.ok()) << xml << "\n" << (report.ok() ? "" : report.findings.front().text);
  EXPECT_TRUE(report.hazards_proven) << report.note;
}

std::string refusal(const std::string& xml) {
  try {
    read_msccl_xml(xml, "f.xml");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), by);
}

TEST(MscclImport, AlgorithmsOfEveryCollectiveAreCorrect) {
  for (const int p : {2, 3, 4, 7}) {
    for (const int parts : {1, 3}) {
      expect_correct(msccl_ring_all_reduce(p, parts));
      expect_correct(msccl_all_gather(p, parts, /*in_place=*/true));
      expect_correct(msccl_all_gather(p, parts, /*in_place=*/false));
      expect_correct(msccl_all_to_all(p, parts));
      expect_correct(msccl_reduce_scatter(p, parts, /*in_place=*/true));
      expect_correct(msccl_reduce_scatter(p, parts, /*in_place=*/false));
    }
    expect_correct(msccl_all_pairs_all_reduce(p, /*in_place=*/true));
    expect_correct(msccl_all_pairs_all_reduce(p, /*in_place=*/false));
    expect_correct(msccl_all_pairs_reduce_scatter(p));
    expect_correct(msccl_chain(p, "broadcast", 2));
    expect_correct(msccl_chain(p, "reduce", 2));
    expect_correct(msccl_star(p, "gather", 2));
    expect_correct(msccl_star(p, "scatter", 2));
  }
}

TEST(MscclImport, KeepsWhatTheFileSays) {
  const auto imported = read_msccl_xml(msccl_all_pairs_all_reduce(4, true), "f.xml");
  const Schedule& schedule = *imported.schedule;
  EXPECT_EQ(schedule.collective, Collective::all_reduce);
  EXPECT_EQ(schedule.algorithm, "all_pairs");
  EXPECT_EQ(schedule.positions(), 4);
  EXPECT_EQ(schedule.chunks, 4);
  EXPECT_EQ(schedule.scratch_chunks, 3);
  EXPECT_EQ(schedule.roles, 4);
  EXPECT_TRUE(schedule.starts_in_output);
  EXPECT_EQ(imported.protocol, "LL");
  EXPECT_EQ(imported.min_bytes, 16);
  EXPECT_EQ(imported.max_bytes, 65536);
  EXPECT_EQ(imported.channels, 1);
  EXPECT_THAT(imported.notes, testing::ElementsAre("attribute \"nthreadblocks\" is not read"));
}

TEST(MscclImport, BothPlacesMeansOutOfPlaceUnlessTheInputIsWritten) {
  const auto both = [](const std::string& xml) {
    const auto at = xml.find("inplace=");
    return std::string(xml).replace(at, xml.find("minBytes") - at,
                                    "inplace=\"1\" outofplace=\"1\" ");
  };
  const auto apart = read_msccl_xml(both(msccl_all_pairs_all_reduce(3, false)), "f.xml");
  EXPECT_FALSE(apart.schedule->starts_in_output);
  EXPECT_TRUE(verified(apart).ok());
  const auto together = read_msccl_xml(both(msccl_all_pairs_all_reduce(3, true)), "f.xml");
  EXPECT_TRUE(together.schedule->starts_in_output);
  EXPECT_TRUE(verified(together).ok());
  EXPECT_THAT(together.notes.back(), HasSubstr("taken as in place only"));
  // Without either attribute: out of place.
  const auto neither = read_msccl_xml(
      replaced(msccl_ring_all_reduce(3, 1), "inplace=\"0\" outofplace=\"1\"", ""), "f.xml");
  EXPECT_FALSE(neither.schedule->starts_in_output);
  EXPECT_TRUE(neither.out_of_place);
}

TEST(MscclImport, BlocksOfAllGatherStartAtTheRank) {
  const auto imported = read_msccl_xml(msccl_all_gather(4, 3, false), "f.xml");
  EXPECT_EQ(imported.schedule->block_parts, 3);
  EXPECT_EQ(imported.schedule->chunks, 12);
  const auto lane = expand(*imported.schedule, Placement::identity(RankSpace{4}), 2, 0);
  // Rank 2 copies chunks 0 to 2 of its input to 6 to 8 of its output.
  EXPECT_EQ(lane.steps.front().source_chunk, 6u);
  EXPECT_EQ(lane.steps.front().target_chunk, 6u);
  EXPECT_EQ(lane.steps.front().chunk_count, 3u);
}

TEST(MscclImport, TheFileInTheTreeIsWhatItSays) {
  const std::string file = std::string(FABRICAST_GOLDEN) + "/msccl/allreduce_pairs_4.xml";
  const auto imported = read_msccl_xml(read_text_file(file), file);
  EXPECT_EQ(imported.schedule->positions(), 4);
  EXPECT_TRUE(verified(imported).ok());
}

TEST(MscclImport, DependencesAreNeeded) {
  // Without its waits the reduction runs before the data are there.
  std::string xml = msccl_all_pairs_all_reduce(4, true);
  for (auto at = xml.find("depid=\""); at != std::string::npos; at = xml.find("depid=\"", at + 1)) {
    const auto end = xml.find('"', at + 7);
    xml.replace(at, end - at + 1, "depid=\"-1\"");
  }
  EXPECT_FALSE(verified(read_msccl_xml(xml, "f.xml")).ok());
}

// A thread block does its steps in order, so that files may say it or not.
TEST(MscclImport, WaitsForOwnEarlierStepsSayNothing) {
  const std::string xml = msccl_ring_all_reduce(3, 1);
  const auto first = xml.find("<tb id=\"0\"");
  const auto own = [&](int step, const char* deps) {
    const auto from = xml.find(fmt::format("<step s=\"{}\"", step), first);
    const auto at = xml.find("depid", from), end = xml.find(" hasdep", at);
    return std::string(xml).replace(at, end - at, fmt::format("depid=\"0\" deps=\"{}\"", deps));
  };
  expect_correct(own(1, "0"));
  EXPECT_THAT(refusal(own(1, "1")), HasSubstr("that never ends"));
  EXPECT_THAT(refusal(own(0, "1")), HasSubstr("that never ends"));
}

TEST(MscclImport, RefusesWithFileLineAndReason) {
  const std::string good = msccl_ring_all_reduce(3, 1);
  ASSERT_EQ(refusal(good), "accepted");
  const auto expect = [&](const std::string& what, const std::string& by, const std::string& why) {
    const std::string message = refusal(replaced(good, what, by));
    EXPECT_THAT(message, HasSubstr(why));
    EXPECT_THAT(message, StartsWith("f.xml:"));
  };
  expect("coll=\"allreduce\"", "coll=\"custom\"", "f.xml:1: algo: attribute \"coll\": \"custom\"");
  expect("proto=\"Simple\"", "proto=\"LL64\"", "known: Simple, LL, LL128");
  expect("ngpus=\"3\"", "ngpus=\"4\"", "ngpus is not the number");
  expect("ngpus=\"3\"", "ngpus=\"3\" redop=\"prod\"", "known: nop, sum, min, max");
  expect("nchunksperloop=\"3\"", "", "\"nchunksperloop\" is missing");
  expect("nchunksperloop=\"3\"", "nchunksperloop=\"3x\"", "not a whole number");
  expect("nchunksperloop=\"3\"", "nchunksperloop=\"2\"", "more than nchunksperloop");
  expect("inplace=\"0\" outofplace=\"1\"", "inplace=\"0\" outofplace=\"0\"", "nobody may run it");
  expect("type=\"rrs\"", "type=\"rsr\"", "attribute \"type\": \"rsr\" (known: nop s r");
  expect("type=\"rrs\"", "type=\"rrc\"", "f.xml:17: nobody sends message 4 from rank 0 to rank 1");
  expect("dstbuf=\"o\"", "dstbuf=\"x\"", "known: i, o, s");
  expect("type=\"r\" srcbuf=\"o\"", "type=\"cpy\" srcbuf=\"o\"", "nobody receives message");
  expect("cnt=\"1\"", "cnt=\"2\"", "is received as 1 chunks (line 4 sends 2)");
  expect("<tb id=\"0\" send=\"1\"", "<tb id=\"0\" send=\"0\"", "and another one");
  expect("<tb id=\"0\" send=\"1\"", "<tb id=\"0\" send=\"-1\"", "sends to rank -1");
  expect("step s=\"1\"", "step s=\"0\"", "steps are in order");
  expect("depid=\"-1\" deps=\"-1\"", "depid=\"0\" deps=\"1\"", "that never ends");
  expect("depid=\"-1\" deps=\"-1\"", "depid=\"7\" deps=\"0\"", "no thread block of this GPU");
  expect("depid=\"-1\" deps=\"-1\"", "depid=\"0\" deps=\"99\"", "no step of thread block 0");
  expect("<gpu id=\"1\"", "<gpu id=\"5\"", "ids are 0 to 2");
  expect("<gpu id=\"1\"", "<gpu id=\"0\"", "given twice");
  expect("<tb id=\"0\"", "<td id=\"0\"", "f.xml:");
  expect("chan=\"0\"", "chan=\"300\"", "out of range");
  expect("</algo>", "", "not valid XML");
  EXPECT_THAT(refusal(replaced(good, "type=\"rrcs\" srcbuf=\"i\" srcoff=\"0\" dstbuf=\"o\"",
                               "type=\"rrcs\" srcbuf=\"i\" srcoff=\"0\" dstbuf=\"i\"")),
              HasSubstr("the step writes the input"));
}

TEST(MscclImport, DamagedFilesNeverDoMoreThanThrow) {
  static const std::string nasty[] = {"<",   "/>", "\"", "=",  "&",    "-1", "99999999999999999999",
                                      "<tb", ">",  "'",  "\n", "<!--", "0",  "<step type=\"s\"/>"};
  int refused = 0, accepted = 0;
  for (const std::string& good :
       {msccl_all_pairs_all_reduce(3, true), msccl_all_gather(3, 2, false)}) {
    for (std::uint64_t seed = 0; seed < 3000; ++seed) {
      std::string text = good;
      const auto edits = random_int(seed, 0, 0, 1, 3);
      for (std::uint64_t i = 1; i <= static_cast<std::uint64_t>(edits); ++i) {
        const auto pick = [&](std::uint64_t what, std::size_t below) {
          return static_cast<std::size_t>(
              random_int(seed, i, what, 0, static_cast<std::int64_t>(below) - 1));
        };
        const std::size_t at = pick(0, text.size());
        switch (pick(1, 5)) {
          case 0:
            text[at] = static_cast<char>(pick(2, 256));
            break;
          case 1:
            text.erase(at, 1 + pick(2, 40));
            break;
          case 2:
            text.insert(at, text.substr(pick(2, text.size()), 1 + pick(3, 60)));
            break;
          case 3:
            text.insert(at, nasty[pick(2, std::size(nasty))]);
            break;
          default:  // the most interesting: another digit
            if (const auto digit = text.find_first_of("0123456789", at);
                digit != std::string::npos) {
              text[digit] = static_cast<char>('0' + pick(2, 10));
            }
        }
      }
      try {
        const auto imported = read_msccl_xml(text, "m");
        verified(imported);  // may find faults, must not fail
        ++accepted;
      } catch (const UsageError& error) {
        ++refused;
        ASSERT_THAT(error.what(), StartsWith("m:"));
      }
    }
  }
  EXPECT_GT(refused, 3000);
  EXPECT_GT(accepted, 100);
}

TEST(MscclImport, PlansNeedEqualChunks) {
  const auto imported = read_msccl_xml(msccl_all_pairs_all_reduce(4, true), "f.xml");
  const auto plan = plan_of(imported.schedule, 4096, 4, {});
  EXPECT_EQ(plan.algorithm, "all_pairs");
  EXPECT_EQ(plan.loops, 1);
  EXPECT_EQ(plan.slices, 1);
  EXPECT_EQ(plan.slice_bytes, 1024);
  EXPECT_TRUE(verify(plan).ok());
  EXPECT_EQ(plan_of(imported.schedule, 0, 4, {}).slice_bytes, 0);
  try {
    plan_of(imported.schedule, 100, 4, {});
    FAIL() << "100 bytes are not four equal chunks of floats";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("use 96 or 112 bytes"));
  }
}

TEST(MscclImport, PlansWithoutScratchLoopInEqualParts) {
  const auto imported = read_msccl_xml(msccl_ring_all_reduce(3, 1), "f.xml");
  PlanLimits limits;
  limits.max_chunk_bytes = 400;  // 100 floats
  const auto plan = plan_of(imported.schedule, 3 * 4 * 600, 4, limits);
  EXPECT_EQ(plan.loops, 6);
  EXPECT_EQ(plan.slice_bytes, 400);
  limits.fifo_depth = 2;
  EXPECT_EQ(plan_of(imported.schedule, 12, 4, limits).channels[0].schedule->fifo_depth, 2);
  // 601 is prime: parts differ by one element, unless chunks must be equal. Then: whole.
  EXPECT_EQ(plan_of(imported.schedule, 3 * 4 * 601, 4, limits).loops, 7);
  auto moving = *imported.schedule;
  moving.moves_chunks = true;
  const auto shared = std::make_shared<const Schedule>(std::move(moving));
  EXPECT_EQ(plan_of(shared, 3 * 4 * 601, 4, limits).loops, 1);
}

TEST(MscclImport, SaysWhoseChunksMustBeEqual) {
  const auto moves = [](const std::string& xml) {
    return read_msccl_xml(xml, "f.xml").schedule->moves_chunks;
  };
  EXPECT_FALSE(moves(msccl_ring_all_reduce(3, 2)));
  EXPECT_FALSE(moves(msccl_all_gather(3, 2, true)));
  EXPECT_FALSE(moves(msccl_all_to_all(3, 2)));  // the same part of another block
  EXPECT_FALSE(moves(tools_hierarchical_all_reduce(2, 2, 2)));
  EXPECT_TRUE(moves(msccl_all_pairs_all_reduce(3, true)));  // scratch
  EXPECT_TRUE(moves(tools_two_step_all_to_all(2, 2)));
  // A message that arrives at another chunk.
  auto xml = msccl_chain(2, "broadcast", 2);
  for (const auto& [from, to] : {std::pair{"type=\"s\" srcbuf=\"i\" srcoff=\"0\"",
                                           "type=\"s\" srcbuf=\"i\" srcoff=\"1\""}}) {
    xml.replace(xml.find(from), std::string(from).size(), to);
  }
  EXPECT_TRUE(moves(xml));
  const auto ring = read_msccl_xml(msccl_ring_all_reduce(3, 2), "f.xml").schedule;
  const auto plan = plan_of(ring, 4, 4, {});  // one element for six chunks
  EXPECT_EQ(plan.slice_bytes, 4);
  EXPECT_THROW(plan_of(ring, 6, 4, {}), UsageError);
}

TEST(MscclImport, ToolsShapesAreCorrect) {
  for (const auto& [nodes, local] : {std::pair{2, 2}, {2, 4}, {3, 2}, {2, 8}}) {
    for (const int instances : {1, 2}) {
      expect_correct(tools_hierarchical_all_reduce(nodes, local, instances));
    }
    expect_correct(tools_two_step_all_to_all(nodes, local));
  }
  for (const int p : {2, 5, 8}) {
    expect_correct(tools_one_pass_all_reduce(p, 2));
    expect_correct(tools_tree_all_reduce(p, 3));
  }
  expect_correct(tools_doubling_all_gather(16));
}

TEST(AlgorithmFile, RowsHaveNamesOfTheirOwn) {
  std::vector<AlgorithmFile> files(4);
  files[0].imported = read_msccl_xml(msccl_ring_all_reduce(3, 1), "a.xml");
  files[1].imported = read_msccl_xml(msccl_ring_all_reduce(3, 2), "b.xml");
  files[2].imported = read_algorithm_file(tools_doubling_all_gather(4), "c.xml");
  files[3].imported = files[2].imported;
  label_files(files);
  EXPECT_EQ(files[0].label, "file:ring");  // the catalogue has one
  EXPECT_EQ(files[1].label, "file:ring#2");
  EXPECT_EQ(files[2].label, "allgather_recursive_doubling");
  EXPECT_EQ(files[3].label, "allgather_recursive_doubling#2");
}

}  // namespace
}  // namespace fabricast
