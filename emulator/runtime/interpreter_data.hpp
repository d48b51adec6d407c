// Inputs into and results out of a CUDA interpreter, for the ranks first .. end-1 that it holds.
#pragma once

#include <cstdint>

#include "emulator/runtime/executor.hpp"
#include "kernels/cuda/interpreter.hpp"
#include "kernels/lane/image.hpp"

namespace fabricast {

void write_inputs(cuda::Interpreter& interpreter, const RunRequest& request,
                  const lane::ProgramImage& image, std::int32_t first, std::int32_t end);

// Elements of their outputs that differ from the reference.
std::int64_t count_wrong(cuda::Interpreter& interpreter, const RunRequest& request,
                         const lane::ProgramImage& image, std::int32_t first, std::int32_t end);

}  // namespace fabricast
