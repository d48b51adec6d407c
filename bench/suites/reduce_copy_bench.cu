// Suites reduce_copy and memory. Sources hold small integers, so any order of adding is exact; the
// first call of every size checks the whole destination.
#include <algorithm>
#include <set>
#include <tuple>

#include "bench/suites/reduce_copy_kernel.cuh"
#include "emulator/cost/micro_model.hpp"

namespace fabricast::micro {
namespace {

constexpr int different = 251;  // prime: a shifted copy shows

__global__ void fill_kernel(float* to, std::int64_t count, int salt) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
       i += stride) {
    to[i] = static_cast<float>((i * (salt + 1) + salt) % different);
  }
}

__global__ void check_kernel(const float* sum, std::int64_t count, int sources,
                             unsigned long long* wrong) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
       i += stride) {
    float wanted = 0;
    for (int s = 0; s < sources; ++s) {
      wanted += static_cast<float>((i * (s + 1) + s) % different);
    }
    if (sum[i] != wanted) atomicAdd(wrong, 1ull);
  }
}

}  // namespace

struct ReduceCopyBench::State {
  std::shared_ptr<Session> session;
  DeviceArray<float> source[most_sources], destination;
  DeviceArray<unsigned long long> wrong;
  std::set<std::tuple<int, int, std::int64_t>> checked;

  // Larger buffers replace smaller ones; nothing is kept of the contents.
  void reserve(std::int64_t count) {
    if (static_cast<std::int64_t>(destination.size()) >= count) return;
    const auto size = static_cast<std::size_t>(count);
    destination = {};
    for (auto& s : source) s = {};
    destination = DeviceArray<float>(size, "a copy's destination");
    for (int s = 0; s < most_sources; ++s) {
      source[s] = DeviceArray<float>(size, "a copy's source");
      fill_kernel<<<1024, 256>>>(source[s].data(), count, s);
    }
    check(cudaDeviceSynchronize(), "filling a copy's sources");
    checked.clear();
  }

  void check_data(int sources, std::int64_t count) {
    wrong.zero("the count of wrong elements");
    check_kernel<<<1024, 256>>>(destination.data(), count, sources, wrong.data());
    unsigned long long found = 0;
    check(cudaMemcpy(&found, wrong.data(), sizeof found, cudaMemcpyDeviceToHost),
          "checking a copy");
    if (found == 0) return;
    throw CheckError("reduce-copy of " + std::to_string(sources) + " sources: " +
                     std::to_string(found) + " of " + std::to_string(count) + " elements are wrong");
  }
};

ReduceCopyBench::ReduceCopyBench(std::shared_ptr<Session> session)
    : state_(std::make_unique<State>()) {
  state_->session = std::move(session);
  state_->wrong = DeviceArray<unsigned long long>(1, "the count of wrong elements");
}
ReduceCopyBench::~ReduceCopyBench() = default;

double ReduceCopyBench::once_us(std::int32_t sources, std::int32_t ctas, std::int64_t bytes) {
  State& state = *state_;
  Session& s = *state.session;
  const std::int64_t count = bytes / static_cast<std::int64_t>(sizeof(float));
  state.reserve(count);
  ReduceCopyData data{};
  for (int i = 0; i < most_sources; ++i) {
    data.source[i] = reinterpret_cast<const float4*>(state.source[i].data());
  }
  data.destination = reinterpret_cast<float4*>(state.destination.data());
  data.vectors = count / 4;
  const bool first = state.checked.insert({sources, ctas, bytes}).second;
  if (first) {  // what an earlier case left there must not pass for this one's result
    check(cudaMemset(state.destination.data(), 0xFF, static_cast<std::size_t>(bytes)),
          "clearing a copy's destination");
  }
  const std::int64_t passes = micro_passes(bytes);
  const auto kernel = sources == 1   ? reduce_copy_kernel<1>
                      : sources == 2 ? reduce_copy_kernel<2>
                                     : reduce_copy_kernel<3>;
  const double us = s.timed_launch("a reduce-copy", kernel, ctas, data, passes);
  if (first) state.check_data(sources, count);
  return us / static_cast<double>(passes);
}

}  // namespace fabricast::micro
