// What runs, and what is predicted, when a size is asked for: nccl-tests' rounding.
//
// nccl-tests rounds each size down to what the collective can carry (docs/measuring.md); the
// rounded size is what is printed and recorded. Measured and predicted rows go through this one
// function, so that they can be laid side by side. Pure function.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "emulator/schedule/schedule.hpp"

namespace fabricast {

// all_reduce, broadcast: whole elements. all_gather, reduce_scatter, all_to_all: `ranks` equal
// blocks, each a multiple of 16 bytes (nccl-tests keeps every rank's buffer 16-byte aligned so).
// May be 0: then there is nothing to run.
std::int64_t effective_bytes(Collective collective, std::int64_t bytes, std::int32_t ranks,
                             std::int32_t element_bytes);

// What these sizes are whole multiples of.
std::int64_t least_bytes(Collective collective, std::int32_t ranks, std::int32_t element_bytes);

// Of a file's schedule: more where it needs a whole number of equal chunks
// (Schedule::moves_chunks), so that it runs.
std::int64_t least_bytes(const Schedule& schedule, std::int32_t element_bytes);

// What a user is told about the sizes of a sweep that do not run as asked: those too small to run,
// and those that are no whole elements. The rounding of the blocks of ranks is nccl-tests', happens
// to most sizes of most sweeps, and is not told.
class SizeNotes {
 public:
  // `what` is swept; `unit`: least_bytes.
  SizeNotes(std::string what, std::int32_t ranks, std::int64_t unit, std::int32_t element_bytes)
      : what_(std::move(what)), ranks_(ranks), unit_(unit), element_bytes_(element_bytes) {}

  void add(std::int64_t asked, std::int64_t runs);
  std::vector<std::string> notes() const;

 private:
  std::string what_;
  std::int32_t ranks_;
  std::int64_t unit_;
  std::int32_t element_bytes_;
  std::vector<std::string> too_small_, rounded_;
};

}  // namespace fabricast
