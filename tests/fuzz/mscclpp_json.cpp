// MSCCL++ plans (JSON).
#include "tests/fuzz/algorithm_input.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fabricast::read_and_prove(data, size, "given/algorithm.json");
}
