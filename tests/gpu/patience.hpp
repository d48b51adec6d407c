// How much a test may ask of the device: one in software (tests/ptx_device) takes minutes for what
// a GPU does at once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace fabricast {

// FABRICAST_GPU_TEST_ELEMENTS, if fewer.
inline std::int64_t at_most(std::int64_t elements) {
  const char* text = std::getenv("FABRICAST_GPU_TEST_ELEMENTS");
  return text != nullptr ? std::min<std::int64_t>(elements, std::atoll(text)) : elements;
}

}  // namespace fabricast
