// The memory of the PTX device: that it is as weak as its model, and keeps what PTX promises.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/ptx_device/kernel_text.hpp"

namespace fabricast::ptx {
namespace {

// What `count` says in all, in many interleavings.
template <class Count>
int in_all(const Count& count, int seeds = 32) {
  const char* set = std::getenv("FABRICAST_PTX_SEED");
  const std::string own = set != nullptr ? set : "";
  const int first = set != nullptr ? std::atoi(set) : 1;
  int all = 0;
  for (int seed = first; seed < first + seeds; ++seed) {
    setenv("FABRICAST_PTX_SEED", std::to_string(seed).c_str(), 1);
    all += count();
  }
  own.empty() ? unsetenv("FABRICAST_PTX_SEED") : setenv("FABRICAST_PTX_SEED", own.c_str(), 1);
  return all;
}

// CTA 0 writes 64 words, then a flag; CTA 1 waits for the flag, then reads. `stores` and `loads`
// stand between; `how` is how words are accessed. The number of the words that CTA 1 has seen
// without their values.
int words_missed_once(const std::string& stores, const std::string& loads, bool across,
                      const std::string& how = "global") {
  Words words(64 + 64 + 1, across);  // data, what was seen, flag
  execute("setp.ne.s32 %p1, %r2, 0; @%p1 bra $READER;\nmov.u32 %r3, 7; st." + how +
              ".u32 [%rd4], %r3;\n" + stores + "\nret;\n$READER:\nld.global.u32 %r8, [%rd4];\n" +
              loads + "\nld." + how + ".u32 %r5, [%rd4]; st.global.u32 [%rd4+256], %r5;",
          words, 64, 2);
  return static_cast<int>(64 - std::count(&words.values[64], &words.values[128], 7u));
}

int words_missed(const std::string& stores, const std::string& loads, bool across = false,
                 const std::string& how = "global", int seeds = 32) {
  return in_all([&] { return words_missed_once(stores, loads, across, how); }, seeds);
}

TEST(PtxMemory, IsAsWeakAsItsModel) {
  const std::string by_leader = "bar.sync 0; setp.ne.s32 %p2, %r1, 0; @%p2 bra $SENT;\n";
  const std::string release =
      by_leader + "mov.u32 %r4, 1; st.release.gpu.b32 [%rd2+512], %r4;\n$SENT:\n";
  const std::string relaxed =
      by_leader + "mov.u32 %r4, 1; st.relaxed.gpu.b32 [%rd2+512], %r4;\n$SENT:\n";
  const std::string fenced =
      by_leader + "membar.gl; mov.u32 %r4, 1; st.volatile.global.u32 [%rd2+512], %r4;\n$SENT:\n";
  const std::string unmet =  // no barrier before the leader sends
      "setp.ne.s32 %p2, %r1, 0; @%p2 bra $SENT;\nmov.u32 %r4, 1; st.release.gpu.b32 [%rd2+512], "
      "%r4;\n$SENT:\n";
  const auto wait = [](const std::string& how) {
    return "setp.ne.s32 %p3, %r1, 0; @%p3 bra $MET;\n$WAIT:\nld." + how +
           ".gpu.b32 %r6, [%rd2+512]; setp.eq.s32 %p4, %r6, 0; @%p4 bra $WAIT;\n$MET:\nbar.sync "
           "0;\n";
  };
  EXPECT_EQ(words_missed(release, wait("acquire")), 0);
  EXPECT_EQ(words_missed(fenced, wait("acquire")), 0);
  EXPECT_GT(words_missed(relaxed, wait("acquire")), 0);
  EXPECT_GT(words_missed(unmet, wait("acquire")), 0);
  EXPECT_GT(words_missed(release, wait("relaxed")), 0);
}

// An acquire synchronizes with who stored what it reads, once.
TEST(PtxMemory, LookingAgainAtTheSameValueOrdersNothing) {
  const std::string send =
      "bar.sync 0; setp.ne.s32 %p2, %r1, 0; @%p2 bra $SENT;\nmov.u32 %r4, 1; st.release.gpu.b32 "
      "[%rd2+512], %r4;\n$SENT:\n";
  const auto wait = [](const std::string& then) {
    return "ld.acquire.gpu.b32 %r6, [%rd2+256]; ld.global.u32 %r8, [%rd4];\n$WAIT:\n"
           "ld.relaxed.gpu.b32 %r6, [%rd2+512]; setp.eq.s32 %p4, %r6, 0; @%p4 bra $WAIT;\n" +
           then;
  };
  EXPECT_GT(words_missed(send, wait("ld.acquire.gpu.b32 %r6, [%rd2+256];\n")), 0);
  EXPECT_EQ(words_missed(send, wait("ld.acquire.gpu.b32 %r6, [%rd2+512];\n")), 0);
}

TEST(PtxMemory, CtaScopeOrdersNothingBetweenCtas) {
  const auto send = [](const std::string& before, const std::string& store) {
    return "bar.sync 0; setp.ne.s32 %p2, %r1, 0; @%p2 bra $SENT;\n" + before + "mov.u32 %r4, 1; " +
           store + " [%rd2+512], %r4;\n$SENT:\n";
  };
  const auto wait = [](const std::string& load, const std::string& after) {
    return "setp.ne.s32 %p3, %r1, 0; @%p3 bra $MET;\n$WAIT:\n" + load +
           " %r6, [%rd2+512]; setp.eq.s32 %p4, %r6, 0; @%p4 bra $WAIT;\n$MET:\nbar.sync 0;\n" +
           after;
  };
  const auto released = send("", "st.release.gpu.b32");
  const auto acquired = wait("ld.acquire.gpu.b32", "");
  const std::string relaxed_store = "st.relaxed.gpu.b32", relaxed_load = "ld.relaxed.gpu.b32";
  EXPECT_EQ(words_missed(send("", "red.release.gpu.global.add.u32"), acquired), 0);
  EXPECT_EQ(words_missed(released, wait(relaxed_load, "fence.acq_rel.gpu;\n")), 0);
  EXPECT_GT(words_missed(send("", "st.release.cta.b32"), acquired), 0);
  EXPECT_GT(words_missed(send("", "red.release.cta.global.add.u32"), acquired), 0);
  EXPECT_GT(words_missed(send("fence.acq_rel.cta;\n", relaxed_store), acquired), 0);
  EXPECT_GT(words_missed(send("membar.cta;\n", relaxed_store), acquired), 0);
  EXPECT_GT(words_missed(released, wait("ld.acquire.cta.b32", "")), 0);
  EXPECT_GT(words_missed(released, wait(relaxed_load, "fence.acq_rel.cta;\n")), 0);
}

// The flag goes two instructions before the release that it needs: few interleavings show it.
TEST(PtxMemory, CtasStandStillWhereAStoreOvertookOthers) {
  const std::string late =
      "bar.sync 0; setp.ne.s32 %p2, %r1, 0; @%p2 bra $SENT;\nmov.u32 %r4, 1; st.relaxed.gpu.b32 "
      "[%rd2+512], %r4; fence.acq_rel.gpu;\n$SENT:\n";
  const std::string wait =
      "setp.ne.s32 %p3, %r1, 0; @%p3 bra $MET;\n$WAIT:\nld.acquire.gpu.b32 %r6, [%rd2+512]; "
      "setp.eq.s32 %p4, %r6, 0; @%p4 bra $WAIT;\n$MET:\nbar.sync 0;\n";
  const auto seen = [&] { return words_missed_once(late, wait, false) > 0 ? 1 : 0; };
  EXPECT_GE(in_all(seen, 400), 8);
}

TEST(PtxMemory, ThreadsSeeWhatTheyStoredThemselves) {
  Words words(64 + 64 + 1);
  execute(R"(
    mov.u32 %r3, 7; st.global.u32 [%rd4], %r3; ld.global.u32 %r5, [%rd4];
    bar.sync 0; st.release.gpu.b32 [%rd2+512], %r3; bar.sync 0;
    ld.global.u32 %r5, [%rd4]; st.global.u32 [%rd4+256], %r5;)",
          words, 64);
  for (const std::uint32_t value : words.values) EXPECT_EQ(value, 7u);
}

TEST(PtxMemory, OfOtherDevicesTakesSystemScope) {
  const auto send = [](const std::string& scope) {
    return "bar.sync 0; setp.ne.s32 %p2, %r1, 0; @%p2 bra $SENT;\nmov.u32 %r4, 1; st.release." +
           scope + ".b32 [%rd2+512], %r4;\n$SENT:\n";
  };
  const auto wait = [](const std::string& scope) {
    return "setp.ne.s32 %p3, %r1, 0; @%p3 bra $MET;\n$WAIT:\nld.acquire." + scope +
           ".b32 %r6, [%rd2+512]; setp.eq.s32 %p4, %r6, 0; @%p4 bra $WAIT;\n$MET:\nbar.sync 0;\n";
  };
  EXPECT_EQ(words_missed(send("sys"), wait("sys"), true), 0);
  EXPECT_GT(words_missed(send("gpu"), wait("sys"), true), 0);
  EXPECT_GT(words_missed(send("sys"), wait("gpu"), true), 0);
}

// CTA 0 loads 64 words and passes them on, then returns a credit; CTA 1 waits for the credit, then
// overwrites them, and says so. `credit` stands behind what CTA 0 does, or with `at_last` behind
// the loads, and CTA 0 uses them when CTA 1 has said so. The number of the words of which CTA 0 had
// what came later.
int words_late(const std::string& credit, bool at_last = false, bool across = false) {
  const std::string store = "st.global.u32 [%rd4+256], %r5;\n";
  const std::string wait =
      "$AGAIN:\nld.relaxed.gpu.b32 %r6, [%rd2+516]; setp.eq.s32 %p4, %r6, 0; @%p4 bra $AGAIN;\n";
  const std::string body =
      "setp.ne.s32 %p1, %r2, 0; @%p1 bra $WRITER;\nld.global.u32 %r5, [%rd4];\n" +
      (at_last ? credit + wait + "add.u32 %r5, %r5, 0;\n" + store : store + credit) + R"(
    ret;
$WRITER:
    setp.ne.s32 %p3, %r1, 0; @%p3 bra $MET;
$WAIT:
    ld.acquire.sys.b32 %r6, [%rd2+512]; setp.eq.s32 %p4, %r6, 0; @%p4 bra $WAIT;
$MET:
    bar.sync 0; mov.u32 %r3, 7; st.relaxed.gpu.u32 [%rd4], %r3;
    bar.sync 0; st.relaxed.gpu.u32 [%rd2+516], %r3;)";
  const auto late = [&] {
    Words words(64 + 64 + 2, across);  // data, what was loaded, credit, done
    execute(body, words, 64, 2);
    return static_cast<int>(64 - std::count(&words.values[64], &words.values[128], 0u));
  };
  return in_all(late, 256);
}

TEST(PtxMemory, LoadsAreLateUnlessAReleaseOrdersThem) {
  const std::string leader = "setp.ne.s32 %p2, %r1, 0; @%p2 bra $SENT;\nmov.u32 %r4, 1; ";
  const auto credit = [&](const std::string& store) {
    return "bar.sync 0; " + leader + store + " [%rd2+512], %r4;\n$SENT:\n";
  };
  for (const bool at_last : {false, true}) {
    EXPECT_EQ(words_late(credit("st.release.gpu.b32"), at_last), 0);
    EXPECT_EQ(words_late(credit("red.release.gpu.global.add.u32"), at_last), 0);
    EXPECT_EQ(words_late(credit("membar.gl; st.volatile.global.u32"), at_last), 0);
    EXPECT_EQ(words_late(credit("st.release.sys.b32"), at_last, true), 0);
    EXPECT_GT(words_late(credit("st.relaxed.gpu.b32"), at_last), 0);
    EXPECT_GT(words_late(credit("st.volatile.global.u32"), at_last), 0);
    EXPECT_GT(words_late(credit("red.relaxed.gpu.global.add.u32"), at_last), 0);
    EXPECT_GT(words_late(credit("st.release.cta.b32"), at_last), 0);
    EXPECT_GT(words_late(credit("st.release.gpu.b32"), at_last, true), 0) << "too narrow a scope";
    EXPECT_GT(words_late(leader + "st.release.gpu.b32 [%rd2+512], %r4;\n$SENT:\n", at_last), 0)
        << "no barrier";
  }
}

// Of a late load, too: two stores, and a sum, of what others overwrite meanwhile.
TEST(PtxMemory, ALoadHasOneValue) {
  int mixed = 0, changed = 0;
  in_all(
      [&] {
        Words words(3 * 64 + 1);
        execute(R"(
    setp.ne.s32 %p1, %r2, 0; @%p1 bra $WRITER;
    ld.global.u32 %r5, [%rd4]; st.global.u32 [%rd4+256], %r5; bar.sync 0;
    setp.ne.s32 %p2, %r1, 0; @%p2 bra $SENT;
    mov.u32 %r4, 1; st.relaxed.gpu.b32 [%rd2+768], %r4;
$SENT:
    bar.sync 0; add.u32 %r5, %r5, 1; st.global.u32 [%rd4+512], %r5;
    ret;
$WRITER:
    ld.relaxed.gpu.b32 %r6, [%rd2+768]; setp.eq.s32 %p4, %r6, 0; @%p4 bra $WRITER;
    mov.u32 %r3, 7; st.relaxed.gpu.u32 [%rd4], %r3;)",
                words, 64, 2);
        for (std::size_t t = 64; t < 128; ++t) {
          mixed += words.values[t] + 1 != words.values[t + 64] ? 1 : 0;
          changed += words.values[t] != 0 ? 1 : 0;
        }
        return 0;
      },
      256);
  EXPECT_EQ(mixed, 0);
  EXPECT_GT(changed, 0);
}

TEST(PtxMemory, ALoadComesBeforeWhatItsCtaStoresThere) {
  for (const char* store :
       {"st.global.u32 [%rd4], %r3;", "st.relaxed.gpu.b32 [%rd4], %r3;",
        "atom.global.exch.b32 %r6, [%rd4], %r3;", "bar.sync 0; st.global.u32 [%rd6], %r3;",
        "ld.global.u32 %r6, [%rd4+256]; st.global.u32 [%rd4], %r6;"}) {
    EXPECT_EQ(in_all([&] {
                Words words(3 * 64);
                for (std::size_t t = 0; t < 64; ++t) words.values[64 + t] = 7;
                execute(std::string(R"(
    mov.u32 %r3, 7; xor.b32 %r7, %r1, 63; mul.wide.u32 %rd5, %r7, 4; add.s64 %rd6, %rd2, %rd5;
    ld.global.u32 %r5, [%rd4]; st.global.u32 [%rd4+512], %r5;
    )") + store,
                        words, 64);
                int wrong = 0;
                for (std::size_t t = 0; t < 64; ++t)
                  wrong += words.values[t] != 7 || words.values[128 + t] != 0 ? 1 : 0;
                return wrong;
              }),
              0)
        << store;
  }
}

// What a leader does behind a barrier; what all do when the flag is there.
std::string flag(const std::string& store) {
  return "bar.sync 0; setp.ne.s32 %p2, %r1, 0; @%p2 bra $SENT;\nmov.u32 %r4, 1; " + store +
         " [%rd2+512], %r4;\n$SENT:\n";
}
const std::string met =
    "setp.ne.s32 %p3, %r1, 0; @%p3 bra $MET;\n$WAIT:\nld.acquire.sys.b32 %r6, [%rd2+512]; "
    "setp.eq.s32 %p4, %r6, 0; @%p4 bra $WAIT;\n$MET:\nbar.sync 0;\n";

TEST(PtxMemory, RelaxedStoresArriveInAnyOrderUnlessAReleaseOrdersThem) {
  for (const char* how : {"relaxed.gpu.global", "volatile.global"}) {
    const auto missed = [&](const std::string& store, bool across = false) {
      return words_missed(flag(store), met, across, how, 256);
    };
    EXPECT_EQ(missed("st.release.gpu.b32"), 0);
    EXPECT_EQ(missed("red.release.gpu.global.add.u32"), 0);
    EXPECT_EQ(missed("membar.gl; st.relaxed.gpu.b32"), 0);
    EXPECT_EQ(missed("st.release.sys.b32", true), 0);
    EXPECT_GT(missed("st.relaxed.gpu.b32"), 0);
    EXPECT_GT(missed("st.volatile.global.u32"), 0);
    EXPECT_GT(missed("atom.relaxed.gpu.global.exch.b32 %r6,"), 0);
    EXPECT_GT(missed("st.release.cta.b32"), 0);
    EXPECT_GT(missed("st.release.gpu.b32", true), 0) << "too narrow a scope";
  }
}

TEST(PtxMemory, StoresToOneAddressKeepTheirOrder) {
  for (const char* last : {"st.relaxed.gpu.b32 [%rd4], %r3;", "st.volatile.global.u32 [%rd4], %r3;",
                           "st.global.u32 [%rd4], %r3; membar.gl;",
                           "atom.relaxed.gpu.global.exch.b32 %r6, [%rd4], %r3;"}) {
    const std::string writes =
        "setp.ne.s32 %p1, %r2, 0; @%p1 bra $READER;\nmov.u32 %r3, 1; "
        "st.relaxed.gpu.b32 [%rd4], %r3; mov.u32 %r3, 2; "
        "st.volatile.global.u32 [%rd4], %r3; mov.u32 %r3, 3; " +
        std::string(last) + "\nret;\n";
    const auto went_back = [&] {
      Words words(64);
      execute(writes + R"(
$READER:
    mov.u32 %r7, 0;
$AGAIN:
    ld.relaxed.gpu.b32 %r6, [%rd4]; setp.lt.u32 %p2, %r6, %r7; @%p2 bra $BACK;
    mov.u32 %r7, %r6; setp.ne.u32 %p3, %r6, 3; @%p3 bra $AGAIN;
    ret;
$BACK:
    mov.u32 %r7, 9; st.relaxed.gpu.b32 [%rd4], %r7;)",
              words, 64, 2);
      return static_cast<int>(64 - std::count(words.values.begin(), words.values.end(), 3u));
    };
    EXPECT_EQ(in_all(went_back, 256), 0) << last;
  }
}

TEST(PtxMemory, ACtaSeesItsRelaxedStores) {
  for (const char* load :
       {"ld.global.u32 %r5, [%rd4];", "ld.relaxed.gpu.b32 %r5, [%rd4];",
        "atom.global.add.u32 %r5, [%rd4], 0;", "bar.sync 0; ld.global.u32 %r5, [%rd4];"}) {
    const auto missed = [&] {
      Words words(128);
      execute("ld.global.u32 %r6, [%rd4]; mov.u32 %r3, 7; st.relaxed.gpu.b32 [%rd4], %r3; " +
                  std::string(load) + " st.global.u32 [%rd4+256], %r5;",
              words, 64);
      return static_cast<int>(128 - std::count(words.values.begin(), words.values.end(), 7u));
    };
    EXPECT_EQ(in_all(missed, 128), 0) << load;
  }
}

// LL128: who sees the last of what one instruction of a warp stored, sees all of it.
TEST(PtxMemory, WhatAWarpStoresByOneInstructionArrivesAsAWhole) {
  const auto missed = [] {
    Words words(256);
    execute(R"(
    mul.wide.u32 %rd5, %r1, 16; add.s64 %rd6, %rd2, %rd5; mov.u32 %r3, 7;
    setp.ne.s32 %p1, %r2, 0; @%p1 bra $READER;
    st.volatile.global.v4.u32 [%rd6], {%r3, %r3, %r3, %r3};
    ret;
$READER:
    mov.u32 %r4, -1; setp.eq.u32 %p2, %r1, 31;
$AGAIN:
    ld.volatile.global.v4.u32 {%r5, %r6, %r7, %r8}, [%rd6];
    selp.b32 %r9, %r8, 0, %p2; setp.eq.u32 %p3, %r9, 7; vote.sync.any.pred %p4, %p3, %r4;
    @!%p4 bra $AGAIN;
    st.global.v4.u32 [%rd6+512], {%r5, %r6, %r7, %r8};)",
            words, 32, 2);
    return static_cast<int>(256 - std::count(words.values.begin(), words.values.end(), 7u));
  };
  EXPECT_EQ(in_all(missed, 256), 0);
}

TEST(PtxMemory, StoresToAllMembersArriveWheneverUnlessAReleaseOrdersThem) {
  std::vector<std::uint32_t> object(64);  // its address alone is used
  const auto multicast = reinterpret_cast<Address>(object.data());
  const auto missed = [&](const std::string& store) {
    return in_all(
        [&] {
          Words words(64 + 64 + 1, true), other(64, true);
          address_space().add_multicast(multicast, 256,
                                        {reinterpret_cast<std::byte*>(words.values.data()),
                                         reinterpret_cast<std::byte*>(other.values.data())});
          execute("setp.ne.s32 %p1, %r2, 0; @%p1 bra $READER;\nmov.u32 %r3, 7; mov.u64 %rd5, " +
                      std::to_string(multicast) +
                      "; add.s64 %rd6, %rd5, %rd3; multimem.st.relaxed.sys.global.s32 [%rd6], "
                      "%r3;\n" +
                      flag(store) + "ret;\n$READER:\n" + met +
                      "ld.relaxed.sys.u32 %r5, [%rd4]; st.global.u32 [%rd4+256], %r5;",
                  words, 64, 2);
          address_space().remove(multicast);
          EXPECT_EQ(std::count(other.values.begin(), other.values.end(), 7u), 64);
          return static_cast<int>(64 - std::count(&words.values[64], &words.values[128], 7u));
        },
        256);
  };
  EXPECT_EQ(missed("st.release.sys.b32"), 0);
  EXPECT_GT(missed("st.release.gpu.b32"), 0);
  EXPECT_GT(missed("st.relaxed.sys.b32"), 0);
}

}  // namespace
}  // namespace fabricast::ptx
