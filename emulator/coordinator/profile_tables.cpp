// Reading profiles back from a trace: the inverse of TraceAssembly::add_profile.
#include <algorithm>
#include <map>
#include <utility>

#include "emulator/base/error.hpp"
#include "emulator/coordinator/trace_assembly.hpp"
#include "emulator/profile/inventory.hpp"

namespace fabricast {
namespace {

ParameterOrigin origin_from(const std::string& name) {
  for (const auto origin : {ParameterOrigin::measured, ParameterOrigin::published,
                            ParameterOrigin::datasheet, ParameterOrigin::assumed}) {
    if (to_string(origin) == name) return origin;
  }
  throw CheckError("/profile: unknown origin \"" + name + "\"");
}

Identified identified_from(const std::string& name) {
  for (const auto identified : {Identified::prior, Identified::weak, Identified::identified}) {
    if (to_string(identified) == name) return identified;
  }
  throw CheckError("/profile: unknown identification \"" + name + "\"");
}

ParameterSpec spec_of(const std::string& id) {
  for (const auto& spec : parameter_inventory()) {
    if (spec.id == id) return spec;
  }
  throw CheckError("/profile: parameter \"" + id +
                   "\" is not in this version's inventory (the trace is from another version)");
}

std::vector<Correlation> correlations_of(const TraceContent& content, const std::string& machine,
                                         const std::string& executor) {
  std::vector<Correlation> correlations;
  const Table* table = content.find("/profile_correlations");
  if (table == nullptr) return correlations;
  for (std::size_t row = 0; row < table->rows(); ++row) {
    if (table->texts("machine")[row] != machine || table->texts("executor")[row] != executor) {
      continue;
    }
    correlations.push_back(
        {table->texts("a")[row], table->texts("b")[row], table->reals("correlation")[row]});
  }
  return correlations;
}

// The condition in a row; `prefix` leads the names of the columns that say who ran it and where.
EvidencePoint condition_of(const Table& table, const std::string& prefix, std::size_t row) {
  return {executor_from_name(table.texts(prefix + "executor")[row]),
          table.texts(prefix + "machine")[row],
          collective_from_name(table.texts("collective")[row]),
          table.texts("algorithm")[row],
          table.texts("protocol")[row],
          static_cast<std::int32_t>(table.integers("ranks")[row]),
          table.integers("bytes")[row],
          static_cast<std::int32_t>(table.integers("channels")[row])};
}

std::vector<EvidencePoint> evidence_of(const TraceContent& content, const std::string& machine,
                                       const std::string& executor) {
  std::vector<EvidencePoint> evidence;
  const Table* table = content.find("/evidence");
  if (table == nullptr) return evidence;
  for (std::size_t row = 0; row < table->rows(); ++row) {
    if (table->texts("machine")[row] == machine && table->texts("executor")[row] == executor) {
      evidence.push_back(condition_of(*table, "sampled_", row));
    }
  }
  return evidence;
}

// Points are held out of a machine's own samples, so their machine is the profile's.
std::vector<HoldoutPoint> holdout_of(const TraceContent& content, const std::string& machine,
                                     const std::string& executor) {
  std::vector<HoldoutPoint> holdout;
  const Table* table = content.find("/holdout");
  if (table == nullptr) return holdout;
  for (std::size_t row = 0; row < table->rows(); ++row) {
    if (table->texts("machine")[row] == machine && table->texts("executor")[row] == executor) {
      holdout.push_back({condition_of(*table, "", row), table->reals("predicted_us")[row],
                         table->reals("measured_us")[row],
                         table->meaning("inside_interval", row) == "yes"});
    }
  }
  return holdout;
}

}  // namespace

std::vector<CalibrationProfile> profiles_of(const TraceContent& content) {
  const Table& table = content.at("/profile");
  std::vector<CalibrationProfile> profiles;
  std::map<std::pair<std::string, std::string>, std::size_t> index;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::string& machine = table.texts("machine")[row];
    const std::string& executor = table.texts("executor")[row];
    const auto [entry, fresh] = index.try_emplace({machine, executor}, profiles.size());
    if (fresh) {
      CalibrationProfile profile;
      profile.machine = machine;
      profile.executor = executor_from_name(executor);
      profile.correlations = correlations_of(content, machine, executor);
      profile.evidence = evidence_of(content, machine, executor);
      profile.holdout = holdout_of(content, machine, executor);
      profiles.push_back(std::move(profile));
    }
    CalibrationProfile& profile = profiles[entry->second];
    if (table.texts("id")[row] == discrepancy_id) {
      profile.discrepancy_ln = table.reals("value")[row];
      profile.discrepancy_source = table.texts("source")[row];
      continue;
    }
    ParameterValue value;
    value.spec = spec_of(table.texts("id")[row]);
    value.scope_key = table.texts("scope")[row];
    value.prior = {table.reals("prior_value")[row], table.reals("prior_sigma_ln")[row],
                   origin_from(table.texts("prior_origin")[row]), table.texts("prior_source")[row]};
    value.value = table.reals("value")[row];
    value.sigma_ln = table.reals("sigma_ln")[row];
    value.origin = origin_from(table.texts("origin")[row]);
    value.source = table.texts("source")[row];
    value.identified = identified_from(table.meaning("identified", row));
    value.samples = static_cast<std::int32_t>(table.integers("samples")[row]);
    value.transfer_rule = table.texts("transfer_rule")[row];
    profile.parameters.push_back(std::move(value));
  }
  return profiles;
}

}  // namespace fabricast
