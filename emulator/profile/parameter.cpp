#include "emulator/profile/parameter.hpp"

#include <algorithm>

#include "emulator/base/contracts.hpp"

namespace fabricast {

std::string_view to_string(Scope scope) {
  switch (scope) {
    case Scope::universal:
      return "universal";
    case Scope::gpu_generation:
      return "gpu_generation";
    case Scope::device_model:
      return "device_model";
    case Scope::link_class:
      return "link_class";
    case Scope::fabric:
      return "fabric";
    case Scope::host:
      return "host";
  }
  return "?";
}

std::string_view to_string(ParameterOrigin origin) {
  switch (origin) {
    case ParameterOrigin::measured:
      return "measured";
    case ParameterOrigin::published:
      return "published";
    case ParameterOrigin::datasheet:
      return "datasheet";
    case ParameterOrigin::assumed:
      return "assumed";
  }
  return "?";
}

std::string_view to_string(Identified identified) {
  switch (identified) {
    case Identified::prior:
      return "prior";
    case Identified::weak:
      return "weak";
    case Identified::identified:
      return "identified";
  }
  return "?";
}

const ParameterValue* CalibrationProfile::find(std::string_view id) const {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [id](const ParameterValue& p) { return p.spec.id == id; });
  return found == parameters.end() ? nullptr : &*found;
}

ParameterValue* CalibrationProfile::find(std::string_view id) {
  return const_cast<ParameterValue*>(static_cast<const CalibrationProfile*>(this)->find(id));
}

double CalibrationProfile::value(std::string_view id) const {
  const ParameterValue* parameter = find(id);
  FABRICAST_EXPECT(parameter != nullptr, "the profile has this parameter");
  return parameter->value;
}

}  // namespace fabricast
