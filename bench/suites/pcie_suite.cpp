// Suite pcie: pinned host memory to the device, back, and both at once.
#include "bench/suites/suite.hpp"

namespace fabricast {
namespace {

constexpr std::int64_t large = 256LL << 20;

struct Way {
  CopyPath path;
  const char* name;
};
constexpr Way ways[] = {{CopyPath::to_device, "to_device"},
                        {CopyPath::from_device, "from_device"},
                        {CopyPath::both_ways, "both_ways"}};

class PcieSuite final : public Suite {
 public:
  const SuiteFacts& facts() const override {
    static const SuiteFacts facts{
        "pcie",
        "copies between pinned host memory and the device, each way and both at once, 4 KiB and 256 "
        "MiB",
        1,
        8,
        {"cuda.pcie_efficiency"},
        "small copies and both ways at once: no model here stages through host memory"};
    return facts;
  }

  std::vector<SuiteCase> cases(const DeviceFacts& device) const override {
    std::vector<SuiteCase> cases;
    for (const std::int64_t bytes : {large, std::int64_t{4096}}) {
      for (const Way& way : ways) {
        const CopyPath path = way.path;
        const double nominal = device.pcie_gb_per_s;
        // Rate over nominal rate, where the slot's is known.
        const bool observes = bytes == large && path != CopyPath::both_ways && nominal > 0;
        cases.push_back({micro_conditions("pcie", way.name, 0, bytes,
                                          observes ? "cuda.pcie_efficiency" : ""),
                         [=](DeviceUnderTest& on) {
                           const double us = on.engine_copy_us(path, bytes);
                           return observes ? static_cast<double>(bytes) / (us * 1e3) / nominal : us;
                         }});
      }
    }
    return cases;
  }

  std::int64_t memory_bytes(const DeviceFacts&) const override { return 2 * large; }
};

}  // namespace

const Suite& pcie_suite() {
  static const PcieSuite suite;
  return suite;
}

}  // namespace fabricast
