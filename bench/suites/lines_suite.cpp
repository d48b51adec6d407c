// Suite lines: how fast thread blocks move data from lines into lines, LL and LL128.
#include "bench/suites/suite.hpp"

namespace fabricast {
namespace {

class LinesSuite final : public Suite {
 public:
  const SuiteFacts& facts() const override {
    static const SuiteFacts facts{
        "lines",
        "data out of lines that are there into other lines (ll, ll128; the interpreter's own code) "
        "by "
        "1, 4, 16 and all CTAs, with and without looking through them first",
        1,
        10,
        {"cuda.line_ratio.ll", "cuda.line_ratio.ll128", "cuda.await_ratio.ll",
         "cuda.await_ratio.ll128"},
        ""};
    return facts;
  }

  // Inside L2, where the slots of the interpreter's messages are. Few CTAs tell the rate of one.
  std::vector<SuiteCase> cases(const DeviceFacts& device) const override {
    std::vector<SuiteCase> cases;
    for (const std::int32_t ctas : {1, 4, 16, device.multiprocessors}) {
      for (const Protocol protocol : {Protocol::ll, Protocol::ll128}) {
        for (const bool awaits : {false, true}) {
          const std::int64_t bytes = device.l2_bytes / 16 / 4096 * 4096;
          Conditions c = micro_conditions("lines", awaits ? "await_move" : "move", ctas, bytes);
          c.protocol = to_string(protocol);
          cases.push_back({c, [=](DeviceUnderTest& on) {
                             return on.line_move_us(protocol, ctas, bytes, awaits);
                           }});
        }
      }
    }
    return cases;
  }

  // LL: two bytes of line per byte, two sets of lines; source and result of the check.
  std::int64_t memory_bytes(const DeviceFacts& device) const override {
    return device.l2_bytes / 16 * 6;
  }
};

}  // namespace

const Suite& lines_suite() {
  static const LinesSuite suite;
  return suite;
}

}  // namespace fabricast
