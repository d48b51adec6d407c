// Suite reduce_copy: bytes per second against the number of CTAs, for 1, 2 and 3 sources.
#include <algorithm>

#include "bench/suites/suite.hpp"

namespace fabricast {
namespace {

const char* variant_of(std::int32_t sources) {
  return sources == 1 ? "copy" : sources == 2 ? "reduce_2" : "reduce_3";
}

class ReduceCopySuite final : public Suite {
 public:
  const SuiteFacts& facts() const override {
    static const SuiteFacts facts{
        "reduce_copy",
        "destination = sum of 1, 2 or 3 sources (float32, 16-byte accesses, 512 threads) by 1 to all "
        "CTAs, inside L2 and beyond it",
        1,
        30,
        {"cuda.cta_copy_bw", "cuda.cta_hbm_ratio", "cuda.reduce_ratio", "cuda.l2_bw",
         "cuda.hbm_bw"},
        "three sources: no executor here reduces three at once"};
    return facts;
  }

  std::vector<SuiteCase> cases(const DeviceFacts& device) const override {
    std::vector<SuiteCase> cases;
    for (const std::int32_t sources : {1, 2, 3}) {
      for (const bool beyond : {false, true}) {
        for (std::int32_t ctas = 1; ctas <= device.multiprocessors; ctas *= 4) {
          add(cases, sources, ctas, bytes_of(device, sources, ctas, beyond));
        }
        add(cases, sources, device.multiprocessors,
            bytes_of(device, sources, device.multiprocessors, beyond));
      }
    }
    return cases;
  }

  std::int64_t memory_bytes(const DeviceFacts& device) const override {
    std::int64_t most = 0;
    for (const SuiteCase& c : cases(device)) most = std::max(most, 4 * c.conditions.bytes);
    return most;
  }

 private:
  // Inside: an eighth of L2 all together. Beyond: sixteen times L2, less for few CTAs, which would take
  // long, but never so little that L2 could hold it.
  static std::int64_t bytes_of(const DeviceFacts& device, std::int32_t sources, std::int32_t ctas,
                               bool beyond) {
    const std::int64_t whole =
        beyond ? device.l2_bytes * (ctas >= 16 ? 16 : 8) : device.l2_bytes / 8;
    const std::int64_t bytes = whole / (sources + 1);
    return bytes / 4096 * 4096;
  }

  static void add(std::vector<SuiteCase>& cases, std::int32_t sources, std::int32_t ctas,
                  std::int64_t bytes) {
    if (!cases.empty() && cases.back().conditions.channels == ctas &&
        cases.back().conditions.bytes == bytes) {
      return;  // the number of multiprocessors is a power of four
    }
    cases.push_back({micro_conditions("reduce_copy", variant_of(sources), ctas, bytes),
                     [sources, ctas, bytes](DeviceUnderTest& on) {
                       return on.reduce_copy_us(sources, ctas, bytes);
                     }});
  }
};

}  // namespace

const Suite& reduce_copy_suite() {
  static const ReduceCopySuite suite;
  return suite;
}

}  // namespace fabricast
