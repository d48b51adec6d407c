#include "bench/harness/synthetic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "emulator/base/counter_rng.hpp"
#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/base/scaled_number.hpp"
#include "emulator/coordinator/effective_bytes.hpp"
#include "emulator/cost/offered.hpp"
#include "emulator/schedule/catalogue.hpp"
#include "emulator/schedule/plan.hpp"
#include "emulator/sim/predict.hpp"

namespace fabricast {
namespace {

// Two streams of random numbers per condition.
enum Stream : std::uint64_t { noise_stream = 0, outlier_stream = 1 };

std::uint64_t key_of(const Conditions& c) {
  std::string text =
      fmt::format("{}|{}|{}|{}|{}|{}|{}|{}", to_string(c.executor), c.machine,
                  to_string(c.collective), c.algorithm, c.protocol, c.ranks, c.channels, c.bytes);
  if (c.suite != "collective") text += "|" + c.suite;
  std::uint64_t key = 0;
  for (const char ch : text) key = mix64(key ^ static_cast<unsigned char>(ch));
  return key;
}

void check(const SyntheticOptions& options) {
  if (options.iterations < 1) {
    throw UsageError(fmt::format("{} iterations (at least one is needed)", options.iterations));
  }
  if (!(options.noise_ln >= 0 && options.noise_ln <= 1)) {
    throw UsageError(fmt::format(
        "noise {} is outside 0..1 (it is the standard deviation of ln(time))", options.noise_ln));
  }
  if (!(options.outlier_rate >= 0 && options.outlier_rate <= 0.5)) {
    throw UsageError(fmt::format("outlier rate {} is outside 0..0.5", options.outlier_rate));
  }
  const auto known = algorithm_names();
  for (const auto& name : options.algorithms) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw UsageError(unknown_name_message("algorithm", name, known));
    }
  }
}

// The distinct sizes that really run.
std::vector<std::int64_t> rounded_sizes(Collective collective, std::int32_t ranks,
                                        const SyntheticOptions& options) {
  std::vector<std::int64_t> sizes;
  for (const std::int64_t asked : options.sizes) {
    const auto bytes = effective_bytes(collective, asked, ranks, options.element_bytes);
    if (bytes > 0) sizes.push_back(bytes);
  }
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  return sizes;
}

// As a measurement of that kind is labelled (profile/sample.hpp, model_of).
void label(Conditions& conditions, ExecutorKind executor, Protocol protocol) {
  conditions.executor = executor;
  conditions.suite = "collective";
  conditions.protocol = std::string(to_string(protocol));
  if (executor != ExecutorKind::peers) return;
  conditions.executor = ExecutorKind::cuda;
  conditions.suite = protocol == Protocol::multimem ? "collective_multimem" : "collective_peers";
  if (protocol == Protocol::multimem) conditions.protocol = "simple";
}

std::vector<Protocol> protocols_for(const Topology& topology, Collective collective,
                                    const std::string& algorithm, const SyntheticOptions& options) {
  const auto& asked = options.protocols;
  if (asked.empty()) return usual_protocols(options.executor, collective, algorithm);
  auto known = offered_protocols(topology, options.executor, collective, algorithm);
  std::erase_if(known, [&asked](Protocol protocol) {
    return std::find(asked.begin(), asked.end(), protocol) == asked.end();
  });
  return known;
}

void draw(const Conditions& conditions, double time_us, const SyntheticOptions& options,
          SampleSet& set) {
  const std::uint64_t key = key_of(conditions);
  std::vector<double> values;
  for (int n = 0; n < options.iterations; ++n) {
    const auto index = static_cast<std::uint64_t>(n);
    double value =
        time_us *
        std::exp(options.noise_ln * random_normal(options.seed, mix64(key ^ noise_stream), index));
    const bool outlier =
        random_uniform(options.seed, mix64(key ^ outlier_stream), index) < options.outlier_rate;
    if (outlier) value *= options.outlier_factor;
    values.push_back(value);
  }
  const auto flags = disturbed(values, options.disturbance);
  const auto condition = static_cast<std::int32_t>(set.conditions.size());
  set.conditions.push_back(conditions);
  for (std::size_t n = 0; n < values.size(); ++n) {
    set.samples.push_back({condition, static_cast<std::int32_t>(n), values[n], flags[n]});
  }
}

}  // namespace

void apply_setting(const std::string& setting, ParameterValues& values) {
  const auto equals = setting.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw UsageError(fmt::format(
        "setting \"{}\" is not ID=VALUE or ID=xFACTOR (e.g. nvlink.efficiency=x0.5)", setting));
  }
  const std::string id = setting.substr(0, equals);
  const auto found = values.find(id);
  if (found == values.end()) {
    std::vector<std::string> known;
    for (const auto& [name, value] : values) known.push_back(name);
    throw UsageError(unknown_name_message("parameter", id, known));
  }
  std::string_view text = std::string_view(setting).substr(equals + 1);
  const bool factor = text.starts_with('x');
  if (factor) text.remove_prefix(1);
  const double number = parse_number(text);
  if (!(number > 0)) {
    throw UsageError(
        fmt::format("setting \"{}\" is not positive (parameters live in log space)", setting));
  }
  found->second = factor ? found->second * number : number;
}

std::string describe_noise(const SyntheticOptions& options) {
  return fmt::format("noise {} (log-normal), outliers {} of the samples x {}, seed {}",
                     options.noise_ln, options.outlier_rate, options.outlier_factor, options.seed);
}

SampleSet draw_samples(const Topology& topology, const ParameterValues& truth,
                       const SyntheticOptions& options) {
  check(options);
  SampleSet set;
  for (const Collective collective : options.collectives) {
    const auto sizes = rounded_sizes(collective, topology.ranks(), options);
    const auto& asked = options.algorithms;
    for (const auto& algorithm :
         asked.empty() ? usual_algorithms(collective) : algorithms_of(collective)) {
      if (!asked.empty() && std::find(asked.begin(), asked.end(), algorithm) == asked.end())
        continue;
      if (!why_not_offered(topology, options.executor, collective, algorithm).empty()) continue;
      for (const Protocol protocol : protocols_for(topology, collective, algorithm, options)) {
        if (protocol == Protocol::multimem && options.dtype == "int32") {
          throw UsageError(
              "multimem on int32 has no parameters to draw from (the switch takes 4 bytes at a "
              "time) choose another type, or protocols without it");
        }
        for (const std::int64_t bytes : sizes) {
          const PointSpec point{options.executor,      collective,       algorithm, protocol, bytes,
                                options.element_bytes, options.channels, 0};
          Conditions conditions;
          label(conditions, options.executor, protocol);
          conditions.machine = topology.name();
          conditions.collective = collective;
          conditions.algorithm = algorithm;
          conditions.ranks = topology.ranks();
          conditions.channels = options.channels;
          conditions.bytes = bytes;
          conditions.dtype = options.dtype;
          conditions.redop = reduces(collective) ? "sum" : "none";
          draw(conditions, to_us(predict_time(topology, truth, point)), options, set);
        }
      }
    }
  }
  if (set.conditions.empty()) {
    throw UsageError(
        "nothing to draw (no algorithm or protocol applies, or every size rounds to 0 bytes): "
        "choose "
        "other collectives, algorithms, protocols or sizes");
  }
  std::string parameters;
  for (const auto& [id, value] : truth) {
    parameters += fmt::format("{}{}={}", parameters.empty() ? "" : " ", id, value);
  }
  set.environment[synthetic_key] =
      fmt::format("drawn from the forward model of {}, not measured; {}", topology.name(),
                  describe_noise(options));
  set.environment["synthetic_parameters"] = parameters;
  return set;
}

}  // namespace fabricast
