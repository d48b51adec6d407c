#include "emulator/coordinator/trace_assembly.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "emulator/base/communicator.hpp"
#include "emulator/base/contracts.hpp"
#include "emulator/base/version.hpp"
#include "emulator/coordinator/sample_tables.hpp"
#include "emulator/coordinator/step_tables.hpp"

namespace fabricast {
namespace {

std::string_view usual_redop(Collective collective) { return reduces(collective) ? "sum" : "none"; }

// The columns that a prediction and a measurement share.
void set_timing(TableRows& row, Collective collective, std::string_view redop, std::int32_t ranks,
                std::int64_t bytes, std::int64_t time_ps) {
  const double time_us = static_cast<double>(time_ps) / 1e6;
  const double algbw = algbw_gb_per_s(bytes, time_us);
  row.set("collective", to_string(collective)).set("ranks", ranks).set("bytes", bytes);
  row.set("redop", redop).set("time_ps", time_ps).set("time_us", time_us);
  row.set("algbw_gbps", algbw).set("busbw_gbps", algbw * busbw_factor(collective, ranks));
}

}  // namespace

TraceAssembly::TraceAssembly() = default;

void TraceAssembly::add_machine(const Topology& topology) {
  const auto [document, fresh] =
      content_.documents.try_emplace("/machine/" + topology.name(), topology.yaml());
  FABRICAST_EXPECT(fresh || document->second == topology.yaml(), "one machine of a name");
}

void TraceAssembly::add_profile(const CalibrationProfile& profile) {
  for (const auto& p : profile.parameters) {
    profile_.set("id", p.spec.id).set("machine", profile.machine).set("scope", p.scope_key);
    profile_.set("unit", p.spec.unit).set("executor", to_string(profile.executor));
    profile_.set("prior_value", p.prior.value).set("prior_sigma_ln", p.prior.sigma_ln);
    profile_.set("prior_origin", to_string(p.prior.origin)).set("prior_source", p.prior.source);
    profile_.set("origin", to_string(p.origin)).set("source", p.source);
    profile_.set("value", p.value).set("sigma_ln", p.sigma_ln);
    profile_.set("identified", to_string(p.identified)).set("samples", p.samples);
    profile_.set("transfer_rule", p.transfer_rule).end_row();
  }
  profile_.set("id", discrepancy_id).set("machine", profile.machine).set("scope", profile.machine);
  profile_.set("unit", "1").set("executor", to_string(profile.executor));
  profile_.set("prior_value", profile.discrepancy_ln).set("prior_sigma_ln", 0.0);
  profile_.set("prior_origin", "assumed").set("prior_source", profile.discrepancy_source);
  profile_.set("origin", profile.holdout.empty() ? "assumed" : "measured");
  profile_.set("source", profile.discrepancy_source).set("value", profile.discrepancy_ln);
  profile_.set("sigma_ln", 0.0).set("identified", profile.holdout.empty() ? "prior" : "identified");
  profile_.set("samples", profile.holdout.size()).set("transfer_rule", "").end_row();
  for (const auto& c : profile.correlations) {
    correlations_.set("machine", profile.machine).set("executor", to_string(profile.executor));
    correlations_.set("a", c.a).set("b", c.b).set("correlation", c.value).end_row();
  }
  for (const auto& e : profile.evidence) {
    evidence_.set("machine", profile.machine).set("executor", to_string(profile.executor));
    evidence_.set("sampled_machine", e.machine).set("sampled_executor", to_string(e.executor));
    evidence_.set("collective", to_string(e.collective)).set("algorithm", e.algorithm);
    evidence_.set("protocol", e.protocol).set("channels", e.channels).set("ranks", e.ranks);
    evidence_.set("bytes", e.bytes).end_row();
  }
  for (const auto& h : profile.holdout) {
    holdout_.set("executor", to_string(h.point.executor)).set("machine", h.point.machine);
    holdout_.set("collective", to_string(h.point.collective)).set("algorithm", h.point.algorithm);
    holdout_.set("protocol", h.point.protocol).set("ranks", h.point.ranks);
    holdout_.set("channels", h.point.channels);
    holdout_.set("bytes", h.point.bytes).set("predicted_us", h.predicted_us);
    holdout_.set("measured_us", h.measured_us);
    holdout_.set("error_ln", std::log(h.predicted_us / h.measured_us));
    holdout_.set("inside_interval", h.inside_interval).end_row();
  }
}

void TraceAssembly::add_predictions(const Topology& topology,
                                    const std::vector<Prediction>& predictions, TraceLevel level) {
  for (const auto& p : predictions) {
    const auto result = static_cast<std::int64_t>(results_.rows());
    results_.set("machine", topology.name()).set("executor", to_string(p.point.executor));
    results_.set("algorithm", p.point.algorithm).set("protocol", to_string(p.point.protocol));
    results_.set("channels", p.channels).set("dtype", "float");
    set_timing(results_, p.point.collective, usual_redop(p.point.collective), p.ranks,
               p.point.bytes, p.time.value());
    results_.set("low_us", p.low_us).set("high_us", p.high_us).set("interval", "90 %");
    results_.set("label", to_string(p.label));
    results_.set("evidence_ranks_ratio", p.evidence_ranks_ratio);
    results_.set("evidence_bytes_ratio", p.evidence_bytes_ratio);
    results_.set("measured_share", p.measured_share).set("limiting_term", p.limiting_term);
    for (std::size_t i = 0; i < 3; ++i) {
      const bool present = i < p.sensitivities.size();
      const std::string column = fmt::format("top{}_", i + 1);
      results_.set(column + "id", present ? p.sensitivities[i].id : std::string());
      results_.set(column + "share", present ? std::abs(p.sensitivities[i].value) : 0.0);
    }
    results_.set("bound_us", to_us(p.bound)).set("engine", p.engine).set("classes", p.classes);
    results_.end_row();
    add_shares(result, p);
    add_links(result, topology, p);
    if (level != TraceLevel::summary) add_timeline(result, topology, p);
    if (p.steps) add_steps(result, *p.steps, steps_, coverage_);
  }
}

void TraceAssembly::add_shares(std::int64_t result, const Prediction& prediction) {
  for (const auto& s : prediction.shares) {
    shares_.set("result", result).set("parameter", s.id).set("share", s.share);
    shares_.set("origin", to_string(s.origin)).end_row();
  }
}

void TraceAssembly::add_links(std::int64_t result, const Topology& topology,
                              const Prediction& prediction) {
  const double seconds = to_seconds(prediction.time);
  for (const auto& load : prediction.loads) {
    const auto& link_class = topology.link_classes()[load.link_class.value()];
    const auto capacity = static_cast<double>(load.capacity.value());
    links_.set("result", result).set("link_class", link_class.name).set("links", load.links);
    links_.set("wire_bytes_max", load.busiest_bytes);
    links_.set("utilization", static_cast<double>(load.busiest_bytes) / (seconds * capacity));
    links_.set("capacity_gbps", capacity / 1e9).end_row();
  }
}

void TraceAssembly::add_timeline(std::int64_t result, const Topology& topology,
                                 const Prediction& prediction) {
  const PointSpec& point = prediction.point;
  std::shared_ptr<const Schedule> schedule = point.schedule;
  if (!schedule) {
    // Stage names depend on algorithm and space only, so any size rebuilds them.
    const auto plan = make_plan(point.collective, point.algorithm, topology.space(), point.bytes,
                                point.element_bytes, PlanLimits{});
    schedule = plan.channels.front().schedule;
  }
  const auto& stages = schedule->stages;
  for (std::size_t i = 0; i < prediction.stages.size() && i < stages.size(); ++i) {
    timeline_.set("result", result).set("channel", prediction.slowest_channel);
    timeline_.set("stage", stages[i].name).set("start_ps", prediction.stages[i].start_ps);
    timeline_.set("end_ps", prediction.stages[i].end_ps).end_row();
  }
}

void TraceAssembly::add_measurements(const SampleSet& samples) {
  for (std::size_t i = 0; i < samples.conditions.size(); ++i) {
    const auto& c = samples.conditions[i];
    const auto summary = samples.summarize(static_cast<std::int32_t>(i));
    if (c.suite != "collective" || summary.count == 0) continue;
    results_.set("machine", c.machine).set("executor", to_string(c.executor));
    results_.set("algorithm", c.algorithm).set("protocol", c.protocol).set("channels", c.channels);
    results_.set("dtype", c.dtype);
    const auto redop = c.redop.empty() ? usual_redop(c.collective) : std::string_view(c.redop);
    set_timing(results_, c.collective, redop, c.ranks, c.bytes,
               duration_from_us(summary.median).value());
    results_.set("low_us", std::min(summary.p05, summary.median));
    results_.set("high_us", std::max(summary.p95, summary.median)).set("interval", "5..95 %");
    results_.set("label", "measured").set("evidence_ranks_ratio", 1.0);
    results_.set("evidence_bytes_ratio", 1.0).set("measured_share", 1.0);
    results_.set("limiting_term", "measured");
    for (const char* column : {"top1_", "top2_", "top3_"}) {
      results_.set(std::string(column) + "id", "").set(std::string(column) + "share", 0.0);
    }
    results_.set("bound_us", 0.0).set("engine", "measured").set("classes", c.ranks).end_row();
  }
}

void TraceAssembly::add_rank_classes(const Topology& topology, const CalibrationProfile& profile,
                                     const std::vector<PointSpec>& points,
                                     const MachineChanges& changes) {
  const auto values = values_of(profile);
  CaseBuilder builder(topology, changes);
  for (const PointSpec& point : points) {
    const auto built = builder.build(values, point);
    const auto time = evaluate_case(built, EngineOptions{});
    for (std::size_t i = 0; i < time.channels.size(); ++i) {
      const auto& class_of = time.channels[i].class_of;
      const auto channel = built.channel_classes[i].representative;
      const auto& placement = built.plan.channels[static_cast<std::size_t>(channel)].placement;
      std::map<std::int32_t, std::pair<std::int64_t, std::int32_t>> members;  // count, lowest rank
      for (std::size_t x = 0; x < class_of.size(); ++x) {
        const auto rank = placement.rank_at(static_cast<std::int32_t>(x));
        auto [entry, fresh] = members.try_emplace(class_of[x], 0, rank);
        ++entry->second.first;
        entry->second.second = std::min(entry->second.second, rank);
      }
      for (const auto& [id, member] : members) {
        classes_.set("machine", topology.name())
            .set("algorithm", point.algorithm)
            .set("channel", channel);
        classes_.set("class", id).set("members", member.first);
        classes_.set("representative", member.second).end_row();
      }
    }
  }
}

TraceContent TraceAssembly::take() {
  for (TableRows* rows : {&results_, &profile_, &correlations_, &evidence_, &holdout_, &shares_,
                          &links_, &classes_, &timeline_, &steps_, &coverage_}) {
    if (rows->rows() > 0) content_.tables.push_back(rows->take());
  }
  return std::move(content_);
}

TraceContent TraceAssembly::finish(const std::string& config_yaml, const SampleSet* samples,
                                   std::map<std::string, std::string> attributes) {
  TraceContent content = take();
  content.attributes = std::move(attributes);
  content.documents["/config"] = config_yaml;
  if (samples != nullptr) add_sample_tables(*samples, content);
  return content;
}

std::vector<PointSpec> largest_points(const Table& results, const Scenario& scenario) {
  std::map<std::string, std::size_t> largest;  // row by algorithm
  const auto& bytes = results.integers("bytes");
  for (std::size_t row = 0; row < results.rows(); ++row) {
    if (results.texts("machine")[row] != scenario.machine) continue;
    if (results.texts("engine")[row] == "measured") continue;
    const auto [known, fresh] = largest.try_emplace(results.texts("algorithm")[row], row);
    if (!fresh && bytes[row] > bytes[known->second]) known->second = row;
  }
  const auto channels_of = [&](std::size_t row) {
    return scenario.library ? static_cast<std::int32_t>(results.integers("channels")[row])
                            : scenario.channels;
  };
  std::vector<PointSpec> points;
  for (const auto& [algorithm, row] : largest) {
    const bool unfolded = results.integers("classes")[row] == results.integers("ranks")[row];
    if (unfolded && results.texts("engine")[row] == "sweep") continue;  // it has no classes
    points.push_back({scenario.executor, collective_from_name(results.texts("collective")[row]),
                      algorithm, protocol_from_name(results.texts("protocol")[row]), bytes[row],
                      scenario.element_bytes, channels_of(row), scenario.max_slices});
    for (const auto& file : scenario.files) {
      if (file->label == algorithm) points.back().schedule = file->imported.schedule;
    }
  }
  return points;
}

std::map<std::string, std::string> run_attributes(const std::string& backend,
                                                  const std::string& command_line) {
  return {{"software", "fabricast"},
          {"software_versions",
           fmt::format("fabricast {}; MPI {}", version(), Communicator::library_version())},
          {"backend", backend},
          {"seed", "0"},  // nothing in a prediction is drawn at random
          {"command_line", command_line}};
}

}  // namespace fabricast
