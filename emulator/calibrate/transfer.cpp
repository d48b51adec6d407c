#include "emulator/calibrate/transfer.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "emulator/base/contracts.hpp"
#include "emulator/calibrate/calibrate.hpp"
#include "emulator/profile/judgement.hpp"

namespace fabricast {
namespace {

const TransferRule& rule(std::string_view name) {
  const auto& rules = transfer_rules();
  const auto found = std::find_if(rules.begin(), rules.end(),
                                  [name](const TransferRule& r) { return r.name == name; });
  FABRICAST_EXPECT(found != rules.end(), "a rule of the table");
  return *found;
}

bool measured(const ParameterValue* parameter) {
  return parameter != nullptr && parameter->origin == ParameterOrigin::measured &&
         parameter->transfer_rule.empty();
}

// Combines the target's present value with the carried one by precision. What the carried value
// rests on travels with it: a synthetic profile stays marked as one.
void observe(ParameterValue& target, double value, double sigma, const TransferRule& by,
             const CalibrationProfile& from, const std::string& rests_on) {
  const double widened = std::sqrt(sigma * sigma + by.sigma_ln * by.sigma_ln);
  const double prior_weight = 1 / (target.sigma_ln * target.sigma_ln);
  const double weight = 1 / (widened * widened);
  target.value = std::exp((prior_weight * std::log(target.value) + weight * std::log(value)) /
                          (prior_weight + weight));
  const double before = target.sigma_ln;
  target.sigma_ln = 1 / std::sqrt(prior_weight + weight);
  target.origin = ParameterOrigin::measured;
  target.transfer_rule = by.name;
  target.identified = target.sigma_ln < judgement::identified_below * before
                          ? Identified::identified
                          : Identified::weak;
  target.source =
      fmt::format("carried by rule {} from {} ({}) [{}]; prior: {}", by.name, from.machine,
                  to_string(from.executor), rests_on, target.prior.source);
}

std::string generation_of(const CalibrationProfile& profile) {
  for (const ParameterValue& p : profile.parameters) {
    if (p.spec.scope == Scope::gpu_generation) return p.scope_key;
  }
  return {};
}

// What a node brings to the network is the same in a machine of more such nodes; what lies between
// the switches is not.
bool of_node(const ParameterSpec& spec) {
  return spec.id.starts_with("net.step.") || spec.id == "nic.efficiency" ||
         spec.id == "nic.latency";
}

// "infiniband" of "infiniband@hgx-h100x4".
std::string fabric_of(const CalibrationProfile& profile) {
  const ParameterValue* step = profile.find("net.step.simple");
  return step == nullptr ? std::string() : step->scope_key.substr(0, step->scope_key.find('@'));
}

// The same network by name, and NICs of the same figures in both machine files.
bool same_fabric(const CalibrationProfile& from, const CalibrationProfile& to) {
  for (const char* figure : {"nic.bandwidth", "nic.latency"}) {
    const ParameterValue* a = from.find(figure);
    const ParameterValue* b = to.find(figure);
    if (a == nullptr || b == nullptr || a->prior.value != b->prior.value) return false;
  }
  return !fabric_of(from).empty() && fabric_of(from) == fabric_of(to);
}

void carry_same_executor(const CalibrationProfile& from, CalibrationProfile& to) {
  const bool same_machine = from.machine == to.machine;
  const bool alike = generation_of(from) == generation_of(to);
  const bool fabric = same_fabric(from, to);
  for (ParameterValue& target : to.parameters) {
    if (is_stated(target)) continue;
    const ParameterValue* source = from.find(target.spec.id);
    if (!measured(source) || target.origin == ParameterOrigin::measured) continue;
    if (same_machine) {
      observe(target, source->value, source->sigma_ln, rule("same-machine"), from, source->source);
      continue;
    }
    const bool universal = target.spec.scope == Scope::universal;
    const bool generation =
        target.spec.scope == Scope::gpu_generation && target.scope_key == source->scope_key;
    if (generation || (universal && alike)) {
      observe(target, source->value, source->sigma_ln, rule("same-generation"), from,
              source->source);
    } else if (alike && fabric && of_node(target.spec)) {
      observe(target, source->value, source->sigma_ln, rule("same-fabric"), from, source->source);
    } else if (universal) {
      observe(target, source->value, source->sigma_ln, rule("other-generation-ratios"), from,
              source->source);
    }
  }
}

void carry_interpreter(const CalibrationProfile& from, CalibrationProfile& to) {
  const ParameterValue* copy = from.find("cuda.cta_copy_bw");
  ParameterValue* target = to.find("cta.copy_bw");
  if (measured(copy) && target != nullptr && target->origin != ParameterOrigin::measured) {
    observe(*target, target->prior.value * copy->value / copy->prior.value, copy->sigma_ln,
            rule("interpreter-copy-rate"), from, copy->source);
  }
  const ParameterValue* ll = from.find("cuda.handoff.ll");
  for (const std::string protocol : {"ll128", "simple"}) {
    const ParameterValue* other = from.find("cuda.handoff." + protocol);
    ParameterValue* ratio = to.find("nvlink.step_ratio." + protocol);
    if (!measured(ll) || !measured(other) || ratio == nullptr ||
        ratio->origin == ParameterOrigin::measured) {
      continue;
    }
    observe(*ratio, other->value / ll->value, std::hypot(other->sigma_ln, ll->sigma_ln),
            rule("interpreter-hand-offs"), from, other->source);
  }
  const ParameterValue* slot = from.find("cuda.pcie_efficiency");
  ParameterValue* pcie = to.find("pcie.efficiency");
  if (measured(slot) && pcie != nullptr && pcie->origin != ParameterOrigin::measured) {
    observe(*pcie, slot->value, slot->sigma_ln, rule("pcie-copy-efficiency"), from, slot->source);
  }
}

}  // namespace

const std::vector<TransferRule>& transfer_rules() {
  static const std::vector<TransferRule> rules{
      {"same-machine", "every parameter", 0.0},
      {"same-generation", "parameters of scope gpu_generation or universal",
       judgement::same_generation},
      {"same-fabric", "net.step.*, nic.efficiency and nic.latency", judgement::same_fabric},
      {"other-generation-ratios", "universal ratios", judgement::other_generation},
      {"interpreter-copy-rate", "cuda.cta_copy_bw relative to its prior",
       judgement::other_executor},
      {"interpreter-hand-offs", "ratios of cuda.handoff.*", judgement::other_executor},
      {"pcie-copy-efficiency", "cuda.pcie_efficiency", judgement::other_traffic},
  };
  return rules;
}

void transfer(const CalibrationProfile& from, CalibrationProfile& to) {
  const auto carried = [&to] {
    return std::count_if(to.parameters.begin(), to.parameters.end(),
                         [](const ParameterValue& p) { return !p.transfer_rule.empty(); });
  };
  const auto before = carried();
  if (from.executor == to.executor) {
    carry_same_executor(from, to);
  } else if (from.executor == ExecutorKind::cuda && to.executor == ExecutorKind::nccl) {
    carry_interpreter(from, to);
  }
  // Evidence of other machines: predictions measure their distance from it.
  if (carried() > before) {
    to.evidence.insert(to.evidence.end(), from.evidence.begin(), from.evidence.end());
  }
}

}  // namespace fabricast
