// What the two suites that multiply matrices share: names and sizes. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/suites/suite.hpp"

namespace fabricast {

inline constexpr std::int32_t gemm_size = 8192;  // square; fills every multiprocessor many times

const char* to_string(GemmType type);

// n x n x n of a type, beside a copy by `copy_ctas` CTAs (0: alone). Nothing where it cannot run.
void add_gemm(std::vector<SuiteCase>& cases, const std::string& suite, const DeviceFacts& device,
              GemmType type, std::int32_t n, std::int32_t copy_ctas);

// Three matrices of float32.
std::int64_t gemm_memory_bytes();

}  // namespace fabricast
