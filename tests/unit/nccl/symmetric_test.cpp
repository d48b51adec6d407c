// Kernels for buffers in symmetric windows: NCCL 2.28.9's own model, computed with its code once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/nccl/explain_text.hpp"
#include "emulator/nccl/symmetric.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast::nccl {
namespace {

using testing::HasSubstr;

Communicator on(const std::string& machine, const Version& version = {},
                const std::map<std::string, std::string>& environment = {}) {
  return make_communicator(*load_machine(machine), version, overrides_from(environment));
}

struct Wanted {
  std::int64_t bytes;
  std::string_view kernel;
  double us;
  int blocks;
};

void expect(const Communicator& communicator, Collective collective,
            const std::vector<Wanted>& rows) {
  for (const Wanted& row : rows) {
    const auto choice = choose_symmetric(communicator, {collective, row.bytes});
    EXPECT_EQ(choice.kernel, row.kernel) << row.bytes;
    EXPECT_NEAR(*choice.time_us, row.us, .05) << row.bytes;
    EXPECT_EQ(choice.blocks, row.blocks) << row.bytes;
  }
}

constexpr std::int64_t kib = 1 << 10, mib = 1 << 20, gib = 1 << 30;

// Golden values: facts on NCCL, 1.7.
TEST(SymmetricKernels, AreChosenAsNcclChoosesThem) {
  const std::string_view in_switch = "RSxLDMC_AGxSTMC";
  expect(on("hgx-h100"), Collective::all_reduce,
         {{1 * kib, "AGxLLMC_R", 5.0, 2},
          {64 * kib, in_switch, 8.2, 1},
          {1 * mib, in_switch, 9.4, 1},
          {16 * mib, in_switch, 43.4, 2},
          {1 * gib, in_switch, 2350.6, 2}});
  expect(on("hgx-b200"), Collective::all_reduce,
         {{1 * kib, "AGxLLMC_R", 11.5, 2},
          {64 * kib, in_switch, 19.9, 1},
          {1 * mib, in_switch, 20.3, 2},
          {16 * mib, in_switch, 36.1, 3},
          {1 * gib, in_switch, 1143.7, 3}});
  expect(on("gb200-nvl72"), Collective::all_reduce,
         {{1 * kib, "AGxLLMC_R", 12.0, 7},
          {64 * kib, in_switch, 19.8, 1},
          {1 * mib, in_switch, 20.2, 1},
          {16 * mib, in_switch, 34.3, 1},
          {1 * gib, in_switch, 1032.4, 1}});
  expect(on("hgx-h100"), Collective::all_gather,
         {{8 * 1 * kib, "LLMC", 5.0, 3},
          {8 * 64 * kib, "STMC", 8.7, 2},
          {8 * 1 * mib, "STMC", 28.8, 2},
          {8 * 16 * mib, "STMC", 358.1, 2},
          {8 * gib, "STMC", 22488.8, 2}});
}

TEST(SymmetricKernels, SayWhyThereAreNone) {
  const Request request{Collective::all_reduce, mib};
  const auto why = [&](const std::string& machine, const Version& version = {}) {
    return no_symmetric_kernel(on(machine, version), request);
  };
  EXPECT_EQ(why("hgx-h100"), "");
  EXPECT_THAT(why("hgx-h100", {2, 26, 0}), HasSubstr("2.27"));
  EXPECT_THAT(why("hgx-h100x16"), HasSubstr("16 NVLink domains"));
  EXPECT_THAT(why("dgx-1-v100"), HasSubstr("NVLink"));
  const auto h100 = on("hgx-h100");
  EXPECT_THAT(no_symmetric_kernel(h100, {Collective::all_to_all, mib}), HasSubstr("all_gather"));
  EXPECT_THAT(no_symmetric_kernel(h100, {Collective::all_reduce, mib, DataType::int32}),
              HasSubstr("bfloat16"));
  EXPECT_EQ(no_symmetric_kernel(h100, {Collective::all_gather, mib, DataType::int32}), "");
  EXPECT_THAT(
      no_symmetric_kernel(h100, {Collective::all_reduce, mib, DataType::float32, Operation::max}),
      HasSubstr("add"));
  EXPECT_THAT(no_symmetric_kernel(h100, {Collective::all_gather, 64 * gib}), HasSubstr("64 GiB"));
}

TEST(SymmetricKernels, WithoutASwitchThatMulticastsGoOneByOne) {
  const auto plain = on("hgx-h100", {}, {{"NCCL_NVLS_ENABLE", "0"}});
  EXPECT_EQ(choose_symmetric(plain, {Collective::all_reduce, gib}).kernel, "RSxLD_AGxST");
  EXPECT_EQ(choose_symmetric(plain, {Collective::all_reduce, kib}).kernel, "AGxLL_R");
  // NCCL sets NVLS up for more than two GPUs.
  const auto pair = make_communicator(*load_machine("hgx-h100", {"gpus=2"}));
  EXPECT_EQ(choose_symmetric(pair, {Collective::all_reduce, gib}).kernel, "RSxLD_AGxST");
  EXPECT_EQ(choose(pair, {Collective::all_reduce, gib}).algorithm, Algorithm::ring);
  // fp8 is multicast by SM90's switch, but not added.
  const Request fp8{Collective::all_reduce, mib, DataType::f8e4m3};
  EXPECT_EQ(choose_symmetric(on("hgx-h100"), fp8).kernel, "RSxLD_AGxST");
  EXPECT_EQ(choose_symmetric(on("hgx-b200"), fp8).kernel, "RSxLDMC_AGxSTMC");
  for (const auto& candidate : symmetric_candidates(plain, {Collective::all_gather, 4 * gib})) {
    EXPECT_EQ(candidate.time_us.has_value(), candidate.kernel == "ST") << candidate.kernel;
    EXPECT_EQ(candidate.time_us.has_value(), candidate.reason.empty());
  }
}

TEST(SymmetricKernels, KeepToTheUsersThreadBlocks) {
  const Request request{Collective::all_gather, 8 * kib};
  EXPECT_EQ(choose_symmetric(on("hgx-h100", {}, {{"NCCL_MAX_CTAS", "1"}}), request).blocks, 1);
  // 64 KiB per rank: STMC has two blocks at the most, LLMC takes eight.
  EXPECT_EQ(choose_symmetric(on("hgx-h100", {}, {{"NCCL_MIN_CTAS", "8"}}), request).blocks, 8);
  // Channels of rings are not blocks of these kernels.
  EXPECT_EQ(choose_symmetric(on("hgx-h100", {}, {{"NCCL_MAX_NCHANNELS", "1"}}), request).blocks, 3);
  EXPECT_EQ(choose_symmetric(
                on("hgx-h100", {}, {{"NCCL_MAX_CTAS", "32"}, {"NCCL_MAX_NCHANNELS", "1"}}), request)
                .blocks,
            3);
}

TEST(SymmetricKernels, AreExplainedByNameOrRefusedByReason) {
  const std::vector<std::int64_t> sizes{kib, gib, 64 * gib};
  const Request request{Collective::all_reduce, 0};
  const std::string text = explain_symmetric(on("hgx-h100"), request, sizes);
  EXPECT_THAT(text, HasSubstr("AGxLLMC_R"));
  EXPECT_THAT(text, HasSubstr("2350.6"));
  EXPECT_THAT(text, HasSubstr("64G: no symmetric kernel: they count up to 64 GiB"));
  const std::string far = explain_symmetric(on("hgx-h100x16"), request, sizes);
  EXPECT_THAT(far, HasSubstr("no symmetric kernel: the ranks are in 16 NVLink domains"));
  EXPECT_THAT(far, HasSubstr("NVLSTree")) << "what is taken instead";
}

}  // namespace
}  // namespace fabricast::nccl
