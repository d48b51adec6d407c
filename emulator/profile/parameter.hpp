// Parameters of the cost model and the profile that holds their values: data only.
//
// The inventory (inventory.hpp) is one table in code; docs/calibration.md is generated from it.
// Every parameter is positive and lives in log space: sigma_ln is the standard deviation of
// ln(value).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/profile/sample.hpp"

namespace fabricast {

// How far a value may be carried (DESIGN 2a). Crossing it needs a named transfer rule.
enum class Scope : std::uint8_t {
  universal,
  gpu_generation,
  device_model,
  link_class,
  fabric,
  host
};
std::string_view to_string(Scope scope);

enum class ParameterOrigin : std::uint8_t { measured, published, datasheet, assumed };
std::string_view to_string(ParameterOrigin origin);

// Does the modeled time grow (cost) or shrink (rate) with the value?
enum class ParameterSense : std::uint8_t { cost, rate };

struct ParameterSpec {
  std::string id;    // "nvlink.step.ll"
  std::string unit;  // "us", "GB/s", "1"
  ParameterSense sense{};
  ExecutorKind executor{};  // whose cost it is
  Scope scope{};
  std::string mechanism;      // what it is, one sentence
  std::string identified_by;  // the observation that identifies it
  // Dimensionless parameters multiply this one, or every one whose id starts so (bandwidth x
  // efficiency); empty for times and rates. Shares of a prediction sum to one over times and rates;
  // a factor takes its part of its base's share.
  std::string base;
  // A property of the machine's links, which every executor crosses (`executor` is then ignored);
  // its prior is the machine file's figure, not the inventory's.
  bool of_machine = false;
  // Only predictions under this protocol ("ll", "ll128") use it; empty: others do, too. A profile
  // that is made for some protocols is without the parameters of the rest.
  std::string protocol;
};

struct Prior {
  double value = 0;
  double sigma_ln = 0;  // 0: stated, never fitted (a nominal rate that an efficiency multiplies)
  ParameterOrigin origin = ParameterOrigin::assumed;
  std::string source;  // citation
};

enum class Identified : std::uint8_t { prior, weak, identified };
std::string_view to_string(Identified identified);

// One parameter of one profile: prior and posterior.
struct ParameterValue {
  ParameterSpec spec;
  std::string scope_key;  // e.g. "hopper", "nvlink@gb300-nvl72": where this value holds
  Prior prior;
  double value = 0;  // posterior; equals prior.value when nothing was measured
  double sigma_ln = 0;
  ParameterOrigin origin = ParameterOrigin::assumed;  // measured once samples moved it
  std::string source;
  Identified identified = Identified::prior;
  std::int32_t samples = 0;   // conditions that informed it
  std::string transfer_rule;  // empty, or the named rule that carried it across a scope
};

// A condition that samples were taken under. (executor, collective, algorithm, protocol, channels)
// is its regime: what a fit may speak for; evidence distance is measured within it.
struct EvidencePoint {
  ExecutorKind executor{};
  std::string machine;
  Collective collective{};
  std::string algorithm, protocol;
  std::int32_t ranks = 0;
  std::int64_t bytes = 0;
  std::int32_t channels = 0;  // 0: as many as the executor's own rule takes for this size

  bool operator==(const EvidencePoint&) const = default;
};

struct HoldoutPoint {
  EvidencePoint point;
  double predicted_us = 0, measured_us = 0;
  bool inside_interval = false;
};

// Posterior correlation of ln(a) and ln(b), by id: what a fit knows of two parameters together. A
// launch and a step that act alike are each uncertain, and their sum is not.
struct Correlation {
  std::string a, b;
  double value = 0;  // -1..1

  bool operator==(const Correlation&) const = default;
};

struct CalibrationProfile {
  std::string machine;      // the machine it is for
  ExecutorKind executor{};  // keyed by executor
  std::vector<ParameterValue> parameters;
  std::vector<Correlation> correlations;  // pairs not listed are independent
  std::vector<EvidencePoint> evidence;    // empty: nothing measured on this scope
  std::vector<HoldoutPoint> holdout;
  double discrepancy_ln = 0;       // model error beyond parameter uncertainty, std of ln(time)
  std::string discrepancy_source;  // "held-out residuals of 14 points", or the stated assumption

  const ParameterValue* find(std::string_view id) const;
  ParameterValue* find(std::string_view id);
  double value(std::string_view id) const;  // contract: exists
};

// Stated values are taken as they are: no sample moves them, no rule carries them.
inline bool is_stated(const ParameterValue& parameter) { return parameter.prior.sigma_ln == 0; }

}  // namespace fabricast
