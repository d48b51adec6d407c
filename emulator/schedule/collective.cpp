#include "emulator/schedule/collective.hpp"

#include <algorithm>
#include <cctype>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"

namespace fabricast {
namespace {

constexpr std::string_view names[collective_count] = {"all_reduce", "all_gather", "reduce_scatter",
                                                      "broadcast",  "all_to_all", "reduce",
                                                      "gather",     "scatter",    "send_recv"};

// Letters only, lower case: "All-Reduce" and "allreduce" are the same name.
std::string letters_of(std::string_view name) {
  std::string letters;
  for (const char c : name) {
    if (c == '_' || c == '-' || c == ' ') continue;
    letters += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return letters;
}

}  // namespace

std::string_view to_string(Collective collective) {
  return names[static_cast<std::size_t>(collective)];
}

std::vector<std::string> collective_names() { return {std::begin(names), std::end(names)}; }

Collective collective_from_name(std::string_view name) {
  const std::string wanted = letters_of(name);
  for (std::size_t i = 0; i < std::size(names); ++i) {
    if (letters_of(names[i]) == wanted) return static_cast<Collective>(i);
  }
  throw UsageError(unknown_name_message("collective", name, collective_names()));
}

bool has_rank_blocks(Collective collective) {
  switch (collective) {
    case Collective::all_gather:
    case Collective::reduce_scatter:
    case Collective::all_to_all:
    case Collective::gather:
    case Collective::scatter: return true;
    case Collective::all_reduce:
    case Collective::broadcast:
    case Collective::reduce:
    case Collective::send_recv: return false;
  }
  return false;
}

bool input_is_own_block(Collective collective) {
  return collective == Collective::all_gather || collective == Collective::gather;
}

bool output_is_own_block(Collective collective) {
  return collective == Collective::reduce_scatter || collective == Collective::scatter;
}

bool reduces(Collective collective) {
  return collective == Collective::all_reduce || collective == Collective::reduce_scatter ||
         collective == Collective::reduce;
}

bool input_is_at_root(Collective collective) {
  return collective == Collective::broadcast || collective == Collective::scatter;
}

bool output_is_at_root(Collective collective) {
  return collective == Collective::reduce || collective == Collective::gather;
}

bool has_root(Collective collective) {
  return input_is_at_root(collective) || output_is_at_root(collective);
}

double algbw_gb_per_s(std::int64_t bytes, double time_us) {
  return time_us > 0 ? static_cast<double>(bytes) / time_us * 1e-3 : 0.0;
}

double busbw_factor(Collective collective, std::int32_t ranks) {
  const double n = ranks;
  switch (collective) {
    case Collective::all_reduce: return 2.0 * (n - 1) / n;
    case Collective::all_gather:
    case Collective::reduce_scatter:
    case Collective::all_to_all:
    case Collective::gather:
    case Collective::scatter: return (n - 1) / n;
    case Collective::broadcast:
    case Collective::reduce:
    case Collective::send_recv: return 1.0;
  }
  return 1.0;
}

}  // namespace fabricast
