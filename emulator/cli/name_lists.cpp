#include "emulator/cli/name_lists.hpp"

namespace fabricast {

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> items;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    if (end > begin) items.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return items;
}

std::vector<Collective> collectives_from_list(const std::string& text) {
  std::vector<Collective> collectives;
  const auto names = text == "all" ? collective_names() : split_list(text);
  for (const auto& name : names) collectives.push_back(collective_from_name(name));
  return collectives;
}

}  // namespace fabricast
