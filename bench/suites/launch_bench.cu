// Suite launch: empty kernels.
#include <chrono>
#include <map>

#include "bench/suites/session.cuh"

namespace fabricast::micro {
namespace {

constexpr int graph_nodes = 64;

__global__ void __launch_bounds__(threads_per_cta) empty_kernel(int) {}

}  // namespace

struct LaunchBench::State {
  std::shared_ptr<Session> session;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;

  ~State() {
    if (executable != nullptr) cudaGraphExecDestroy(executable);
    if (graph != nullptr) cudaGraphDestroy(graph);
  }

  // Captures, and launches once: the first launch uploads the graph, which is no node's time, and
  // may wait for the device, which must not wait for a gate then.
  void capture() {
    const cudaStream_t stream = session->stream;
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capturing a graph");
    for (int i = 0; i < graph_nodes; ++i) empty_kernel<<<1, threads_per_cta, 0, stream>>>(i);
    check(cudaStreamEndCapture(stream, &graph), "capturing a graph");
    check(cudaGraphInstantiate(&executable, graph, 0), "instantiating a graph");
    check(cudaGraphLaunch(executable, stream), "launching a graph");
    check(cudaStreamSynchronize(stream), "a first graph of empty kernels");
  }
};

LaunchBench::LaunchBench(std::shared_ptr<Session> session) : state_(std::make_unique<State>()) {
  state_->session = std::move(session);
  state_->session->load(empty_kernel);
}
LaunchBench::~LaunchBench() = default;

double LaunchBench::once_us(LaunchKind kind, std::int32_t ctas) {
  Session& s = *state_->session;
  switch (kind) {
    case LaunchKind::cooperative:
      return s.timed_launch("an empty cooperative kernel", empty_kernel, ctas, 0);
    case LaunchKind::plain:
      return s.timed("an empty kernel", [&] {
        empty_kernel<<<static_cast<unsigned>(ctas), threads_per_cta, 0, s.stream>>>(0);
        check(cudaGetLastError(), "launching an empty kernel");
      });
    case LaunchKind::graph_node:
      if (state_->executable == nullptr) state_->capture();
      return s.timed("a graph of empty kernels", [&] {
        check(cudaGraphLaunch(state_->executable, s.stream), "launching a graph");
      }) / graph_nodes;
    case LaunchKind::api_call: {
      check(cudaStreamSynchronize(s.stream), "waiting for the stream");
      const auto start = std::chrono::steady_clock::now();
      empty_kernel<<<1, threads_per_cta, 0, s.stream>>>(0);
      const std::chrono::duration<double, std::micro> taken =
          std::chrono::steady_clock::now() - start;
      check(cudaGetLastError(), "launching an empty kernel");
      check(cudaStreamSynchronize(s.stream), "an empty kernel");
      return taken.count();
    }
  }
  return 0;
}

}  // namespace fabricast::micro
