#include "emulator/cli/parse_error.hpp"

#include <vector>

#include <fmt/format.h>

#include "emulator/base/names.hpp"

namespace fabricast {
namespace {

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(sub->get_name());
  }
  return names;
}

// "--ranks" of the command and of those around it: all of them may stand behind it.
std::vector<std::string> options_of(const CLI::App* command) {
  std::vector<std::string> names;
  for (; command != nullptr; command = command->get_parent()) {
    for (const CLI::Option* option : command->get_options()) {
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

// A word that is neither an option, nor its value, nor a name that the command asks for.
std::string unplaced(const std::string& word, const CLI::App& command) {
  if (word.size() < 2 || word[0] != '-') {
    return command.get_require_subcommand_min() > 0
               ? unknown_name_message("command", word, commands_of(command))
               : fmt::format("unexpected argument \"{}\"", word);
  }
  const std::string option = word.substr(0, word.find('='));
  const std::string meant =
      option.size() > 2 ? closest_name(option, options_of(&command)) : std::string();
  return fmt::format("unknown option {}{}", option,
                     meant.empty() ? "" : fmt::format(" (did you mean {}?)", meant));
}

}  // namespace

std::string parse_error_message(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* command = &app;
  std::string path = "fabricast";
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    path += " " + command->get_name();
  }
  std::string text = error.what();
  const bool missing = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  if (missing || dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    // A misspelt option is unplaced, and what it should have given is missing: say the first.
    const auto words = app.remaining(true);
    if (!words.empty()) {
      text = unplaced(words.front(), *command);
    } else if (missing && command->get_require_subcommand_min() > 0) {
      text = fmt::format("no command given; known: {}", fmt::join(commands_of(*command), " "));
    }
  }
  return fmt::format("{}; see `{} --help`", text, path);
}

}  // namespace fabricast
