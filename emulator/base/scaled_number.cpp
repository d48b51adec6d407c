#include "emulator/base/scaled_number.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <span>

#include <fmt/format.h>

#include "emulator/base/contracts.hpp"
#include "emulator/base/error.hpp"

namespace fabricast {
namespace {

// `scale` is the unit in the base of its dimension: bit/s, ps, bytes, FLOP/s, W. All are integers
// below 2^63, hence their ratios are exact or correctly rounded once.
struct Unit {
  std::string_view name;
  double scale;
};

constexpr double kib = 1024.0, mib = 1024 * kib, gib = 1024 * mib, tib = 1024 * gib;

constexpr std::array bandwidth_units{
    Unit{"B/s", 8},         Unit{"KB/s", 8e3},      Unit{"MB/s", 8e6},      Unit{"GB/s", 8e9},
    Unit{"TB/s", 8e12},     Unit{"KiB/s", 8 * kib}, Unit{"MiB/s", 8 * mib}, Unit{"GiB/s", 8 * gib},
    Unit{"TiB/s", 8 * tib}, Unit{"bit/s", 1},       Unit{"kbit/s", 1e3},    Unit{"Mbit/s", 1e6},
    Unit{"Gbit/s", 1e9},    Unit{"Tbit/s", 1e12}};
constexpr std::array duration_units{Unit{"ps", 1}, Unit{"ns", 1e3}, Unit{"us", 1e6},
                                    Unit{"ms", 1e9}, Unit{"s", 1e12}};
constexpr std::array bytes_units{
    Unit{"B", 1},     Unit{"KB", 1e3},  Unit{"MB", 1e6},  Unit{"GB", 1e9},  Unit{"TB", 1e12},
    Unit{"PB", 1e15}, Unit{"KiB", kib}, Unit{"MiB", mib}, Unit{"GiB", gib}, Unit{"TiB", tib}};
constexpr std::array compute_units{Unit{"GFLOPS", 1e9}, Unit{"TFLOPS", 1e12}, Unit{"PFLOPS", 1e15}};
constexpr std::array power_units{Unit{"W", 1}, Unit{"kW", 1e3}, Unit{"MW", 1e6}};

struct Family {
  std::string_view noun, example;
  std::span<const Unit> units;
};

Family family_of(Dimension dimension) {
  switch (dimension) {
    case Dimension::bandwidth:
      return {"bandwidth", "900 GB/s", bandwidth_units};
    case Dimension::duration:
      return {"duration", "2.8 us", duration_units};
    case Dimension::bytes:
      return {"amount of memory", "64 MiB", bytes_units};
    case Dimension::compute:
      return {"compute rate", "2500 TFLOPS", compute_units};
    case Dimension::power:
      return {"power", "1400 W", power_units};
  }
  return {};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// How many characters of `text` are a number of the grammar above; 0 if none.
std::size_t number_length(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t begin = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - begin;
  };
  if (i < text.size() && text[i] == '-') ++i;
  if (digits() == 0) return 0;
  if (i + 1 < text.size() && text[i] == '.' && is_digit(text[i + 1])) {
    ++i;
    digits();
  }
  // An 'e' belongs to the number only if an exponent follows.
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    std::size_t j = i + 1;
    if (j < text.size() && (text[j] == '+' || text[j] == '-')) ++j;
    if (j < text.size() && is_digit(text[j])) {
      i = j;
      digits();
    }
  }
  return i;
}

[[noreturn]] void reject_non_number(std::string_view text, std::string_view example) {
  std::string low(text);
  std::transform(low.begin(), low.end(), low.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  low.erase(0, low.find_first_not_of("+-."));
  if (low.starts_with("nan") || low.starts_with("inf")) {
    throw UsageError(
        fmt::format("\"{}\" is not a finite number; write a number such as {}", text, example));
  }
  throw UsageError(
      text.empty()
          ? fmt::format("a number is missing; write a number such as {}", example)
          : fmt::format("\"{}\" is not a number; write a number such as {}", text, example));
}

double convert(std::string_view number, std::string_view text) {
  const std::size_t first = number.starts_with('-') ? 1 : 0;
  if (number.size() > first + 1 && number[first] == '0' && is_digit(number[first + 1])) {
    throw UsageError(
        fmt::format("\"{}\" has a leading zero (some readers take it for octal); "
                    "write it without",
                    text));
  }
  double value = 0;
  const auto result = std::from_chars(number.data(), number.data() + number.size(), value);
  if (result.ec != std::errc{} || !std::isfinite(value)) {
    throw UsageError(
        fmt::format("\"{}\" is out of the range of a double (about 1e-308 to 1e308)", text));
  }
  return value;
}

struct Split {
  double value = 0;
  std::string_view number, unit;
};

Split split_number(std::string_view text, std::string_view example) {
  const std::size_t length = number_length(text);
  if (length == 0) reject_non_number(text, example);
  Split split{convert(text.substr(0, length), text), text.substr(0, length), text.substr(length)};
  while (split.unit.starts_with(' ')) split.unit.remove_prefix(1);
  return split;
}

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

[[noreturn]] void reject_unit(const Split& split, const Family& family) {
  std::string known;
  std::string guess;
  for (const auto& unit : family.units) {
    known += fmt::format(" {}", unit.name);
    if (guess.empty() && same_letters(unit.name, split.unit)) {
      guess = fmt::format(" (did you mean \"{}\"?)", unit.name);
    }
  }
  // Gb/s is read as bits by some and as bytes by others: never guess.
  if (split.unit.size() == 4 && split.unit.substr(1) == "b/s") {
    guess = fmt::format(" (ambiguous: write {0}bit/s or {0}B/s)", split.unit[0]);
  }
  throw UsageError(
      fmt::format("unknown {} unit \"{}\"{}; known:{}", family.noun, split.unit, guess, known));
}

double find_scale(std::string_view name, const Family& family) {
  for (const auto& unit : family.units) {
    if (unit.name == name) return unit.scale;
  }
  return 0;
}

// The factor of a size suffix: letters as in nccl-tests are binary. 0 when unknown.
double size_factor(std::string_view suffix) {
  if (suffix.empty()) return 1;
  if (suffix.size() == 1) {
    switch (suffix[0]) {
      case 'K':
      case 'k':
        return kib;
      case 'M':
      case 'm':
        return mib;
      case 'G':
      case 'g':
        return gib;
      case 'T':
      case 't':
        return tib;
      default:
        break;
    }
  }
  return find_scale(suffix, family_of(Dimension::bytes));
}

}  // namespace

double parse_scaled(std::string_view text, Dimension dimension, std::string_view unit) {
  const Family family = family_of(dimension);
  const double wanted = find_scale(unit, family);
  FABRICAST_EXPECT(wanted > 0, "the wanted unit is one of the dimension's");
  const Split split = split_number(text, fmt::format("\"{}\"", family.example));
  if (split.unit.empty()) {
    throw UsageError(
        fmt::format("\"{}\" has no unit (a bare number is ambiguous); write for "
                    "example \"{}\"",
                    text, family.example));
  }
  const double scale = find_scale(split.unit, family);
  if (!(scale > 0)) reject_unit(split, family);
  // Dividing by the larger scale keeps the ratio an integer: 350 ns is 350 / 1000 us.
  const double value =
      scale >= wanted ? split.value * (scale / wanted) : split.value / (wanted / scale);
  if (!std::isfinite(value)) {
    throw UsageError(fmt::format("\"{}\" is too large for a double in {}", text, unit));
  }
  return value;
}

double parse_number(std::string_view text) {
  const Split split = split_number(text, "0.9");
  if (!split.unit.empty()) {
    throw UsageError(
        fmt::format("unexpected \"{}\" after the number {} (this number has no unit); "
                    "remove it",
                    split.unit, split.number));
  }
  return split.value;
}

std::int64_t parse_integer(std::string_view text) {
  const Split split = split_number(text, "8");
  if (!split.unit.empty()) {
    throw UsageError(
        fmt::format("unexpected \"{}\" after the integer {} (a count has no unit); "
                    "remove it",
                    split.unit, split.number));
  }
  std::int64_t value = 0;
  const char* end = split.number.data() + split.number.size();
  const auto result = std::from_chars(split.number.data(), end, value);
  if (result.ec == std::errc::result_out_of_range) {
    throw UsageError(fmt::format("\"{}\" is out of the range of a 64-bit integer", text));
  }
  if (result.ec != std::errc{} || result.ptr != end) {
    throw UsageError(fmt::format("\"{}\" is not a whole number; write digits only", text));
  }
  return value;
}

std::int64_t parse_size(std::string_view text) {
  const Split split = split_number(text, "8, 64K or 16G");
  const double factor = size_factor(split.unit);
  if (!(factor > 0)) {
    throw UsageError(fmt::format(
        "unknown size unit \"{}\" in \"{}\"; known: K M G T (powers of 1024, as in nccl-tests), "
        "KiB MiB GiB TiB (1024), KB MB GB TB PB (1000)",
        split.unit, text));
  }
  if (!(split.value > 0)) {
    throw UsageError(fmt::format("a size must be at least 1 byte (got \"{}\")", text));
  }
  const double bytes = split.value * factor;
  // 2^53: beyond it a double no longer holds every whole number of bytes.
  if (!(bytes <= 9007199254740992.0)) {
    throw UsageError(fmt::format("the size \"{}\" is too large (at most 8192T)", text));
  }
  if (bytes != std::floor(bytes)) {
    throw UsageError(fmt::format("the size \"{}\" is not a whole number of bytes", text));
  }
  return static_cast<std::int64_t>(bytes);
}

std::string format_size(std::int64_t bytes) {
  constexpr std::string_view letters = "KMGT";
  std::size_t power = 0;
  while (power < letters.size() && bytes != 0 && bytes % 1024 == 0) {
    bytes /= 1024;
    ++power;
  }
  return power == 0 ? fmt::format("{}", bytes) : fmt::format("{}{}", bytes, letters[power - 1]);
}

}  // namespace fabricast
