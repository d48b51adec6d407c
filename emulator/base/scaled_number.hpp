// Numbers with a unit, read strictly: "900 GB/s", "400 Gbit/s", "350 ns", "64 MiB", "186 GB".
//
// Grammar: NUMBER [spaces] UNIT, with NUMBER = [-] digits without leading zero [. digits] [e
// +-digits]. Decimal (KB MB GB TB) and binary (KiB MiB GiB TiB) prefixes are different units. A
// missing or unknown unit, an octal-looking number, NaN, infinity and overflow are UsageErrors
// whose message is "problem (why) what to do", without a position: strict_yaml.hpp and the command
// line add it. Unit ratios are kept as integers (bits per second, picoseconds), so "400 Gbit/s" is
// exactly 50 GB/s. Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fabricast {

enum class Dimension : std::uint8_t { bandwidth, duration, bytes, compute, power };

// The number in `text`, in `unit` (a unit of `dimension`, e.g. "GB/s", "us", "GB"); finite, any
// sign.
double parse_scaled(std::string_view text, Dimension dimension, std::string_view unit);

// A decimal number without a unit; finite, any sign.
double parse_number(std::string_view text);

// A decimal integer without a unit; any sign.
std::int64_t parse_integer(std::string_view text);

// A message size in bytes, as nccl-tests writes it: "8", "64K", "16G" (K M G T are powers of 1024,
// as there), or with an explicit unit: "64KiB" (1024), "64KB" (1000). At least one byte and whole.
std::int64_t parse_size(std::string_view text);

// The shortest such text with nccl-tests letters that parses back to `bytes`: 16G, 64K, 1000.
std::string format_size(std::int64_t bytes);

}  // namespace fabricast
