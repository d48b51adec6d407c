#include "emulator/nccl/tuner_tables.hpp"

#include <vector>

namespace fabricast::nccl {
namespace {

constexpr std::size_t tree = index_of(Algorithm::tree);
constexpr std::size_t collnet_direct = index_of(Algorithm::collnet_direct);
constexpr std::size_t collnet_chain = index_of(Algorithm::collnet_chain);
constexpr std::size_t nvls = index_of(Algorithm::nvls);
constexpr std::size_t nvls_tree = index_of(Algorithm::nvls_tree);
constexpr std::size_t simple = index_of(Protocol::simple);
constexpr std::size_t nvlink = static_cast<std::size_t>(Hardware::nvlink);
constexpr std::size_t pci = static_cast<std::size_t>(Hardware::pci);
constexpr std::size_t network = static_cast<std::size_t>(Hardware::network);
constexpr std::size_t hopper = static_cast<std::size_t>(Generation::hopper);
constexpr std::size_t blackwell = static_cast<std::size_t>(Generation::blackwell);

// 64 B, 128 B ... 256 MiB (512 MiB from 2.29 on).
constexpr CorrectionTable corrections{
    {{1.0F, 1.0F, 1.0F, 1.0F, .9F, .8F, .7F, .7F,  .7F,  .7F,  .6F,  .5F,
      .4F,  .4F,  .5F,  .6F,  .7F, .8F, .9F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F},
     {1.0F, 1.0F, 1.0F, 1.0F, 1.0F, .9F, .8F, .8F, .8F, .7F,  .6F,  .6F,
      .6F,  .6F,  .6F,  .6F,  .8F,  .9F, .9F, .9F, .9F, 1.0F, 1.0F, 1.0F},
     {.9F, .9F, .9F, .9F, .9F, .9F, .9F, .8F, .7F, .6F, .6F, .5F,
      .5F, .5F, .5F, .6F, .7F, .8F, .7F, .7F, .8F, .9F, .9F, .9F}}};

TunerTable v2_28_9() {
  return {
      .since = {2, 28, 7},
      .source = "NVIDIA/nccl v2.28.9-1 src/graph/tuning.cc",
      .base = {{{6.8F, 14.0F, 8.4F},
                {6.6F, 14.0F, 8.4F},
                {0, 0, 0},
                {0, 0, 0},
                {0, 0, 0},
                {0, 0, 0},
                {8.0F, 8.0F, 8.0F}}},
      .hardware = {{{{{.6F, 1.25F, 4.0F},
                      {.6F, 1.9F, 3.4F},
                      {0, 0, 3.7F},
                      {0, 0, 2.8F},
                      {0, 0, 25},
                      {0, 0, 25},
                      {0, 0, 4.0F}}},
                    {{{1.0F, 1.9F, 4.0F},
                      {1.0F, 2.5F, 5.7F},
                      {0, 0, 3.7F},
                      {0, 0, 2.8F},
                      {0, 0, 0},
                      {0, 0, 0},
                      {0, 0, 4.0F}}},
                    {{{5.0F, 8.5F, 14},
                      {2.7F, 4.0F, 14.0F},
                      {0, 0, 31},
                      {0, 0, 30},
                      {0, 0, 18},
                      {0, 0, 20.9F},
                      {0, 0, 14}}}}},
      .ll = {{{39.0, 39.0, 20.4}, {87.7, 22.5, 19.0}, {141.0, 45.0, 35.0}, {282.0, 90.0, 70.0}}},
      .ring_ll128 =
          {{{20.0, 20.0, 20.0}, {20.0, 20.0, 20.0}, {36.7, 36.7, 36.7}, {73.4, 34.6, 73.4}}},
      .tree_ll128 =
          {{{20.0, 20.0, 20.0}, {20.0, 20.0, 20.0}, {36.7, 36.7, 29.0}, {55.6, 31.67, 20.0}}},
      .tree = {{{26.5, 18.5, 10.0}, {24.0, 23.6, 17.8}, {38.7, 41.4, 36.0}, {70.0, 42.8, 24.0}}},
      .nvls_tree = {{{26.5, 18.5, 10.0}, {24.0, 23.6, 17.8}, {0.0, 57.7, 45.5}, {0.0, 96.0, 43.8}}},
      .nvls_efficiency = {0.0F, 0.0F, 0.85F, 0.74F},
      .correction = corrections,
  };
}

TunerTable v2_30_7() {
  TunerTable table = v2_28_9();
  table.since = {2, 30, 0};
  table.source = "NVIDIA/nccl v2.30.7-1 src/graph/tuning.cc";
  table.ring_ll128[blackwell] = {40.0, 40.0, 40.0};
  table.nvls_tree[blackwell] = {0.0, 96.0, 80.0};
  table.corrections = 24;
  table.correct_nvls_tree = true;
  return table;
}

TunerTable v2_29_7() {
  TunerTable table = v2_30_7();
  table.since = {2, 29, 0};
  table.source = "NVIDIA/nccl v2.29.7-1 src/graph/tuning.cc";
  table.nvls_tree[blackwell] = {0.0, 96.0, 43.8};
  return table;
}

TunerTable v2_28_3() {
  TunerTable table = v2_28_9();
  table.since = {2, 28, 0};
  table.source = "NVIDIA/nccl v2.28.3-1 src/graph/tuning.cc";
  table.ring_ll128[blackwell] = {73.4, 73.4, 73.4};
  table.nvls_tree[blackwell] = {0.0, 96.0, 43.1};
  table.hardware[network][nvls_tree][simple] = 14;
  return table;
}

TunerTable v2_27_7() {
  TunerTable table = v2_28_3();
  table.since = {2, 25, 0};
  table.source = "NVIDIA/nccl v2.27.7-1 src/graph/tuning.cc";
  table.tree_ll128[blackwell] = {73.4, 73.4, 58.0};
  table.tree[blackwell] = {77.4, 82.8, 72.0};
  table.nvls_by_efficiency = false;
  return table;
}

// Before Blackwell had rows of its own, its GPUs took Hopper's.
TunerTable v2_23_4() {
  TunerTable table = v2_27_7();
  table.since = {2, 23, 0};
  table.source = "NVIDIA/nccl v2.23.4-1 src/graph/tuning.cc";
  for (auto* caps : {&table.ll, &table.ring_ll128, &table.tree_ll128, &table.tree}) {
    (*caps)[blackwell] = (*caps)[hopper];
  }
  table.pat_factor = 0.85F;
  return table;
}

TunerTable v2_21_5() {
  TunerTable table = v2_23_4();
  table.since = {2, 21, 0};
  table.source = "NVIDIA/nccl v2.21.5-1 src/graph/tuning.cc";
  table.base[tree][simple] = 0;
  for (auto& kind : table.hardware) kind[tree][simple] = 28;
  for (const auto algorithm : {nvls, nvls_tree}) table.hardware[nvlink][algorithm][simple] = 23;
  table.pat_factor = 0;
  table.single_rank_tree_latency = false;
  return table;
}

TunerTable v2_20_3() {
  TunerTable table = v2_21_5();
  table.since = {2, 19, 0};
  table.source = "NVIDIA/nccl v2.20.3-1 src/graph/tuning.cc";
  table.ll[hopper] = table.ll[blackwell] = {87.7, 22.5, 19.0};
  table.ring_ll_half = false;
  table.inter_steps_less_one = false;
  return table;
}

TunerTable v2_18_6() {
  TunerTable table = v2_20_3();
  table.since = {2, 0, 0};
  table.source = "NVIDIA/nccl v2.18.6-1 src/graph/tuning.cc";
  table.hardware[nvlink][tree][simple] = 4;
  table.hardware[pci][tree][simple] = 6;
  table.hardware[network][tree][simple] = 14;
  for (const auto kind : {nvlink, pci}) {
    table.hardware[kind][collnet_direct][simple] = 8.0F;
    table.hardware[kind][collnet_chain][simple] = 4.75F;
  }
  table.hardware[network][collnet_direct][simple] = 10.7F;
  table.hardware[network][collnet_chain][simple] = 14;
  for (const auto algorithm : {nvls, nvls_tree}) {
    table.base[algorithm][simple] = 23;
    table.hardware[nvlink][algorithm][simple] = 0;
  }
  table.hardware[network][nvls_tree][simple] = 19;
  return table;
}

}  // namespace

Generation generation_of(int capability) {
  if (capability >= 100) return Generation::blackwell;
  if (capability >= 90) return Generation::hopper;
  return capability >= 80 ? Generation::ampere : Generation::volta;
}

std::span<const TunerTable> tuner_tables() {
  static const std::vector<TunerTable> tables{v2_30_7(), v2_29_7(), v2_28_9(), v2_28_3(), v2_27_7(),
                                              v2_23_4(), v2_21_5(), v2_20_3(), v2_18_6()};
  return tables;
}

const TunerTable& tuner_table(const Version& version) {
  const auto tables = tuner_tables();
  for (const auto& table : tables) {
    if (version >= table.since) return table;
  }
  return tables.back();
}

}  // namespace fabricast::nccl
