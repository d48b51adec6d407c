#include "emulator/cost/forward_model.hpp"

#include "emulator/cost/case_builder.hpp"
#include "emulator/profile/inventory.hpp"

namespace fabricast {

ParameterValues values_of(const CalibrationProfile& profile) {
  ParameterValues values;
  for (const ParameterValue& parameter : profile.parameters) {
    values[parameter.spec.id] = parameter.value;
  }
  return values;
}

ParameterForm form_of(const std::string& id) {
  const ParameterSpec& spec = parameter_spec(id);
  const bool cost = spec.sense == ParameterSense::cost;
  if (spec.unit == "us") return ParameterForm::time;
  if (spec.unit == "GB/s") return ParameterForm::rate;
  return cost ? ParameterForm::cost_factor : ParameterForm::rate_factor;
}

CollectiveCase build_case(const Topology& topology, const ParameterValues& values,
                          const PointSpec& point) {
  return CaseBuilder(topology).build(values, point);
}

}  // namespace fabricast
