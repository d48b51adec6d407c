// A suite of micro-benchmarks: what it measures, what it needs, which parameters it identifies.
//
// A suite lists its cases for a device; the runner (suite_runner.hpp) warms up, times, stops,
// watches clocks and keeps within the budget, the same way for all. A case whose condition names a
// parameter observes that parameter directly, in its unit; without one the value is a time in us
// that cost/micro_model.hpp predicts, or that is recorded and informs no parameter. Suites are
// stateless and shared; one file per suite.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/suites/device_under_test.hpp"
#include "emulator/profile/sample.hpp"

namespace fabricast {

struct SuiteCase {
  Conditions conditions;  // executor and machine are filled in by the runner
  std::function<double(DeviceUnderTest&)> once;
};

struct SuiteFacts {
  std::string name;      // "hand_off"
  std::string measures;  // one sentence
  std::int32_t devices = 1;
  double seconds = 0;                   // that it is worth on a device; what a budget is shared by
  std::vector<std::string> identifies;  // inventory ids
  std::string informs_nothing;          // what is recorded without a parameter, and why
};

class Suite {
 public:
  virtual ~Suite() = default;
  virtual const SuiteFacts& facts() const = 0;
  // In order of value: what no time is left for goes last.
  virtual std::vector<SuiteCase> cases(const DeviceFacts& device) const = 0;
  // Device memory of the largest case.
  virtual std::int64_t memory_bytes(const DeviceFacts& device) const = 0;
};

// All suites in order of value: what moves predictions most comes first.
const std::vector<const Suite*>& suite_catalogue();

// "all", or names. Throws UsageError with a did-you-mean.
std::vector<const Suite*> suites_from_names(const std::vector<std::string>& names);

// One per file, listed by the catalogue.
const Suite& launch_suite();
const Suite& hand_off_suite();
const Suite& lines_suite();
const Suite& reduce_copy_suite();
const Suite& memory_suite();
const Suite& pcie_suite();
const Suite& copy_engine_suite();
const Suite& gemm_suite();
const Suite& overlap_suite();

// A case of `suite` by `ctas` CTAs over `bytes`.
Conditions micro_conditions(const std::string& suite, const std::string& variant, std::int32_t ctas,
                            std::int64_t bytes, const std::string& parameter = {});
// "hand_off ping_pong ll 2 CTAs 120 B"
std::string label_of(const Conditions& conditions);

}  // namespace fabricast
