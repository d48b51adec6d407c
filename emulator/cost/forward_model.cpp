#include "emulator/cost/forward_model.hpp"

#include "emulator/cost/case_builder.hpp"

namespace fabricast {

ParameterValues values_of(const CalibrationProfile& profile) {
  ParameterValues values;
  for (const ParameterValue& parameter : profile.parameters) {
    values[parameter.spec.id] = parameter.value;
  }
  return values;
}

CollectiveCase build_case(const Topology& topology, const ParameterValues& values,
                          const PointSpec& point) {
  return CaseBuilder(topology).build(values, point);
}

}  // namespace fabricast
