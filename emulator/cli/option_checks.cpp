#include "emulator/cli/option_checks.hpp"

#include <string>

#include <fmt/format.h>

namespace fabricast {

CLI::Validator number_between(double low, double high) {
  const std::string range = fmt::format("FLOAT in [{:.10g} - {:.10g}]", low, high);
  const auto check = [low, high](const std::string& text) -> std::string {
    double value = 0;
    if (CLI::detail::lexical_cast(text, value) && value >= low && value <= high) return {};
    return fmt::format("{} is not a number from {:.10g} to {:.10g}", text, low, high);
  };
  return CLI::Validator(range).operation([check](std::string& text) { return check(text); });
}

}  // namespace fabricast
