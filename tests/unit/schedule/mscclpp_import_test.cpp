// MSCCL++ plans: puts, signals and waits become messages; what FIFOs cannot say is refused by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include <fmt/format.h>

#include "emulator/base/counter_rng.hpp"
#include "emulator/base/error.hpp"
#include "emulator/base/text_file.hpp"
#include "emulator/schedule/import/mscclpp_json.hpp"
#include "emulator/schedule/verify/verify.hpp"

namespace fabricast {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string list(const std::vector<std::string>& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ",\n") + item;
  return "[" + text + "]";
}

std::string local(char type, int index, int size = 1) {
  return fmt::format(R"({{"type":"{}","index":{},"size":{}}})", type, index, size);
}
std::string remote(int id, int index, int size = 1) {
  return fmt::format(R"({{"buffer_id":{},"index":{},"size":{}}})", id, index, size);
}
std::string move(const char* name, const std::string& from, const std::string& to) {
  return fmt::format(R"({{"name":"{}","src_buff":[{}],"dst_buff":[{}],"channel_type":"memory"}})",
                     name, from, to);
}
std::string sync(const char* name, int channel = 0) {
  return fmt::format(R"({{"name":"{}","channel_ids":[{}],"channel_type":"memory"}})", name,
                     channel);
}
std::string barrier(int members) {
  return fmt::format(R"({{"name":"barrier","barrier_id":0,"num_threadblocks":{}}})", members);
}

// All pairs, in place: block i of rank r puts its part of the sum's input into the peer's scratch,
// all blocks meet, block 0 reduces, all meet again, then each puts the result to its peer.
std::string all_pairs(int p) {
  std::vector<std::string> gpus;
  for (int r = 0; r < p; ++r) {
    std::vector<std::string> blocks, remotes, peers;
    for (int i = 1; i < p; ++i) {
      const int q = (r + i) % p;
      peers.push_back(std::to_string(q));
      for (const char type : {'s', 'i'}) {
        remotes.push_back(
            fmt::format(R"({{"rank":{},"type":"{}","access_channel_types":["memory"]}})", q, type));
      }
      std::vector<std::string> ops{
          sync("signal"),      sync("wait"),
          R"({"name":"nop"})", move("put", local('i', q), remote(0, p - i - 1)),
          sync("signal"),      sync("wait"),
          barrier(p - 1)};
      if (i == 1) {
        std::string sources = local('i', r);
        for (int j = 0; j + 1 < p; ++j) sources += "," + local('s', j);
        ops.push_back(move("re", sources, local('i', r)));
      }
      ops.push_back(barrier(p - 1));
      ops.push_back(move("pws", local('i', r), remote(1, r)));
      ops.back().insert(ops.back().size() - 1, R"(,"channel_ids":[0])");
      ops.push_back(sync("wait"));
      blocks.push_back(fmt::format(
          R"({{"id":{},"ops":{},"channels":[{{"channel_type":"memory","channel_ids":[{}]}}],)"
          R"("remote_buffer_refs":[{{"access_channel_type":"memory","remote_buffer_ids":[{},{}]}}]}})",
          i - 1, list(ops), i - 1, 2 * (i - 1), 2 * (i - 1) + 1));
    }
    gpus.push_back(fmt::format(
        R"({{"id":{},"input_chunks":{},"output_chunks":{},"scratch_chunks":{},"threadblocks":{},)"
        R"("channels":[{{"channel_type":"memory","connected_to":{}}}],"remote_buffers":{}}})",
        r, p, p, p - 1, list(blocks), list(peers), list(remotes)));
  }
  return fmt::format(
      "{{\"name\":\"all_pairs\",\n\"collective\":\"allreduce\",\n\"protocol\":\"Simple\",\n"
      "\"inplace\":true,\n\"gpus\":{},\n\"max_message_size\":18446744073709551615}}\n",
      list(gpus));
}

VerifyReport verified(const ImportedSchedule& imported) {
  return verify(*imported.schedule, Placement::identity(imported.schedule->space));
}

std::string refusal(const std::string& text) {
  try {
    read_mscclpp_json(text, "f.json");
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

TEST(MscclppImport, PutsSignalsAndWaitsAreMessages) {
  for (const int p : {2, 3, 5}) {
    const auto imported = read_mscclpp_json(all_pairs(p), "f.json");
    EXPECT_EQ(imported.schedule->collective, Collective::all_reduce);
    EXPECT_EQ(imported.schedule->roles, p - 1);
    EXPECT_EQ(imported.max_bytes, -1);
    const auto report = verified(imported);
    ASSERT_TRUE(report.ok()) << p << ": " << report.findings.front().text;
    EXPECT_EQ(report.messages, 2 * p * (p - 1));
    ASSERT_EQ(imported.notes.size(), 1u);
    EXPECT_THAT(imported.notes[0], StartsWith(std::to_string(p * (p - 1)) + " signals"));
  }
}

TEST(MscclppImport, TheFileInTheTreeIsWhatItSays) {
  const std::string file = std::string(FABRICAST_GOLDEN) + "/msccl/allgather_pair.json";
  const auto imported = read_mscclpp_json(read_text_file(file), file);
  EXPECT_EQ(imported.schedule->collective, Collective::all_gather);
  EXPECT_TRUE(imported.schedule->starts_in_output);
  EXPECT_TRUE(verified(imported).ok());
}

TEST(MscclppImport, BarriersAreNeeded) {
  // A barrier that only one thread block of two comes to is refused; two barriers less is a hazard.
  std::string text = all_pairs(3);
  EXPECT_THAT(refusal(replaced(text, barrier(2), R"({"name":"nop"})")), HasSubstr("1 come to it"));
  for (auto at = text.find(barrier(2)); at != std::string::npos; at = text.find(barrier(2))) {
    text.replace(at, barrier(2).size(), R"({"name":"nop"})");
  }
  EXPECT_FALSE(verified(read_mscclpp_json(text, "f.json")).ok());
}

TEST(MscclppImport, RefusesByNameWithFileAndLine) {
  const std::string good = all_pairs(3);
  ASSERT_EQ(refusal(good), "accepted");
  const auto expect = [&](const std::string& what, const std::string& by, const std::string& why) {
    const std::string message = refusal(replaced(good, what, by));
    EXPECT_THAT(message, HasSubstr(why));
    EXPECT_THAT(message, StartsWith("f.json:"));
  };
  expect("\"protocol\":\"Simple\"", "\"protocol\":\"LL\"", "f.json:1: protocol \"LL\"");
  expect("\"allreduce\"", "\"custom\"", "collective \"custom\"");
  expect("\"name\":\"re\"", "\"name\":\"rre\"", "operation \"rre\"");
  expect("\"name\":\"put\"", "\"name\":\"get\"", "operation \"get\"");
  expect("\"name\":\"put\"", "\"name\":\"ppkt\"", "f.json:8: operation \"ppkt\"");
  expect("\"input_chunks\"", "\"inputChunks\"", "\"inputChunks\" is of an older form");
  expect("\"connected_to\"", "\"connectedTo\"", "\"connectedTo\" is of an older form");
  expect("\"collective\"", "\"colletive\"", "\"colletive\" is of an older form");
  expect("\"name\":\"put\"", "\"name\":\"put\",\"tbg_info\":{\"tb_id\":0,\"tbg_size\":2}",
         "tbg_info");
  expect("\"buffer_id\":0", "\"buffer_id\":7", "none of this thread block's remote buffers");
  expect("\"channel_ids\":[0]", "\"channel_ids\":[5]", "none of this thread block's");
  expect("\"id\":0", "\"id\":3", "they are in order");
  expect("\"index\":1", "\"index\":-1", "out of range");
  expect("\"index\":1", "\"index\":99", "chunks 99 to 99");
  expect("\"name\":\"all_pairs\"", "\"name\":\"a\",\"name\":\"b\"", "given twice");
  expect("]", "", "not valid JSON");
  // A signal less: the last wait of the peer has none.
  expect(sync("signal"), R"({"name":"nop"})", "a wait without end");
  // No signal after the put at all.
  EXPECT_THAT(refusal(replaced(good, "\"pws\"", "\"put\"")), HasSubstr("no signal to rank"));
}

TEST(MscclppImport, DamagedPlansNeverDoMoreThanThrow) {
  static const std::string nasty[] = {"{",       "}",     "[",    "]",
                                      "\"",      ":",     ",",    "-",
                                      "1e99",    "null",  "true", "99999999999999999999",
                                      "\\u0000", "\"i\"", "0.5"};
  const std::string good = all_pairs(3);
  int refused = 0, accepted = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    std::string text = good;
    const auto pick = [&](std::uint64_t i, std::uint64_t what, std::size_t below) {
      return static_cast<std::size_t>(
          random_int(seed, i, what, 0, static_cast<std::int64_t>(below) - 1));
    };
    for (std::uint64_t i = 0; i <= pick(99, 0, 2); ++i) {
      const std::size_t at = pick(i, 0, text.size());
      switch (pick(i, 1, 5)) {
        case 0:
          text[at] = static_cast<char>(pick(i, 2, 256));
          break;
        case 1:
          text.erase(at, 1 + pick(i, 2, 60));
          break;
        case 2:
          text.insert(at, text.substr(pick(i, 2, text.size()), 1 + pick(i, 3, 60)));
          break;
        case 3:
          text.insert(at, nasty[pick(i, 2, std::size(nasty))]);
          break;
        default:
          if (const auto digit = text.find_first_of("0123456789", at); digit != std::string::npos) {
            text[digit] = static_cast<char>('0' + pick(i, 2, 10));
          }
      }
    }
    try {
      verified(read_mscclpp_json(text, "m"));
      ++accepted;
    } catch (const UsageError& error) {
      ++refused;
      ASSERT_THAT(error.what(), StartsWith("m:"));
    }
  }
  EXPECT_GT(refused, 1500);
  EXPECT_GT(accepted, 50);
}

}  // namespace
}  // namespace fabricast
