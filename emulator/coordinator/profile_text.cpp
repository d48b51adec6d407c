#include "emulator/coordinator/profile_text.hpp"

#include <nlohmann/json.hpp>

#include "emulator/profile/inventory.hpp"

namespace fabricast {
namespace {

using nlohmann::json;

json to_json(const EvidencePoint& e) {
  return {static_cast<int>(e.executor),
          e.machine,
          static_cast<int>(e.collective),
          e.algorithm,
          e.protocol,
          e.ranks,
          e.bytes,
          e.channels};
}

EvidencePoint evidence_from(const json& j) {
  return {static_cast<ExecutorKind>(j.at(0).get<int>()),
          j.at(1).get<std::string>(),
          static_cast<Collective>(j.at(2).get<int>()),
          j.at(3).get<std::string>(),
          j.at(4).get<std::string>(),
          j.at(5).get<std::int32_t>(),
          j.at(6).get<std::int64_t>(),
          j.at(7).get<std::int32_t>()};
}

json to_json(const ParameterValue& p) {
  return {{"id", p.spec.id},
          {"scope_key", p.scope_key},
          {"prior", {p.prior.value, p.prior.sigma_ln, static_cast<int>(p.prior.origin), p.prior.source}},
          {"value", p.value},
          {"sigma_ln", p.sigma_ln},
          {"origin", static_cast<int>(p.origin)},
          {"source", p.source},
          {"identified", static_cast<int>(p.identified)},
          {"samples", p.samples},
          {"transfer_rule", p.transfer_rule}};
}

ParameterValue parameter_from(const json& j) {
  ParameterValue p;
  p.spec = parameter_spec(j.at("id").get<std::string>());
  p.scope_key = j.at("scope_key").get<std::string>();
  const auto& prior = j.at("prior");
  p.prior = {prior.at(0).get<double>(), prior.at(1).get<double>(),
             static_cast<ParameterOrigin>(prior.at(2).get<int>()), prior.at(3).get<std::string>()};
  p.value = j.at("value").get<double>();
  p.sigma_ln = j.at("sigma_ln").get<double>();
  p.origin = static_cast<ParameterOrigin>(j.at("origin").get<int>());
  p.source = j.at("source").get<std::string>();
  p.identified = static_cast<Identified>(j.at("identified").get<int>());
  p.samples = j.at("samples").get<std::int32_t>();
  p.transfer_rule = j.at("transfer_rule").get<std::string>();
  return p;
}

}  // namespace

std::string to_text(const CalibrationProfile& profile) {
  json parameters = json::array(), evidence = json::array(), holdout = json::array();
  json correlations = json::array();
  for (const auto& c : profile.correlations) correlations.push_back({c.a, c.b, c.value});
  for (const auto& p : profile.parameters) parameters.push_back(to_json(p));
  for (const auto& e : profile.evidence) evidence.push_back(to_json(e));
  for (const auto& h : profile.holdout) {
    holdout.push_back({to_json(h.point), h.predicted_us, h.measured_us, h.inside_interval});
  }
  return json{{"machine", profile.machine},
              {"executor", static_cast<int>(profile.executor)},
              {"parameters", std::move(parameters)},
              {"correlations", std::move(correlations)},
              {"evidence", std::move(evidence)},
              {"holdout", std::move(holdout)},
              {"discrepancy_ln", profile.discrepancy_ln},
              {"discrepancy_source", profile.discrepancy_source}}
      .dump();
}

CalibrationProfile profile_from_text(const std::string& text) {
  const json j = json::parse(text);
  CalibrationProfile profile;
  profile.machine = j.at("machine").get<std::string>();
  profile.executor = static_cast<ExecutorKind>(j.at("executor").get<int>());
  for (const auto& p : j.at("parameters")) profile.parameters.push_back(parameter_from(p));
  for (const auto& c : j.at("correlations")) {
    profile.correlations.push_back(
        {c.at(0).get<std::string>(), c.at(1).get<std::string>(), c.at(2).get<double>()});
  }
  for (const auto& e : j.at("evidence")) profile.evidence.push_back(evidence_from(e));
  for (const auto& h : j.at("holdout")) {
    profile.holdout.push_back({evidence_from(h.at(0)), h.at(1).get<double>(), h.at(2).get<double>(),
                               h.at(3).get<bool>()});
  }
  profile.discrepancy_ln = j.at("discrepancy_ln").get<double>();
  profile.discrepancy_source = j.at("discrepancy_source").get<std::string>();
  return profile;
}

}  // namespace fabricast
