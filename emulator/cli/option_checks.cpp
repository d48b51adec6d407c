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

void expect_decimal_numbers(CLI::App& command) {
  const auto check = [](const std::string& text) -> std::string {
    const std::size_t first = text.find_first_of("0123456789");
    if (first == std::string::npos || text[first] != '0' || first + 1 == text.size()) return {};
    const char next = text[first + 1];
    if (next != 'x' && next != 'X' && next != 'b' && (next < '0' || next > '9')) return {};
    return fmt::format("{} is not written as a decimal number (write it without the leading zero)",
                       text);
  };
  for (CLI::Option* option : command.get_options()) {
    const std::string type = option->get_type_name();
    const bool number = type.starts_with("INT") || type.starts_with("UINT") || type.starts_with("FLOAT");
    if (number) option->check(CLI::Validator(check, "", "decimal"));
  }
  for (CLI::App* sub : command.get_subcommands([](CLI::App*) { return true; })) {
    expect_decimal_numbers(*sub);
  }
}

void hide_empty_defaults(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    const std::string value = option->get_default_str();
    const std::string type = option->get_type_name();
    const bool no_zero =
        type.find("POSITIVE") != std::string::npos ||
        (type.find(" in [") != std::string::npos && type.find(" in [0 ") == std::string::npos);
    const bool none = value == "[]" || value == "{}" || value == "-1" || (value == "0" && no_zero);
    const bool in_words = option->get_description().find("default") != std::string::npos;
    if (none || in_words) option->default_str("");
  }
  for (CLI::App* sub : command.get_subcommands([](CLI::App*) { return true; })) {
    hide_empty_defaults(*sub);
  }
}

}  // namespace fabricast
