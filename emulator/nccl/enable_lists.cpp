#include "emulator/nccl/enable_lists.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"

namespace fabricast::nccl {
namespace {

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(at), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

template <std::size_t count, class Find>
void apply(std::string_view variable, std::string_view text,
           std::array<std::array<int, count>, function_count>& lists, const Find& find,
           const std::vector<std::string>& known) {
  for (std::string_view part : split(text, ';')) {
    const auto colon = part.find(':');
    std::optional<Function> function;
    if (colon != std::string_view::npos) {
      function = function_from_name(part.substr(0, colon));
      if (!function) {
        throw UsageError(fmt::format(
            "{}={}: {}", variable, text,
            unknown_name_message("collective", part.substr(0, colon),
                                 std::vector<std::string>{"broadcast", "reduce", "allgather",
                                                          "reducescatter", "allreduce"})));
      }
      part.remove_prefix(colon + 1);
    }
    const bool exclude = part.starts_with('^');
    if (exclude) part.remove_prefix(1);
    std::array<int, count> list;
    list.fill(exclude ? 1 : 0);
    for (const auto word : split(part, ',')) {
      const auto found = find(word);
      if (!found) {
        throw UsageError(
            fmt::format("{}={}: {}", variable, text, unknown_name_message("name", word, known)));
      }
      list[index_of(*found)] = exclude ? 0 : 1;
    }
    for (std::size_t f = 0; f < function_count; ++f) {
      if (!function || index_of(*function) == f) lists[f] = list;
    }
  }
}

template <class Names>
std::vector<std::string> words(const Names& names) {
  std::vector<std::string> list;
  for (const auto name : names) list.emplace_back(to_string(name));
  return list;
}

}  // namespace

EnableLists enable_lists(const Overrides& overrides) {
  EnableLists lists;
  for (auto& row : lists.algorithms) row.fill(1);
  for (auto& row : lists.protocols) row = {1, EnableLists::by_default, 1};
  apply("NCCL_ALGO", overrides.algo, lists.algorithms, algorithm_from_name, words(all_algorithms));
  apply("NCCL_PROTO", overrides.proto, lists.protocols, protocol_from_name, words(all_protocols));
  return lists;
}

}  // namespace fabricast::nccl
