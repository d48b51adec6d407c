#include "emulator/base/names.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <vector>

namespace fabricast {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto fold = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
      const std::size_t substitute = diagonal + (fold(a[i - 1]) == fold(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string closest_name(std::string_view name, std::span<const std::string> candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    // So many edits at least; a file's word of megabytes is not compared letter by letter.
    const auto [shorter, longer] = std::minmax({name.size(), candidate.size()});
    if (longer - shorter >= best_distance) continue;
    const auto distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string unknown_name_message(std::string_view what, std::string_view name,
                                 std::span<const std::string> candidates) {
  std::string message = "unknown " + std::string(what) + " \"" + std::string(name) + "\"";
  const auto guess = closest_name(name, candidates);
  if (!guess.empty()) message += " (did you mean \"" + guess + "\"?)";
  message += "; known:";
  for (const auto& candidate : candidates) message += " " + candidate;
  return message;
}

}  // namespace fabricast
