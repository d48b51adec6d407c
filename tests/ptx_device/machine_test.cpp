// The PTX device itself: that it computes what PTX says, and that it finds faults.
#include "tests/ptx_device/machine.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <functional>
#include <stdexcept>
#include <string>

#include "tests/ptx_device/kernel_text.hpp"

namespace fabricast::ptx {
namespace {

std::string fault(const std::string& body, unsigned threads = 32) {
  Words words(threads);
  try {
    execute(body, words, threads);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "none";
}

// What `statements` leave in %r9, given a in %r3 and b in %r4.
std::uint32_t result_of(const std::string& statements, std::uint32_t a, std::uint32_t b) {
  Words words(2);
  execute("mov.u32 %r3, " + std::to_string(a) + ";\nmov.u32 %r4, " + std::to_string(b) + ";\n" +
              statements + "\nst.global.u32 [%rd4], %r9;",
          words, 1);
  return words.values[0];
}

TEST(PtxDevice, ComputesWithIntegers) {
  struct Case {
    const char* statements;
    std::function<std::uint32_t(std::uint32_t, std::uint32_t)> expected;
  };
  const Case cases[] = {
      {"add.s32 %r9, %r3, %r4;", [](auto a, auto b) { return a + b; }},
      {"sub.s32 %r9, %r3, %r4;", [](auto a, auto b) { return a - b; }},
      {"mul.lo.s32 %r9, %r3, %r4;", [](auto a, auto b) { return a * b; }},
      {"mad.lo.s32 %r9, %r3, %r4, 7;", [](auto a, auto b) { return a * b + 7; }},
      {"mul.hi.u32 %r9, %r3, %r4;",
       [](auto a, auto b) { return static_cast<std::uint32_t>(std::uint64_t{a} * b >> 32); }},
      {"mul.wide.s32 %rd9, %r3, %r4; shr.u64 %rd9, %rd9, 32; cvt.u32.u64 %r9, %rd9;",
       [](auto a, auto b) {
         const auto product =
             std::int64_t{static_cast<std::int32_t>(a)} * static_cast<std::int32_t>(b);
         return static_cast<std::uint32_t>(static_cast<std::uint64_t>(product) >> 32);
       }},
      {"div.u32 %r9, %r3, %r4;", [](auto a, auto b) { return a / b; }},
      {"rem.s32 %r9, %r3, %r4;",
       [](auto a, auto b) {
         const auto x = static_cast<std::int32_t>(a), y = static_cast<std::int32_t>(b);
         return y == -1 ? 0 : static_cast<std::uint32_t>(x % y);
       }},
      {"min.s32 %r9, %r3, %r4;",
       [](auto a, auto b) {
         return static_cast<std::int32_t>(a) < static_cast<std::int32_t>(b) ? a : b;
       }},
      {"shl.b32 %r9, %r3, %r4;", [](auto a, auto b) { return b < 32 ? a << b : 0; }},
      {"shr.s32 %r9, %r3, %r4;",
       [](auto a, auto b) {
         const auto x = static_cast<std::int32_t>(a);
         return static_cast<std::uint32_t>(b < 32 ? x >> b : (x < 0 ? -1 : 0));
       }},
      {"setp.lt.s32 %p1, %r3, %r4; selp.b32 %r9, 1, 2, %p1;",
       [](auto a, auto b) {
         return static_cast<std::int32_t>(a) < static_cast<std::int32_t>(b) ? 1u : 2u;
       }},
      {"setp.lt.u32 %p1, %r3, %r4; not.pred %p2, %p1; @%p2 mov.u32 %r9, 5; @!%p2 mov.u32 %r9, 6;",
       [](auto a, auto b) { return a < b ? 6u : 5u; }},
      {"cvt.u16.u32 %rs1, %r3; cvt.s32.s16 %r9, %rs1;",
       [](auto a, auto) {
         return static_cast<std::uint32_t>(std::int32_t{static_cast<std::int16_t>(a)});
       }},
      {"prmt.b32 %r9, %r3, %r4, 29521;",  // 0x7351
       [](auto a, auto b) {
         return (a >> 8 & 0xFF) | (b >> 8 & 0xFF) << 8 | (a >> 24) << 16 | (b >> 24) << 24;
       }},
      {"cvt.u64.u32 %rd8, %r3; cvt.u64.u32 %rd9, %r4; bfi.b64 %rd9, %rd8, %rd9, 4, 8; cvt.u32.u64 "
       "%r9, %rd9;",
       [](auto a, auto b) { return (b & ~0xFF0u) | (a & 0xFF) << 4; }},
      {"cvt.u16.u32 %rs1, %r3; cvt.u16.u32 %rs2, %r4; mov.b32 %r9, {%rs1, %rs2};",
       [](auto a, auto b) { return (a & 0xFFFF) | b << 16; }},
  };
  const std::uint32_t values[] = {1, 2, 31, 40, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x12345678};
  for (const Case& c : cases) {
    for (const std::uint32_t a : values) {
      for (const std::uint32_t b : values) {
        EXPECT_EQ(result_of(c.statements, a, b), c.expected(a, b))
            << c.statements << ' ' << a << ' ' << b;
      }
    }
  }
}

TEST(PtxDevice, RoundsToHalvesToTheNearestEven) {
  const auto through_half = [](float value) {
    return std::bit_cast<float>(result_of(
        "mov.b32 %f1, %r3; cvt.rn.f16.f32 %rs1, %f1; cvt.f32.f16 %f2, %rs1; mov.b32 %r9, %f2;",
        std::bit_cast<std::uint32_t>(value), 0));
  };
  EXPECT_EQ(through_half(1.5f), 1.5f);
  EXPECT_EQ(through_half(2049.0f), 2048.0f);
  EXPECT_EQ(through_half(2051.0f), 2052.0f);
  EXPECT_EQ(result_of("mov.b32 %f1, %r3; cvt.rn.bf16.f32 %rs1, %f1; cvt.u32.u16 %r9, %rs1;",
                      0x3F808000, 0),
            0x3F80u);
}

TEST(PtxDevice, ThreadsThatPartMeetAgain) {
  Words words(64);
  execute(R"(
    and.b32 %r3, %r1, 1; setp.eq.s32 %p1, %r3, 0; mov.u32 %r9, 0;
    @%p1 bra $EVEN;
    add.s32 %r9, %r9, 10; bra.uni $JOIN;
$EVEN:
    add.s32 %r9, %r9, 20;
$JOIN:
    mov.u32 %r5, -1; setp.ne.s32 %p2, %r9, 0; vote.sync.all.pred %p3, %p2, %r5; selp.b32 %r6, 1, 0, %p3;
    add.s32 %r9, %r9, %r6; st.global.u32 [%rd4], %r9;)",
          words, 64);
  for (std::uint32_t t = 0; t < 64; ++t) EXPECT_EQ(words.values[t], t % 2 == 0 ? 21u : 11u) << t;
}

// Thread 1 waits, in a loop that stands before the store of thread 0.
TEST(PtxDevice, ThreadsBehindDoNotStarveThoseTheyWaitFor) {
  Words words(33);
  execute(R"(
    setp.ne.s32 %p1, %r1, 1; @%p1 bra $OTHERS;
$WAIT:
    ld.relaxed.gpu.b32 %r3, [%rd2+128]; setp.eq.s32 %p2, %r3, 0; @%p2 bra $WAIT;
    ret;
$OTHERS:
    setp.ne.s32 %p3, %r1, 0; @%p3 bra $END;
    mov.u32 %r4, 1; st.relaxed.gpu.b32 [%rd2+128], %r4;
$END:)",
          *[] {
            static Words more(33);
            return &more;
          }(),
          32);
}

TEST(PtxDevice, BarriersGiveEverybodyTheReduction) {
  for (const std::uint32_t last : {63u, 64u}) {
    Words words(64);
    execute("{ .reg .pred %p1; .reg .pred %p2;\nsetp.lt.u32 %p1, %r1, " + std::to_string(last) +
                ";\nbar.red.and.pred %p2, 0, %p1;\nselp.u32 %r9, 1, 0, %p2;\n}\nst.global.u32 "
                "[%rd4], %r9;",
            words, 64);
    for (const std::uint32_t value : words.values) EXPECT_EQ(value, last == 64 ? 1u : 0u);
  }
}

TEST(PtxDevice, FindsFaults) {
  EXPECT_NE(fault("st.global.u32 [%rd4+4], %r1;")
                .find("no memory of the device; thread 31, of those of thread 0 at"),
            std::string::npos)
      << fault("st.global.u32 [%rd4+4], %r1;");
  EXPECT_NE(fault("ld.global.u32 %r3, [%rd4+2];").find("misaligned"), std::string::npos);
  EXPECT_NE(fault("ld.shared.u32 %r3, [word+4];").find("shared memory"), std::string::npos);
  EXPECT_NE(fault("mov.u32 %r3, 0; div.u32 %r4, %r1, %r3;").find("division by zero"),
            std::string::npos);
  EXPECT_NE(fault("st.shared.u32 [word], %r1;").find("race in shared memory"), std::string::npos);
  EXPECT_EQ(fault("setp.ne.s32 %p1, %r1, 0; @%p1 bra $L; st.shared.u32 [word], %r1;\n$L:\nbar.sync "
                  "0; ld.shared.u32 %r3, [word];",
                  64),
            "none");
  EXPECT_NE(fault("setp.ne.s32 %p1, %r1, 0; @%p1 bra $L; st.shared.u32 [word], "
                  "%r1;\n$L:\nld.shared.u32 %r3, [word];")
                .find("without a barrier"),
            std::string::npos);
  EXPECT_NE(fault("mov.u32 %r3, -1; setp.eq.s32 %p1, %r1, 0; @%p1 bra $L; vote.sync.any.pred %p2, "
                  "%p1, %r3;\n$L:\nbar.sync 0;")
                .find("never come"),
            std::string::npos);
  EXPECT_NE(
      fault("mov.u32 %r3, -1; setp.eq.s32 %p1, %r1, 0; @%p1 ret; vote.sync.any.pred %p2, %p1, %r3;")
          .find("have ended"),
      std::string::npos);
}

TEST(PtxDevice, ThreadsOfAWarpVoteTogetherWithOneMask) {
  const auto vote = [](const std::string& mask_of_odd) {
    return fault("and.b32 %r3, %r1, 1; setp.eq.s32 %p1, %r3, 0; selp.b32 %r4, -1, " + mask_of_odd +
                 ", %p1; vote.sync.any.pred %p2, %p1, %r4;");
  };
  EXPECT_EQ(vote("-1"), "none");
  EXPECT_NE(vote("-1431655766").find("different masks"), std::string::npos);     // 0xAAAAAAAA
  EXPECT_NE(fault("mov.u32 %r4, 1431655765; vote.sync.any.pred %p2, %p1, %r4;")  // 0x55555555
                .find("without one of its voters"),
            std::string::npos);
}

TEST(PtxDevice, ThreadsOfAWarpMeetAtOneBarrier) {
  const auto meet = [](const std::string& first_of_others) {
    return fault("setp.lt.u32 %p1, %r1, " + first_of_others +
                     "; @%p1 bra $L;\nbar.sync 0; bra.uni $END;\n$L:\nbar.sync 0;\n$END:",
                 64);
  };
  EXPECT_EQ(meet("32"), "none");
  EXPECT_EQ(meet("64"), "none");
  EXPECT_NE(meet("40").find("at different barriers"), std::string::npos) << meet("40");
}

TEST(PtxDevice, NamesWhatItDoesNotKnow) {
  for (const char* statement : {"sin.approx.f32 %f1, %f2;",
                                "ld.global.u32 %r3, [nothing];",
                                "bra $NOWHERE;",
                                "bar.sync 1;",
                                "call f;",
                                "barrier.sync 0;",
                                "setp.lt.and.s32 %p1, %r3, %r4, %p2;",
                                "setp.lt.or.s32 %p1, %r3, %r4, %p2;",
                                "setp.lt.xor.s32 %p1, %r3, %r4, %p2;",
                                "setp.lt.s32 %p1, %r3, %r4, %p2;",
                                "add.rz.f32 %f1, %f2, %f3;",
                                "fma.rz.f32 %f1, %f2, %f3, %f4;",
                                "add.ftz.f32 %f1, %f2, %f3;",
                                "add.sat.f32 %f1, %f2, %f3;",
                                "mul.rz.f32 %f1, %f2, %f3;",
                                "cvt.rzi.f32.f32 %f1, %f2;",
                                "cvt.rz.f32.s32 %f1, %r3;",
                                "cvt.rz.f16.f32 %rs1, %f1;",
                                "cvt.rn.f16.f64 %rs1, %rd9;",
                                "cvt.rn.f16.s32 %rs1, %r3;",
                                "cvt.rn.bf16.s32 %rs1, %r3;",
                                "cvt.rzi.s32.f16 %r3, %rs1;"}) {
    EXPECT_THROW(parse(kernel_text(statement)), std::runtime_error) << statement;
  }
}

}  // namespace
}  // namespace fabricast::ptx
