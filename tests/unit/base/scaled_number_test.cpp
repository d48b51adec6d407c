#include "emulator/base/scaled_number.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "emulator/base/counter_rng.hpp"
#include "emulator/base/error.hpp"
#include "tests/support/refusal.hpp"

namespace fabricast {
namespace {

TEST(ScaledNumber, ConvertsBetweenUnitsOfOneDimensionExactly) {
  EXPECT_EQ(parse_scaled("900 GB/s", Dimension::bandwidth, "GB/s"), 900.0);
  EXPECT_EQ(parse_scaled("400 Gbit/s", Dimension::bandwidth, "GB/s"), 50.0);
  EXPECT_EQ(parse_scaled("0.8 Tbit/s", Dimension::bandwidth, "GB/s"), 100.0);
  EXPECT_EQ(parse_scaled("3.35 TB/s", Dimension::bandwidth, "TB/s"), 3.35);
  EXPECT_EQ(parse_scaled("350 ns", Dimension::duration, "us"), 0.35);
  EXPECT_EQ(parse_scaled("2.8 us", Dimension::duration, "us"), 2.8);
  EXPECT_EQ(parse_scaled("1 ms", Dimension::duration, "us"), 1000.0);
  EXPECT_EQ(parse_scaled("2.5 PFLOPS", Dimension::compute, "TFLOPS"), 2500.0);
  EXPECT_EQ(parse_scaled("1.4kW", Dimension::power, "W"), 1400.0);
  EXPECT_EQ(parse_scaled("-1e2 us", Dimension::duration, "us"), -100.0);
}

TEST(ScaledNumber, DecimalAndBinaryPrefixesDiffer) {
  EXPECT_EQ(parse_scaled("64 MiB", Dimension::bytes, "B"), 67108864.0);
  EXPECT_EQ(parse_scaled("64 MB", Dimension::bytes, "B"), 64000000.0);
  EXPECT_EQ(parse_scaled("1 GiB", Dimension::bytes, "GB"), 1.073741824);
  EXPECT_EQ(parse_scaled("186 GB", Dimension::bytes, "GB"), 186.0);
  EXPECT_EQ(parse_scaled("1 GiB/s", Dimension::bandwidth, "GB/s"), 1.073741824);
}

TEST(ScaledNumber, SaysWhatIsWrongAndWhatToWrite) {
  const auto bandwidth = [](const char* text) {
    return message_of<UsageError>([&] { parse_scaled(text, Dimension::bandwidth, "GB/s"); });
  };
  EXPECT_EQ(bandwidth("900"),
            "\"900\" has no unit (a bare number is ambiguous); write for example \"900 GB/s\"");
  EXPECT_EQ(bandwidth("400 Gb/s"),
            "unknown bandwidth unit \"Gb/s\" (ambiguous: write Gbit/s or GB/s); known: B/s KB/s "
            "MB/s GB/s TB/s KiB/s MiB/s GiB/s TiB/s bit/s kbit/s Mbit/s Gbit/s Tbit/s");
  EXPECT_EQ(message_of<UsageError>([] { parse_scaled("3 US", Dimension::duration, "us"); }),
            "unknown duration unit \"US\" (did you mean \"us\"?); known: ps ns us ms s");
  EXPECT_EQ(bandwidth(".nan"),
            "\".nan\" is not a finite number; write a number such as \"900 GB/s\"");
  EXPECT_EQ(bandwidth("-inf GB/s"),
            "\"-inf GB/s\" is not a finite number; write a number such as \"900 GB/s\"");
  EXPECT_EQ(bandwidth("1e400 GB/s"),
            "\"1e400 GB/s\" is out of the range of a double (about 1e-308 to 1e308)");
  EXPECT_EQ(bandwidth("010 GB/s"),
            "\"010 GB/s\" has a leading zero (some readers take it for octal); write it without");
  EXPECT_EQ(bandwidth("1e308 TB/s"), "\"1e308 TB/s\" is too large for a double in GB/s");
  EXPECT_EQ(bandwidth(""), "a number is missing; write a number such as \"900 GB/s\"");
  EXPECT_EQ(bandwidth("fast"), "\"fast\" is not a number; write a number such as \"900 GB/s\"");
}

TEST(ScaledNumber, IntegersAreStrict) {
  EXPECT_EQ(parse_integer("72"), 72);
  EXPECT_EQ(parse_integer("0"), 0);
  EXPECT_EQ(parse_integer("-9223372036854775808"), INT64_MIN);
  const auto integer = [](const char* text) {
    return message_of<UsageError>([&] { parse_integer(text); });
  };
  EXPECT_EQ(integer("010"),
            "\"010\" has a leading zero (some readers take it for octal); write it without");
  EXPECT_EQ(integer("0x10"),
            "unexpected \"x10\" after the integer 0 (a count has no unit); remove it");
  EXPECT_EQ(integer("1_000"),
            "unexpected \"_000\" after the integer 1 (a count has no unit); remove it");
  EXPECT_EQ(integer("9223372036854775808"),
            "\"9223372036854775808\" is out of the range of a 64-bit integer");
  EXPECT_EQ(integer("1.5"), "\"1.5\" is not a whole number; write digits only");
  EXPECT_EQ(integer("1e3"), "\"1e3\" is not a whole number; write digits only");
  EXPECT_EQ(message_of<UsageError>([] { parse_number("0.5 us"); }),
            "unexpected \"us\" after the number 0.5 (this number has no unit); remove it");
}

TEST(ScaledNumber, SizesUseTheLettersOfNcclTests) {
  EXPECT_EQ(parse_size("8"), 8);
  EXPECT_EQ(parse_size("64K"), 65536);
  EXPECT_EQ(parse_size("128m"), 134217728);
  EXPECT_EQ(parse_size("16G"), 17179869184);
  EXPECT_EQ(parse_size("1.5G"), 1610612736);
  EXPECT_EQ(parse_size("64KiB"), 65536);
  EXPECT_EQ(parse_size("64 KB"), 64000);
  EXPECT_EQ(parse_size("1GB"), 1000000000);
  EXPECT_EQ(parse_size("8192T"), std::int64_t{1} << 53);
}

TEST(ScaledNumber, RejectsSizesThatAreNone) {
  const auto size = [](const char* text) {
    return message_of<UsageError>([&] { parse_size(text); });
  };
  EXPECT_EQ(size("0"), "a size must be at least 1 byte (got \"0\")");
  EXPECT_EQ(size("-8"), "a size must be at least 1 byte (got \"-8\")");
  EXPECT_EQ(size("0.3"), "the size \"0.3\" is not a whole number of bytes");
  EXPECT_EQ(size("8193T"), "the size \"8193T\" is too large (at most 8192T)");
  EXPECT_EQ(size("010"),
            "\"010\" has a leading zero (some readers take it for octal); write it without");
  EXPECT_EQ(size("nan"), "\"nan\" is not a finite number; write a number such as 8, 64K or 16G");
  EXPECT_EQ(
      size("16X"),
      "unknown size unit \"X\" in \"16X\"; known: K M G T (powers of 1024, as in nccl-tests), "
      "KiB MiB GiB TiB (1024), KB MB GB TB PB (1000)");
}

TEST(ScaledNumber, FormattedSizesParseBack) {
  EXPECT_EQ(format_size(17179869184), "16G");
  EXPECT_EQ(format_size(1000), "1000");
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const auto bits = random_bits(7, 0, i);
    const auto bytes = static_cast<std::int64_t>((bits >> 12) >> (bits % 52)) + 1;
    EXPECT_EQ(parse_size(format_size(bytes)), bytes);
  }
}

}  // namespace
}  // namespace fabricast
