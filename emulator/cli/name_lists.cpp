#include "emulator/cli/name_lists.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/scaled_number.hpp"

namespace fabricast {

std::vector<std::string> names_option(const char* option, const std::string& text) {
  std::vector<std::string> items;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    if (end > begin) {
      auto item = text.substr(begin, end - begin);
      if (std::find(items.begin(), items.end(), item) != items.end()) {
        throw UsageError(fmt::format("{}: \"{}\" is named twice; name it once", option, item));
      }
      items.push_back(std::move(item));
    }
    begin = end + 1;
  }
  if (items.empty()) {
    throw UsageError(std::string(option) + ": no name in \"" + text +
                     "\" (an empty list asks for "
                     "nothing) give at least one, or leave the option out");
  }
  return items;
}

std::vector<Collective> collectives_from_list(const std::string& text) {
  std::vector<Collective> collectives;
  const auto names = text == "all" ? collective_names() : names_option("-c", text);
  for (const auto& name : names) collectives.push_back(collective_from_name(name));
  return collectives;
}

std::int64_t size_option(const char* option, const std::string& text) {
  try {
    return parse_size(text);
  } catch (const UsageError& error) {
    throw UsageError(std::string(option) + ": " + error.what());
  }
}

}  // namespace fabricast
