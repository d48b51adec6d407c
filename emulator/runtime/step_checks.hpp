// What an executor relies on in every step, so that a wrong schedule is an error when it is
// compiled and not a wild write when it runs.
//
// Actions are MSCCL's instructions (semantics 2.4), peers are ranks, chunks lie in their buffer and
// occur once per message, a copy's chunks are as long as the operand's, short buffers are touched
// in the own block only, buffers that only the root has on the root only, and lanes wait for lanes
// and stages that exist (semantics 2.7). Pure; O(chunks of the step).
#pragma once

#include <cstddef>
#include <cstdint>

#include "emulator/runtime/executor.hpp"
#include "emulator/schedule/expand.hpp"
#include "kernels/lane/image.hpp"

namespace fabricast {

class StepChecks {
 public:
  // The plan must outlive this.
  explicit StepChecks(const ExecutionPlan& plan);

  // `lane` has its layout, block table included; `number` is the step's in its program. Throws
  // RuntimeError naming lane and step, UsageError for a size that the schedule's chunks do not fit.
  void check(const lane::LaneImage& lane, const lane::ChannelLayout& layout, std::size_t number,
             const Step& step, const StepExtra& extra) const;

 private:
  struct At;
  void check_chunks(const At& at, Buffer buffer, std::uint32_t first) const;
  void check_access(const At& at, Buffer buffer, std::uint32_t first, bool writes) const;
  void check_lengths(const At& at) const;
  [[noreturn]] void reject(const At& at, const char* problem) const;

  const ExecutionPlan& plan_;
  std::int32_t root_;
};

}  // namespace fabricast
