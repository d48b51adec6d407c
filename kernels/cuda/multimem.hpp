// The multimem all-reduce on one GPU: the launch, its clock and its bounded waits. The others of a
// group run it at the same time, on memory of one multicast object.
//
// Built without nvcc, or with a toolkit before CUDA 12.5, the same symbols say so. Not thread safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "kernels/cuda/multicast_memory.hpp"
#include "kernels/lane/multimem.hpp"

namespace fabricast::cuda {

class MultimemAllReduce {
 public:
  // Throws RuntimeError without that device or its code.
  explicit MultimemAllReduce(int device);
  ~MultimemAllReduce();
  MultimemAllReduce(const MultimemAllReduce&) = delete;
  MultimemAllReduce& operator=(const MultimemAllReduce&) = delete;

  std::string description() const;  // the GPU's name and compute capability
  std::int32_t max_ctas() const;    // that can be resident together, most_multimem_ctas at most
  void set_stall_limit(double seconds);

  // What follows runs on that memory, which must outlive it; clears its counters. No member may run
  // until all have done so.
  void use(const MulticastMemory& memory);
  // Poison in all of the input's and output's lines, then the input.
  void write_input(const lane::MultimemWork& work, std::span<const std::byte> input);
  void read_output(const lane::MultimemWork& work, std::span<std::byte> output);

  // One all-reduce; seconds as Interpreter::run() gives them. `work.meetings` is kept here.
  double run(lane::MultimemWork work, DataType type, ReduceOp op,
             const std::function<void()>& before_start);
  // A CTA waited for longer than the limit; the counters are then of no more use.
  bool stalled() const;
  lane::StallRecord stall() const;  // lane: the CTA; step: 0 before it reduced, 1 after

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fabricast::cuda
