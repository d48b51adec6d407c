#include "emulator/profile/nccl_settings.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "emulator/profile/log_line.hpp"

namespace fabricast {
namespace {

// In the order of NCCL's numbers (nccl v2.28.9-1 src/include/nccl_tuner.h).
struct Name {
  std::string_view nccl, ours;
};
constexpr std::array<Name, 7> algorithms{{{"tree", "tree"},
                                          {"ring", "ring"},
                                          {"collnetdirect", "collnet_direct"},
                                          {"collnetchain", "collnet_chain"},
                                          {"nvls", "nvls"},
                                          {"nvlstree", "nvls_tree"},
                                          {"pat", "pat"}}};
constexpr std::array<Name, 3> protocols{{{"ll", "ll"}, {"ll128", "ll128"}, {"simple", "simple"}}};

template <std::size_t n>
std::string name_of(std::string_view text, const std::array<Name, n>& names) {
  std::string letters;
  for (const char c : text) {
    if (c != '_') letters += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (letters == names[i].nccl || letters == std::to_string(i)) return std::string(names[i].ours);
  }
  return {};
}

std::int64_t number_in(std::string_view text) {
  std::int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() && result.ptr != text.data() ? value : -1;
}

bool is_variable_char(char c) {
  return (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
}

// "NCCL_ALGO=Ring" anywhere in a word ("--env=NCCL_ALGO=Ring", quoted or not).
std::optional<std::pair<std::string, std::string>> assignment_in(std::string_view word) {
  const auto start = word.find("NCCL_");
  if (start == nowhere || (start > 0 && is_variable_char(word[start - 1]))) return std::nullopt;
  auto end = start;
  while (end < word.size() && is_variable_char(word[end])) ++end;
  if (end >= word.size() || word[end] != '=') return std::nullopt;
  std::string value;
  for (const char c : word.substr(end + 1)) {
    if (c != '"' && c != '\'' && c != ';') value += c;
  }
  return std::pair(std::string(word.substr(start, end - start)), std::move(value));
}

// "./build/all_reduce_perf" or "all_reduce_perf_mpi": the name up to "_perf".
std::string program_in(std::string_view word) {
  const auto mark = word.rfind("_perf");
  if (mark == nowhere || mark == 0) return {};
  const auto rest = word.substr(mark + 5);
  if (!rest.empty() && rest != "_mpi" && rest != "." && rest != ":" && rest != "'" &&
      rest != "\"") {
    return {};
  }
  auto start = mark;
  while (start > 0 && (std::islower(static_cast<unsigned char>(word[start - 1])) != 0 ||
                       word[start - 1] == '_')) {
    --start;
  }
  return start == mark ? std::string() : std::string(word.substr(start, mark + 5 - start));
}

}  // namespace

std::string nccl_version_of(std::int64_t code) {
  constexpr std::int64_t first_long = 10000;  // 2.9.0 is 20900, before it 2.8.4 was 2804
  if (code >= first_long && code < 1000000) {
    return fmt::format("{}.{}.{}", code / 10000, code / 100 % 100, code % 100);
  }
  if (code >= 1000 && code < first_long) {
    return fmt::format("{}.{}.{}", code / 1000, code / 100 % 10, code % 100);
  }
  return {};
}

std::string nccl_version_in(std::string_view line) {
  constexpr std::string_view mark = "CCL version ";  // "RCCL version : 2.27.7-HEAD:96a25b5"
  const auto at = line.find(mark);
  if (at == nowhere || at == 0 || (line[at - 1] != 'N' && line[at - 1] != 'R')) return {};
  auto end = std::min(line.find_first_not_of(" :", at + mark.size()), line.size());
  const auto start = end;
  while (end < line.size() &&
         (std::isdigit(static_cast<unsigned char>(line[end])) != 0 || line[end] == '.')) {
    ++end;
  }
  const auto version = line.substr(start, end - start);
  return std::count(version.begin(), version.end(), '.') == 2 ? std::string(version) : "";
}

ShellSettings shell_settings(std::string_view line) {
  ShellSettings settings;
  const auto words = words_of(line);
  const bool exports = std::find(words.begin(), words.end(), "export") != words.end();
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "unset" && i + 1 < words.size()) settings.unset = std::string(words[i + 1]);
    if (auto set = assignment_in(words[i])) {
      (exports ? settings.exported : settings.once).insert(std::move(*set));
    }
    if (settings.program.empty()) settings.program = program_in(words[i]);
  }
  // A line that only assigns, as `env` prints it, holds for what follows.
  if (words.size() == 1 && !settings.once.empty()) settings.exported.swap(settings.once);
  if (!settings.unset.starts_with("NCCL_")) settings.unset.clear();
  return settings;
}

std::optional<std::pair<std::string, std::string>> setting_in(std::string_view line) {
  const auto words = words_of(line);
  const auto set = std::find(words.begin(), words.end(), "set");
  if (set == words.begin() || words.end() - set < 5) return std::nullopt;
  if (set[1] != "by" || !set[2].starts_with("environment")) return std::nullopt;
  const auto name = set[-1];
  const auto to = std::find(set, words.end(), "to");
  if (!name.starts_with("NCCL_") || words.end() - to < 2) return std::nullopt;
  auto value = to[1];
  while (value.ends_with('.')) value.remove_suffix(1);
  return std::pair(std::string(name), std::string(value));
}

std::optional<ChoiceLine> choice_in(std::string_view line) {
  const auto words = words_of(line);
  const auto arrow = std::find(words.begin(), words.end(), "->");
  // function: bytes Bytes -> Algo a proto p
  if (arrow - words.begin() < 3 || words.end() - arrow < 5) return std::nullopt;
  if (arrow[-1] != "Bytes" || arrow[1] != "Algo" || arrow[3] != "proto") return std::nullopt;
  ChoiceLine made;
  made.function = std::string(arrow[-3].substr(0, arrow[-3].find(':')));
  made.bytes = number_in(arrow[-2]);
  made.choice.algorithm = algorithm_of(arrow[2]);
  made.choice.protocol = protocol_of(arrow[4]);
  if (made.bytes < 0 || made.choice.algorithm.empty() || made.choice.protocol.empty()) {
    return std::nullopt;
  }
  for (auto word = arrow + 5; word < words.end(); ++word) {
    const auto equals = word->find("={");
    if (!word->starts_with("channel") || equals == nowhere) continue;
    const auto range = word->substr(equals + 2);
    const auto dots = range.find("..");
    if (dots == nowhere) continue;
    const auto low = number_in(range), high = number_in(range.substr(dots + 2));
    if (low >= 0 && high >= low && high < 64) {
      made.choice.channels = static_cast<std::int32_t>(high - low + 1);
    }
  }
  return made;
}

std::string algorithm_of(std::string_view nccl_name) { return name_of(nccl_name, algorithms); }
std::string protocol_of(std::string_view nccl_name) { return name_of(nccl_name, protocols); }

}  // namespace fabricast
