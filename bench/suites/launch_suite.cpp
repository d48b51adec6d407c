// Suite launch: what it costs to start a kernel, before it does anything.
#include "bench/suites/suite.hpp"

namespace fabricast {
namespace {

class LaunchSuite final : public Suite {
 public:
  const SuiteFacts& facts() const override {
    static const SuiteFacts facts{
        "launch",
        "an empty kernel: cooperative as the interpreter is launched, plain, as one of 64 nodes of "
        "a graph, and the host's call",
        1,
        5,
        {"cuda.launch"},
        "plain and graph launches and the host's call: no executor is launched so"};
    return facts;
  }

  std::vector<SuiteCase> cases(const DeviceFacts& device) const override {
    std::vector<SuiteCase> cases;
    const auto add = [&cases](LaunchKind kind, const char* name, std::int32_t ctas) {
      const bool observes = kind == LaunchKind::cooperative;
      cases.push_back({micro_conditions("launch", name, ctas, 0, observes ? "cuda.launch" : ""),
                       [kind, ctas](DeviceUnderTest& on) { return on.launch_us(kind, ctas); }});
    };
    // The interpreter launches as many CTAs as it has lanes.
    for (const std::int32_t ctas : {8, 32}) add(LaunchKind::cooperative, "cooperative", ctas);
    add(LaunchKind::graph_node, "graph_node", 1);
    add(LaunchKind::plain, "plain", device.multiprocessors);
    add(LaunchKind::api_call, "api_call", 1);
    return cases;
  }

  std::int64_t memory_bytes(const DeviceFacts&) const override { return 0; }
};

}  // namespace

const Suite& launch_suite() {
  static const LaunchSuite suite;
  return suite;
}

}  // namespace fabricast
