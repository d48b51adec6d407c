#include "emulator/report/compare_environment.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include <fmt/format.h>

namespace fabricast {
namespace {

using Environment = std::map<std::string, std::string>;

constexpr std::size_t max_value = 60;  // characters of a value in a warning
// Loads this far apart are another situation: half a core's worth of other people's work.
constexpr double load_difference = 0.5;

Environment environment_of(const TraceContent& content) {
  Environment found;
  const Table* table = content.find("/sample_environment");
  if (table == nullptr) return found;
  const auto& keys = table->texts("key");
  const auto& values = table->texts("value");
  for (std::size_t i = 0; i < keys.size(); ++i) found[keys[i]] = values[i];
  return found;
}

// Counters, times and what became of single sizes differ between any two runs.
bool always_differs(const std::string& key) {
  return key == "involuntary_context_switches" || key == "harness_notes" ||
         key == "harness_stop_reasons" || key.starts_with("load_");
}

// "KEY differs: OLD -> NEW", long values from shortly before they begin to differ.
std::string difference(const std::string& key, const std::string& old, const std::string& now) {
  const auto [at, other] = std::mismatch(old.begin(), old.end(), now.begin(), now.end());
  auto begin = static_cast<std::size_t>(at - old.begin());
  begin = std::max(old.size(), now.size()) <= max_value || begin < 16 ? 0 : begin - 16;
  const auto cut = [&](const std::string& value) {
    if (value.empty()) return std::string("nothing");
    return (begin > 0 ? "..." : "") + value.substr(begin, max_value) +
           (value.size() > begin + max_value ? "..." : "");
  };
  return fmt::format("{} differs: {} -> {}", key, cut(old), cut(now));
}

std::string value_of(const Environment& environment, const std::string& key) {
  const auto entry = environment.find(key);
  return entry == environment.end() ? std::string() : entry->second;
}

void compare_values(const Environment& before, const Environment& after,
                    std::vector<std::string>& warnings) {
  std::map<std::string, bool> keys;
  for (const auto& [key, value] : before) keys[key] = true;
  for (const auto& [key, value] : after) keys[key] = true;
  for (const auto& [key, present] : keys) {
    const std::string old = value_of(before, key), now = value_of(after, key);
    if (always_differs(key) || old == now) continue;
    warnings.push_back(difference(key, old, now));
  }
}

void compare_loads(const Environment& before, const Environment& after,
                   std::vector<std::string>& warnings) {
  for (const char* key : {"load_1min_before", "load_1min"}) {
    const std::string old = value_of(before, key), now = value_of(after, key);
    if (old.empty() || now.empty()) continue;
    const double difference = std::strtod(now.c_str(), nullptr) - std::strtod(old.c_str(), nullptr);
    if (std::abs(difference) >= load_difference) {
      warnings.push_back(fmt::format("the load when measuring began differs: {} -> {}", old, now));
    }
  }
}

void compare_documents(const TraceContent& base, const TraceContent& fresh,
                       std::vector<std::string>& warnings) {
  for (const auto& [path, text] : fresh.documents) {
    const auto other = base.documents.find(path);
    if (path.starts_with("/machine/") && other != base.documents.end() && other->second != text) {
      warnings.push_back(fmt::format("the machine {} is described differently",
                                     path.substr(std::string("/machine/").size())));
    }
  }
}

}  // namespace

std::vector<std::string> environment_warnings(const TraceContent& base, const TraceContent& fresh) {
  std::vector<std::string> warnings;
  const Environment before = environment_of(base), after = environment_of(fresh);
  if (!before.empty() && !after.empty()) {
    compare_values(before, after, warnings);
    compare_loads(before, after, warnings);
  }
  for (const char* key : {"software_versions", "backend"}) {
    const auto old = base.attributes.find(key), now = fresh.attributes.find(key);
    if (old == base.attributes.end() || now == fresh.attributes.end()) continue;
    if (old->second != now->second) {
      warnings.push_back(difference(key, old->second, now->second));
    }
  }
  compare_documents(base, fresh, warnings);
  return warnings;
}

}  // namespace fabricast
