#include "kernels/cuda/multimem.hpp"

#include <cuda_runtime.h>

#include <algorithm>

#include "emulator/base/error.hpp"
#include "kernels/cuda/device_memory.cuh"
#include "kernels/cuda/gated_stream.hpp"
#include "kernels/cuda/multimem_launch.hpp"

namespace fabricast::cuda {
namespace {

constexpr int poison = 0xFF;  // NaN, or -1: never a small integer's bytes

std::size_t in_lines(std::int64_t bytes) {
  return (static_cast<std::size_t>(bytes) + lane::line_bytes - 1) / lane::line_bytes *
         lane::line_bytes;
}

}  // namespace

struct MultimemAllReduce::State {
  int device = 0;
  cudaDeviceProp properties{};
  std::int32_t resident_ctas = 0;
  std::uint64_t stall_limit_ns = 10'000'000'000;
  GatedStream stream;
  DeviceArray<lane::ProgressLine> progress;
  DeviceArray<std::uint64_t> stop_word;
  DeviceArray<lane::StallRecord> stall_record;
  const MulticastMemory* memory = nullptr;
  std::uint64_t meetings = 0;
  bool stalled = false;
  lane::StallRecord stall;

  void select() const { check(cudaSetDevice(device), "selecting the GPU"); }
};

MultimemAllReduce::MultimemAllReduce(int device) {
  check(cudaSetDevice(device), "selecting GPU " + std::to_string(device));
  state_ = std::make_unique<State>();
  State& s = *state_;
  s.device = device;
  check(cudaGetDeviceProperties(&s.properties, device), "reading GPU " + std::to_string(device));
  s.resident_ctas = s.properties.multiProcessorCount * resident_multimem_ctas_per_sm();
  constexpr auto most = static_cast<std::size_t>(lane::most_multimem_ctas);
  s.progress = DeviceArray<lane::ProgressLine>(most, "progress counters");
  s.stop_word = DeviceArray<std::uint64_t>(1, "the stop word");
  s.stall_record = DeviceArray<lane::StallRecord>(1, "the stall record");
}

MultimemAllReduce::~MultimemAllReduce() = default;

std::string MultimemAllReduce::description() const {
  const auto& p = state_->properties;
  return std::string(p.name) + ", compute " + std::to_string(p.major) + "." +
         std::to_string(p.minor) + ", CTAs of " + std::to_string(threads_per_multimem_cta) +
         " threads";
}

std::int32_t MultimemAllReduce::max_ctas() const {
  return std::min(state_->resident_ctas, static_cast<std::int32_t>(lane::most_multimem_ctas));
}

void MultimemAllReduce::set_stall_limit(double seconds) {
  state_->stall_limit_ns = static_cast<std::uint64_t>(seconds * 1e9);
}

void MultimemAllReduce::use(const MulticastMemory& memory) {
  State& s = *state_;
  s.select();
  s.memory = &memory;
  s.meetings = 0;
  check(cudaMemset(memory.own(), 0, static_cast<std::size_t>(lane::multimem_data_offset)),
        "clearing counters");
  check(cudaDeviceSynchronize(), "waiting for the GPU");
}

void MultimemAllReduce::write_input(const lane::MultimemWork& work,
                                    std::span<const std::byte> input) {
  State& s = *state_;
  s.select();
  for (const auto offset : {work.input_offset, work.output_offset}) {
    check(cudaMemset(s.memory->own() + offset, poison, in_lines(work.bytes)), "clearing buffers");
  }
  check(cudaMemcpy(s.memory->own() + work.input_offset, input.data(), input.size(),
                   cudaMemcpyHostToDevice),
        "uploading an input");
}

void MultimemAllReduce::read_output(const lane::MultimemWork& work, std::span<std::byte> output) {
  State& s = *state_;
  s.select();
  check(cudaMemcpy(output.data(), s.memory->own() + work.output_offset, output.size(),
                   cudaMemcpyDeviceToHost),
        "downloading an output");
}

double MultimemAllReduce::run(lane::MultimemWork work, DataType type, ReduceOp op,
                              const std::function<void()>& before_start) {
  State& s = *state_;
  s.select();
  s.progress.zero("progress counters");
  s.stop_word.zero("the stop word");
  check(cudaDeviceSynchronize(), "waiting for the GPU");
  work.meetings = s.meetings;
  const lane::RunControl control{s.progress.data(),     work.ctas,        s.stop_word.data(),
                                 s.stall_record.data(), s.stall_limit_ns, nullptr};
  const double seconds = s.stream.run(
      "running the collective on the GPU",
      [&] {
        launch_multimem(
            {s.memory->multicast(), s.memory->own(), work, control, type, op, s.stream.handle()});
      },
      before_start);
  s.meetings += lane::meetings_per_run;
  std::uint64_t stopped = 0;
  check(cudaMemcpy(&stopped, s.stop_word.data(), sizeof stopped, cudaMemcpyDeviceToHost),
        "reading the stop word");
  s.stalled = stopped != 0;
  if (s.stalled) {
    check(cudaMemcpy(&s.stall, s.stall_record.data(), sizeof s.stall, cudaMemcpyDeviceToHost),
          "reading the stall record");
  }
  s.stream.expect_opened();
  return seconds;
}

bool MultimemAllReduce::stalled() const { return state_->stalled; }
lane::StallRecord MultimemAllReduce::stall() const { return state_->stall; }

}  // namespace fabricast::cuda
