// Suite copy_engine: cudaMemcpyAsync inside the device, which no kernel of ours does.
#include "bench/suites/suite.hpp"

namespace fabricast {
namespace {

constexpr std::int64_t largest = 1LL << 30;

class CopyEngineSuite final : public Suite {
 public:
  const SuiteFacts& facts() const override {
    static const SuiteFacts facts{"copy_engine",
                                  "cudaMemcpyAsync inside the device, 4 KiB to 1 GiB",
                                  1,
                                  5,
                                  {},
                                  "all of it: no executor moves data by copy engines"};
    return facts;
  }

  std::vector<SuiteCase> cases(const DeviceFacts&) const override {
    std::vector<SuiteCase> cases;
    for (const std::int64_t bytes : {largest, std::int64_t{4096}, std::int64_t{1} << 20}) {
      cases.push_back({micro_conditions("copy_engine", "on_device", 0, bytes),
                       [bytes](DeviceUnderTest& on) {
                         return on.engine_copy_us(CopyPath::on_device, bytes);
                       }});
    }
    return cases;
  }

  std::int64_t memory_bytes(const DeviceFacts&) const override { return 2 * largest; }
};

}  // namespace

const Suite& copy_engine_suite() {
  static const CopyEngineSuite suite;
  return suite;
}

}  // namespace fabricast
