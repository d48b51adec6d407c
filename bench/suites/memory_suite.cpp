// Suite memory: all CTAs copy working sets from far inside L2 to far beyond it.
#include "bench/suites/suite.hpp"

namespace fabricast {
namespace {

class MemorySuite final : public Suite {
 public:
  const SuiteFacts& facts() const override {
    static const SuiteFacts facts{
        "memory",
        "a copy by all multiprocessors over working sets of L2/8 to L2 x 32: the rates of L2 and HBM "
        "and where one becomes the other",
        1,
        15,
        {"cuda.l2_bw", "cuda.hbm_bw", "cuda.l2_size"},
        ""};
    return facts;
  }

  std::vector<SuiteCase> cases(const DeviceFacts& device) const override {
    std::vector<SuiteCase> cases;
    const std::int32_t ctas = device.multiprocessors;
    // Sixteenths of L2, source and destination together; the ends and the knee first.
    for (const std::int64_t part : {2, 256, 16, 32, 8, 64, 4, 128, 512}) {
      const std::int64_t bytes = device.l2_bytes / 16 * part / 2 / 4096 * 4096;
      cases.push_back({micro_conditions("memory", "copy", ctas, bytes),
                       [ctas, bytes](DeviceUnderTest& on) {
                         return on.reduce_copy_us(1, ctas, bytes);
                       }});
    }
    return cases;
  }

  std::int64_t memory_bytes(const DeviceFacts& device) const override {
    return device.l2_bytes * 32;
  }
};

}  // namespace

const Suite& memory_suite() {
  static const MemorySuite suite;
  return suite;
}

}  // namespace fabricast
