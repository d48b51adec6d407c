#include "topologies/match/system_columns.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "topologies/match/text_words.hpp"

namespace fabricast {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); }

// A number that begins at `at`; moves `at` behind it.
std::optional<double> number_at(std::string_view text, std::size_t& at) {
  std::size_t end = at;
  while (end < text.size() && (is_digit(text[end]) || text[end] == '.')) ++end;
  if (end == at || end - at > 9) return std::nullopt;
  double value = 0, scale = 1;
  bool fraction = false;
  for (std::size_t i = at; i < end; ++i) {
    if (text[i] == '.') {
      fraction = true;
      continue;
    }
    value = value * 10 + (text[i] - '0');
    if (fraction) scale *= 10;
  }
  at = end;
  return value / scale;
}

// As a word of its own: no letter or digit beside it.
bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]))) {
      return true;
    }
  }
  return false;
}

NetworkFamily family_of(const std::string& text) {
  if (contains_text(text, "tcpxo") || contains_text(text, "fastrak")) return NetworkFamily::tcpxo;
  if (contains_text(text, "tcpx")) return NetworkFamily::tcpx;
  if (has_word(text, "efa") || contains_text(text, "efav") || has_word(text, "srd")) {
    return NetworkFamily::efa;
  }
  if (contains_text(text, "slingshot") || contains_text(text, "cassini") || has_word(text, "cxi")) {
    return NetworkFamily::slingshot;
  }
  for (const auto* word :
       {"ib", "infiniband", "ndr", "hdr", "edr", "xdr", "fdr", "quantum", "ndr200", "hdr100"}) {
    if (has_word(text, word) || (std::string_view(word).size() > 3 && contains_text(text, word))) {
      return NetworkFamily::infiniband;
    }
  }
  for (const auto* word : {"roce", "rocev2", "spectrum", "pollara", "gib", "mrdma"}) {
    if (contains_text(text, word)) return NetworkFamily::roce;
  }
  if (contains_text(text, "ethernet") || has_word(text, "tcp") || contains_text(text, "gbe") ||
      contains_text(text, "gvnic")) {
    return NetworkFamily::ethernet;
  }
  if (text.starts_with("none") || text.empty()) return NetworkFamily::none;
  // An adapter without a protocol: ConnectX and BlueField speak both; RDMA over Ethernet is the
  // more common of the two where InfiniBand is not named.
  for (const auto* word : {"connectx", "cx-", "cx7", "cx6", "bluefield", "bf3", "bf-3", "thor"}) {
    if (contains_text(text, word)) return NetworkFamily::roce;
  }
  return NetworkFamily::unknown;
}

std::optional<double> rate_of_generation(const std::string& text) {
  static constexpr std::array<std::pair<std::string_view, double>, 8> rates{
      {{"hdr100", 100},
       {"ndr200", 200},
       {"xdr", 800},
       {"ndr", 400},
       {"hdr", 200},
       {"edr", 100},
       {"fdr", 56},
       {"slingshot-11", 200}}};
  for (const auto& [word, gbit] : rates) {
    if (contains_text(text, word)) return gbit;
  }
  return std::nullopt;
}

// "400G", "400Gb/s", "400 Gbit", "200GbE", "3.2T": a rate behind a number; in Gbit/s. Bytes
// ("GB/s") are not the rate of a port.
std::optional<double> rate_suffix(std::string_view printed, std::size_t at, double value) {
  if (at < printed.size() && printed[at] == ' ') ++at;
  if (at >= printed.size()) return std::nullopt;
  const char letter = printed[at];
  const double unit = letter == 'G' || letter == 'g' ? 1 : letter == 'T' ? 1000 : 0;
  const std::string_view rest = printed.substr(at + 1);
  if (unit == 0 || rest.starts_with("B/s") || rest.starts_with("Bps")) return std::nullopt;
  const std::string lower = in_lower_case(rest);
  const bool ends = lower.empty() || !is_word(lower[0]) || lower[0] == 'b';
  return ends ? std::optional(value * unit) : std::nullopt;
}

// "8 HCAs", "4 NICs": a count of adapters.
std::optional<std::int32_t> adapters(const std::string& text) {
  for (const auto* word : {" hca", " nic", " adapter", " port"}) {
    const std::size_t at = text.find(word);
    if (at == std::string::npos) continue;
    std::size_t first = at;
    while (first > 0 && is_digit(text[first - 1])) --first;
    if (first > 0 && is_word(text[first - 1])) continue;
    if (const auto count = number_at(text, first)) return static_cast<std::int32_t>(*count);
  }
  return std::nullopt;
}

// "16x100g", "8 x 400g", "400g x8", "8x 400 gb": the first rate, and the count beside it.
void read_rate(const std::string& text, std::string_view printed, NetworkWords& words) {
  for (std::size_t i = 0; i < text.size();) {
    if (!is_digit(text[i]) ||
        (i > 0 && (is_word(text[i - 1]) || text[i - 1] == '-') && !(text[i - 1] == 'x'))) {
      ++i;
      continue;
    }
    std::size_t end = i;
    const auto value = number_at(text, end);
    if (!value) {
      ++i;
      while (i < text.size() && is_digit(text[i])) ++i;
      continue;
    }
    if (const auto rate = rate_suffix(printed, end, *value)) {
      words.port_gbit = *rate;
      std::size_t before = i;
      while (before > 0 && text[before - 1] == ' ') --before;
      if (before > 1 && text[before - 1] == 'x') {
        std::size_t digits = before - 1;
        while (digits > 0 && text[digits - 1] == ' ') --digits;
        std::size_t first = digits;
        while (first > 0 && is_digit(text[first - 1])) --first;
        std::size_t from = first;
        if (const auto count = number_at(std::string_view(text).substr(0, digits), from)) {
          words.ports = static_cast<std::int32_t>(*count);
        }
      }
      const std::size_t times = text.find('x', end);
      if (!words.ports && times != std::string::npos && times <= end + 6) {
        std::size_t from = times + 1;
        while (from < text.size() && text[from] == ' ') ++from;
        if (const auto count = number_at(text, from))
          words.ports = static_cast<std::int32_t>(*count);
      }
      return;
    }
    i = end;
  }
}

struct GpuWord {
  std::string_view word, key;
};
// Longer words before the ones they contain.
constexpr std::array gpu_words{
    GpuWord{"gb300", "gb300"},
    GpuWord{"gb200", "gb200"},
    GpuWord{"gh200", "gh200"},
    GpuWord{"b300", "b300"},
    GpuWord{"b200", "b200"},
    GpuWord{"h200", "h200"},
    GpuWord{"h100", "h100"},
    GpuWord{"h800", "h800"},
    GpuWord{"h20", "h20"},
    GpuWord{"a100", "a100"},
    GpuWord{"a800", "a800"},
    GpuWord{"v100", "v100"},
    GpuWord{"l40s", "l40s"},
    GpuWord{"rtx6000d", "rtx6000d"},
    GpuWord{"rtxpro6000d", "rtx6000d"},
    GpuWord{"rtxpro6000", "rtxpro6000"},
    GpuWord{"6000d", "rtx6000d"},
    GpuWord{"4090", "rtx4090"},
    GpuWord{"5090", "rtx5090"},
    GpuWord{"mi250", "mi250x"},
    GpuWord{"mi300x", "mi300x"},
    GpuWord{"mi325", "mi325x"},
    GpuWord{"mi350", "mi350x"},
    GpuWord{"mi355", "mi355x"},
};

}  // namespace

NetworkWords read_network(std::string_view printed) {
  const std::string text = in_lower_case(printed);
  NetworkWords words;
  words.family = family_of(text);
  if (words.family == NetworkFamily::none) return words;
  read_rate(text, printed, words);
  if (!words.ports) words.ports = adapters(text);
  if (!words.port_gbit) words.port_gbit = rate_of_generation(text);
  words.ports_per_gpu = contains_text(text, "per gpu") || contains_text(text, "/gpu");
  if (words.family == NetworkFamily::efa) {
    for (std::int32_t version = 1; version <= 4; ++version) {
      const std::string digit = std::to_string(version);
      if (contains_text(text, "efav" + digit) || contains_text(text, "efa v" + digit))
        words.efa_version = version;
    }
  }
  return words;
}

std::optional<std::string> read_gpu_key(std::string_view printed) {
  std::string text = in_lower_case(printed);
  std::erase_if(text, [](char c) { return c == ' ' || c == '-' || c == '_'; });
  for (const auto& [word, key] : gpu_words) {
    const std::size_t at = text.find(word);
    if (at == std::string::npos) continue;
    const std::size_t end = at + word.size();
    // "h20" of "h200" was found before; "h2000" is neither.
    if (end < text.size() && is_digit(text[end]) && word.size() <= 4) {
      // digits of the memory may follow directly once blanks are gone: "h10080gb" ends in gb
      const std::size_t unit = text.find_first_not_of("0123456789", end);
      if (unit == std::string::npos || text.compare(unit, 2, "gb") != 0) continue;
    }
    return std::string(key);
  }
  return std::nullopt;
}

std::optional<double> read_memory_gb(std::string_view printed) {
  const std::string text = in_lower_case(printed);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_digit(text[i]) || (i > 0 && is_word(text[i - 1]))) continue;
    std::size_t end = i;
    const auto value = number_at(text, end);
    if (!value) continue;
    if (text.compare(end, 2, "gb") == 0 || text.compare(end, 3, " gb") == 0 ||
        text.compare(end, 1, "/") == 0) {
      return value;
    }
    i = end;
  }
  return std::nullopt;
}

}  // namespace fabricast
