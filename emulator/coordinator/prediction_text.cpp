#include "emulator/coordinator/prediction_text.hpp"

#include <nlohmann/json.hpp>

namespace fabricast {
namespace {

using nlohmann::json;

json to_json(const StepTrace& trace) {
  json rows = json::array();
  for (const TracedStep& r : trace.rows) {
    rows.push_back({r.rank_class, r.members, r.rank, r.role, r.stage, r.loop, r.repetition, r.slice,
                    r.step, r.action, static_cast<int>(r.bound), r.peer_in, r.peer_out, r.bytes,
                    r.start_ps, r.end_ps, r.ready_ps});
  }
  return {{"channel", trace.channel}, {"classes", trace.classes},
          {"steps", trace.steps},     {"complete_until_ps", trace.complete_until_ps},
          {"stages", trace.stages},   {"rows", std::move(rows)}};
}

StepTrace steps_from(const json& j) {
  StepTrace trace;
  trace.channel = j.at("channel").get<std::int32_t>();
  trace.classes = j.at("classes").get<std::int32_t>();
  trace.steps = j.at("steps").get<std::int64_t>();
  trace.complete_until_ps = j.at("complete_until_ps").get<std::int64_t>();
  trace.stages = j.at("stages").get<std::vector<std::string>>();
  for (const auto& row : j.at("rows")) {
    TracedStep r;
    std::size_t next = 0;
    const auto take = [&](auto& value) { row.at(next++).get_to(value); };
    for (auto* value : {&r.rank_class, &r.members, &r.rank, &r.role, &r.stage, &r.loop,
                        &r.repetition, &r.slice}) {
      take(*value);
    }
    take(r.step);
    take(r.action);
    r.bound = static_cast<StepBound>(row.at(next++).get<int>());
    take(r.peer_in);
    take(r.peer_out);
    for (auto* value : {&r.bytes, &r.start_ps, &r.end_ps, &r.ready_ps}) take(*value);
    trace.rows.push_back(r);
  }
  return trace;
}

json to_json(const Prediction& p) {
  json shares = json::array(), loads = json::array(), stages = json::array();
  json sensitivities = json::array();
  for (const auto& e : p.sensitivities) sensitivities.push_back({e.id, e.value});
  for (const auto& s : p.shares) shares.push_back({s.id, s.share, static_cast<int>(s.origin)});
  for (const auto& l : p.loads) {
    loads.push_back({l.link_class.value(), l.links, l.busiest_bytes, l.total_bytes, l.capacity.value()});
  }
  for (const auto& s : p.stages) stages.push_back({s.start_ps, s.end_ps});
  return {{"executor", static_cast<int>(p.point.executor)},
          {"collective", static_cast<int>(p.point.collective)},
          {"algorithm", p.point.algorithm},
          {"protocol", static_cast<int>(p.point.protocol)},
          {"bytes", p.point.bytes},
          {"element_bytes", p.point.element_bytes},
          {"asked_channels", p.point.channels},
          {"max_slices", p.point.max_slices},
          {"ranks", p.ranks},
          {"channels", p.channels},
          {"time_ps", p.time.value()},
          {"low_us", p.low_us},
          {"high_us", p.high_us},
          {"label", static_cast<int>(p.label)},
          {"evidence_ranks_ratio", p.evidence_ranks_ratio},
          {"evidence_bytes_ratio", p.evidence_bytes_ratio},
          {"measured_share", p.measured_share},
          {"limiting_term", p.limiting_term},
          {"shares", std::move(shares)},
          {"sensitivities", std::move(sensitivities)},
          {"loads", std::move(loads)},
          {"bound_ps", p.bound.value()},
          {"stages", std::move(stages)},
          {"slowest_channel", p.slowest_channel},
          {"classes", p.classes},
          {"updates", p.updates},
          {"engine_seconds", p.engine_seconds},
          {"state_bytes", p.state_bytes},
          {"instruction_set", p.instruction_set},
          {"fold_note", p.fold_note},
          {"engine", p.engine},
          {"flows", p.flows},
          {"flow_events", p.flow_events},
          {"steps", p.steps ? to_json(*p.steps) : json()}};
}

}  // namespace

std::string to_text(const Prediction& prediction) { return to_json(prediction).dump(); }

Prediction prediction_from_text(const std::string& text) {
  const json j = json::parse(text);
  Prediction p;
  p.point.executor = static_cast<ExecutorKind>(j.at("executor").get<int>());
  p.point.collective = static_cast<Collective>(j.at("collective").get<int>());
  p.point.algorithm = j.at("algorithm").get<std::string>();
  p.point.protocol = static_cast<Protocol>(j.at("protocol").get<int>());
  p.point.bytes = j.at("bytes").get<std::int64_t>();
  p.point.element_bytes = j.at("element_bytes").get<std::int32_t>();
  p.point.channels = j.at("asked_channels").get<std::int32_t>();
  p.point.max_slices = j.at("max_slices").get<std::int32_t>();
  p.ranks = j.at("ranks").get<std::int32_t>();
  p.channels = j.at("channels").get<std::int32_t>();
  p.time = SimDuration(j.at("time_ps").get<std::int64_t>());
  p.low_us = j.at("low_us").get<double>();
  p.high_us = j.at("high_us").get<double>();
  p.label = static_cast<PredictionLabel>(j.at("label").get<int>());
  p.evidence_ranks_ratio = j.at("evidence_ranks_ratio").get<double>();
  p.evidence_bytes_ratio = j.at("evidence_bytes_ratio").get<double>();
  p.measured_share = j.at("measured_share").get<double>();
  p.limiting_term = j.at("limiting_term").get<std::string>();
  for (const auto& s : j.at("shares")) {
    p.shares.push_back({s.at(0).get<std::string>(), s.at(1).get<double>(),
                        static_cast<ParameterOrigin>(s.at(2).get<int>())});
  }
  for (const auto& e : j.at("sensitivities")) {
    p.sensitivities.push_back({e.at(0).get<std::string>(), e.at(1).get<double>()});
  }
  for (const auto& l : j.at("loads")) {
    p.loads.push_back({LinkClassId(l.at(0).get<std::uint32_t>()), l.at(1).get<std::int64_t>(),
                       l.at(2).get<std::int64_t>(), l.at(3).get<std::int64_t>(),
                       Bandwidth(l.at(4).get<std::int64_t>())});
  }
  p.bound = SimDuration(j.at("bound_ps").get<std::int64_t>());
  for (const auto& s : j.at("stages")) {
    p.stages.push_back({s.at(0).get<std::int64_t>(), s.at(1).get<std::int64_t>()});
  }
  p.slowest_channel = j.at("slowest_channel").get<std::int32_t>();
  p.classes = j.at("classes").get<std::int32_t>();
  p.updates = j.at("updates").get<std::int64_t>();
  p.engine_seconds = j.at("engine_seconds").get<double>();
  p.state_bytes = j.at("state_bytes").get<std::int64_t>();
  p.instruction_set = j.at("instruction_set").get<std::string>();
  p.fold_note = j.at("fold_note").get<std::string>();
  p.engine = j.at("engine").get<std::string>();
  p.flows = j.at("flows").get<std::int64_t>();
  p.flow_events = j.at("flow_events").get<std::int64_t>();
  if (!j.at("steps").is_null()) p.steps = steps_from(j.at("steps"));
  return p;
}

}  // namespace fabricast
