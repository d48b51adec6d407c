// Algorithm files made to use up memory or time, and names made for terminals: refused, or read
// fast.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/schedule/import/algorithm_file.hpp"

namespace fabricast {
namespace {

using testing::HasSubstr;

std::string outcome(const std::string& text, const std::string& file) {
  try {
    read_algorithm_file(text, file);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

// Rank 0 has one thread block with `steps` steps, the others have none.
std::string lonely_block(int ranks, int steps, const std::string& name) {
  std::string text = fmt::format(
      "<algo name=\"{}\" proto=\"Simple\" nchannels=\"0\" nchunksperloop=\"{}\" ngpus=\"{}\" "
      "coll=\"allreduce\" inplace=\"1\" outofplace=\"0\">\n",
      name, ranks, ranks);
  for (int r = 0; r < ranks; ++r) {
    text += fmt::format("<gpu id=\"{}\" i_chunks=\"1\" o_chunks=\"1\" s_chunks=\"0\">", r);
    if (r == 0) text += "<tb id=\"0\" send=\"-1\" recv=\"-1\" chan=\"0\">\n";
    for (int s = 0; r == 0 && s < steps; ++s) {
      text += fmt::format(
          "<step s=\"{}\" type=\"nop\" srcbuf=\"i\" srcoff=\"-1\" dstbuf=\"o\" dstoff=\"-1\" "
          "cnt=\"0\" depid=\"-1\" deps=\"-1\"/>\n",
          s);
    }
    text += r == 0 ? "</tb></gpu>\n" : "</gpu>\n";
  }
  return text + "</algo>\n";
}

TEST(HostileFiles, TablesAreBounded) {
  EXPECT_EQ(outcome(lonely_block(1024, 10, "a"), "f.xml"), "accepted");
  EXPECT_THAT(outcome(lonely_block(1024, 40'000, "a"), "f.xml"), HasSubstr("are too large"));
}

TEST(HostileFiles, NamesArePrintable) {
  EXPECT_EQ(outcome(lonely_block(1, 1, "é ring"), "f.xml"), "accepted");
  for (const char* name : {"a&#10;b", "&#x1b;[31m", "a&#x9b;1m"}) {
    EXPECT_THAT(outcome(lonely_block(1, 1, name), "f.xml"), HasSubstr("without line ends")) << name;
  }
  EXPECT_THAT(outcome(lonely_block(1, 1, std::string(257, 'n')), "f.xml"),
              HasSubstr("at most 256 bytes"));
}

std::string plan(const std::string& blocks, const std::string& remotes) {
  return R"({"name":"p","collective":"allreduce","protocol":"Simple","inplace":true,"gpus":[)"
         R"({"id":0,"input_chunks":1,"output_chunks":1,"scratch_chunks":0,"threadblocks":[)" +
         blocks +
         R"(],"channels":[{"channel_type":"memory","connected_to":[0]}],"remote_buffers":[)" +
         remotes + "]}]}\n";
}

TEST(HostileFiles, BarriersAreBounded) {
  std::string ops = R"({"name":"nop"})";
  for (int i = 0; i < 20'000; ++i) {
    ops += R"(,{"name":"barrier","barrier_id":0,"num_threadblocks":256})";
  }
  const std::string text = plan(R"({"id":0,"ops":[)" + ops + "]}", "");
  EXPECT_THAT(outcome(text, "f.json"), HasSubstr("(at most 4194304)"));
}

TEST(HostileFiles, AnyNumberOfPutsMayComeBeforeASignal) {
  const std::string buffers = R"([{"type":"i","index":0,"size":1}])";
  const std::string put = R"({"name":"put","channel_type":"memory","src_buff":)" + buffers +
                          R"(,"dst_buff":[{"buffer_id":0,"index":0,"size":1}]},)";
  std::string ops;
  for (int i = 0; i < 60'000; ++i) ops += put;
  ops += R"({"name":"signal","channel_type":"memory","channel_ids":[0]})";
  const std::string text = plan(
      R"({"id":0,"ops":[)" + ops +
          R"(],"channels":[{"channel_type":"memory","channel_ids":[0]}],)"
          R"("remote_buffer_refs":[{"access_channel_type":"memory","remote_buffer_ids":[0]}]})",
      R"({"rank":0,"type":"i"})");
  EXPECT_THAT(outcome(text, "f.json"), HasSubstr("f.json:")) << "a rank puts to itself";
}

TEST(HostileFiles, AMillionObjectsTakeLinearTime) {
  std::string text = "{\"name\":[{}";
  for (int i = 0; i < 1'000'000; ++i) text += ",{}";
  EXPECT_EQ(outcome(text + "]}", "f.json"), "f.json:1: \"name\" is no text");
}

}  // namespace
}  // namespace fabricast
