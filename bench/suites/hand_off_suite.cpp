// Suite hand_off: how long one thread block waits for another one's message, by protocol.
#include "bench/suites/suite.hpp"

namespace fabricast {
namespace {

// The least message that every protocol carries in whole lines (LL128: 120 bytes of data in 128),
// and some that show how the cost of lines grows.
constexpr std::int64_t least = 120;
constexpr std::int64_t sizes[] = {least, 16 * least, 128 * least};

class HandOffSuite final : public Suite {
 public:
  const SuiteFacts& facts() const override {
    static const SuiteFacts facts{
        "hand_off",
        "ping-pong between two CTAs through L2: data and a released counter (simple), 16-byte "
        "lines "
        "with flags (ll), 128-byte lines with one flag (ll128), lines with fences around them",
        1,
        10,
        {"cuda.handoff.ll", "cuda.handoff.ll128", "cuda.handoff.simple", "cuda.order.ll",
         "cuda.order.ll128"},
        "messages of more than 120 bytes: their bytes are the copy rates' matter"};
    return facts;
  }

  std::vector<SuiteCase> cases(const DeviceFacts&) const override {
    std::vector<SuiteCase> cases;
    for (const std::int64_t bytes : sizes) {
      for (const Protocol protocol : {Protocol::ll, Protocol::ll128, Protocol::simple}) {
        const std::string name(to_string(protocol));
        Conditions c = micro_conditions("hand_off", "ping_pong", 2, bytes,
                                        bytes == least ? "cuda.handoff." + name : "");
        c.protocol = name;
        cases.push_back({c, [protocol, bytes](DeviceUnderTest& on) {
                           return on.hand_off_us(protocol, bytes, false);
                         }});
        if (bytes == least && protocol != Protocol::simple) add_ordered(cases, protocol);
      }
    }
    return cases;
  }

  std::int64_t memory_bytes(const DeviceFacts&) const override { return 1 << 20; }

 private:
  static void add_ordered(std::vector<SuiteCase>& cases, Protocol protocol) {
    Conditions c = micro_conditions("hand_off", "ordered_ping_pong", 2, least);
    c.protocol = to_string(protocol);
    cases.push_back(
        {c, [protocol](DeviceUnderTest& on) { return on.hand_off_us(protocol, least, true); }});
  }
};

}  // namespace

const Suite& hand_off_suite() {
  static const HandOffSuite suite;
  return suite;
}

}  // namespace fabricast
