// Suite gemm: cuBLAS alone, square matrices.
#include "bench/suites/gemm_cases.hpp"

namespace fabricast {
namespace {

class GemmSuite final : public Suite {
 public:
  const SuiteFacts& facts() const override {
    static const SuiteFacts facts{"gemm",
                                  "cuBLAS 2048 and 8192 cubed in bf16, fp8 and float32, alone",
                                  1,
                                  10,
                                  {},
                                  "all of it: no prediction here computes"};
    return facts;
  }

  std::vector<SuiteCase> cases(const DeviceFacts& device) const override {
    std::vector<SuiteCase> cases;
    for (const std::int32_t n : {gemm_size, 2048}) {
      for (const GemmType type : {GemmType::bf16, GemmType::fp8, GemmType::f32}) {
        add_gemm(cases, "gemm", device, type, n, 0);
      }
    }
    return cases;
  }

  std::int64_t memory_bytes(const DeviceFacts&) const override { return gemm_memory_bytes(); }
};

}  // namespace

const char* to_string(GemmType type) {
  switch (type) {
    case GemmType::f32:
      return "f32";
    case GemmType::bf16:
      return "bf16";
    case GemmType::fp8:
      return "fp8";
  }
  return "?";
}

void add_gemm(std::vector<SuiteCase>& cases, const std::string& suite, const DeviceFacts& device,
              GemmType type, std::int32_t n, std::int32_t copy_ctas) {
  if (!device.no_gemm.empty()) return;
  Conditions c = micro_conditions(suite, to_string(type), copy_ctas,
                                  3 * std::int64_t{n} * n * (type == GemmType::f32    ? 4
                                                             : type == GemmType::bf16 ? 2
                                                                                      : 1));
  c.dtype = to_string(type);
  cases.push_back({c, [type, n, copy_ctas](DeviceUnderTest& on) {
                     return on.gemm_us(type, n, copy_ctas);
                   }});
}

std::int64_t gemm_memory_bytes() {
  return 3 * std::int64_t{gemm_size} * gemm_size * static_cast<std::int64_t>(sizeof(float));
}

const Suite& gemm_suite() {
  static const GemmSuite suite;
  return suite;
}

}  // namespace fabricast
