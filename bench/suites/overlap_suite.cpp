// Suite overlap: a GEMM beside a copy kernel of k CTAs, as a collective beside a training step.
#include "bench/suites/gemm_cases.hpp"

namespace fabricast {
namespace {

class OverlapSuite final : public Suite {
 public:
  const SuiteFacts& facts() const override {
    static const SuiteFacts facts{
        "overlap",
        "cuBLAS 8192 cubed in bf16 alone and beside a copy kernel of 1 to 32 CTAs that runs before "
        "and after it",
        1,
        12,
        {},
        "all of it: no prediction here overlaps computing with communicating"};
    return facts;
  }

  std::vector<SuiteCase> cases(const DeviceFacts& device) const override {
    std::vector<SuiteCase> cases;
    for (const std::int32_t ctas : {0, 16, 4, 32, 1, 8}) {
      add_gemm(cases, "overlap", device, GemmType::bf16, gemm_size, ctas);
    }
    return cases;
  }

  std::int64_t memory_bytes(const DeviceFacts& device) const override {
    return gemm_memory_bytes() + 16 * device.l2_bytes;
  }
};

}  // namespace

const Suite& overlap_suite() {
  static const OverlapSuite suite;
  return suite;
}

}  // namespace fabricast
