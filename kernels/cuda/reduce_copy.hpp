// The reduce-copy ladder (kernels/lane/reduce_copy.hpp) and the plain copy on one GPU, timed.
//
// For comparing rungs with each other; what the interpreter is held against is the copy of the
// suites (bench/gpu/interpreter_bench.cpp). Every rung is compared with kernels/reference on the
// device's own result before it is timed. Built without nvcc the same symbols say "not built". Not
// thread safe.
#pragma once

#include <cstdint>

#include "kernels/data_type.hpp"
#include "kernels/lane/reduce_copy.hpp"

namespace fabricast::cuda {

struct ReduceCopyCase {
  lane::Rung rung = lane::Rung::unrolled;
  bool reduces = true;  // false: the plain copy
  DataType type = DataType::float32;
  ReduceOp op = ReduceOp::sum;
  std::int64_t elements = 0;
  std::int32_t ctas = 1;  // of 512 threads
};

struct ReduceCopyTime {
  std::int64_t wrong = 0;   // elements that differ from the reference; not timed unless 0
  double best_seconds = 0;  // of the repetitions, between CUDA events around each
};

// Throws RuntimeError without that device, UsageError for a case without elements or CTAs.
ReduceCopyTime time_reduce_copy(int device, const ReduceCopyCase& wanted, int repetitions);

}  // namespace fabricast::cuda
