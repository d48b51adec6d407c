#include "emulator/runtime/interpreter_data.hpp"

#include <cstddef>
#include <vector>

#include "emulator/runtime/rank_buffers.hpp"

namespace fabricast {

void write_inputs(cuda::Interpreter& interpreter, const RunRequest& request,
                  const lane::ProgramImage& image, std::int32_t first, std::int32_t end) {
  std::vector<std::byte> input;
  for (std::int32_t rank = first; rank < end; ++rank) {
    const auto& b = image.buffers[static_cast<std::size_t>(rank)];
    input.resize(static_cast<std::size_t>(b.input_bytes));
    fill_input(request, rank, input);
    interpreter.write_input(rank, input);
  }
}

std::int64_t count_wrong(cuda::Interpreter& interpreter, const RunRequest& request,
                         const lane::ProgramImage& image, std::int32_t first, std::int32_t end) {
  ExpectedOutputs expected(request);
  std::int64_t wrong = 0;
  std::vector<std::byte> output;
  for (std::int32_t rank = first; rank < end; ++rank) {
    const auto& b = image.buffers[static_cast<std::size_t>(rank)];
    output.resize(static_cast<std::size_t>(b.output_bytes));
    interpreter.read_output(rank, output);
    wrong += expected.count_mismatches(rank, output);
  }
  return wrong;
}

}  // namespace fabricast
