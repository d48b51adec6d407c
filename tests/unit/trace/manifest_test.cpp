// Manifests that somebody has edited and sealed again.
#include "emulator/trace/manifest.hpp"

#include <gtest/gtest.h>

#include <span>

#include "emulator/base/error.hpp"
#include "emulator/trace/seal.hpp"

namespace fabricast {
namespace {

std::string refusal(const std::string& body) {
  try {
    manifest_from_text(body + seal_of(std::as_bytes(std::span(body))), "t.h5.d/manifest.json");
  } catch (const CheckError& error) {
    return error.what();
  }
  return "accepted";
}

std::string with(const std::string& bytes, const std::string& rows, const std::string& spent) {
  return R"({"format":"fabricast-segments-1","trace":"t","config":"c","attributes":{},"spent_s":)" +
         spent + R"(,"segments":[{"file":"000000.h5","sha256":"a","bytes":)" + bytes +
         R"(,"rows":{"results":)" + rows + "}}]}\n";
}

TEST(Manifest, NumbersAreWhatTheyCount) {
  EXPECT_EQ(refusal(with("1", "2", "0.5")), "accepted");
  EXPECT_EQ(refusal(with("18446744073709551615", "9223372036854775807", "3")), "accepted");
  for (const char* wrong : {"-1", "1e300", "0.5", "\"1\"", "null", "18446744073709551616"}) {
    EXPECT_NE(refusal(with(wrong, "2", "1")), "accepted") << wrong;
    EXPECT_NE(refusal(with("1", wrong, "1")), "accepted") << wrong;
  }
  EXPECT_NE(refusal(with("1", "9223372036854775808", "1")), "accepted");
  EXPECT_NE(refusal(with("1", "1", "-1")), "accepted");
}

TEST(Manifest, DeepNestingIsRefused) {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  EXPECT_NE(refusal("{\"format\":" + deep + "}").find("nests deeper"), std::string::npos);
  EXPECT_NE(refusal(deep), "accepted");
}

TEST(Manifest, BracketsInTextDoNotNest) {
  std::string body = with("1", "2", "0.5");
  body.replace(body.find("\"c\""), 3, R"("\"[[[[[[[[[[[\\")");
  EXPECT_EQ(refusal(body), "accepted");
}

TEST(Manifest, AMillionObjectsTakeLinearTime) {
  std::string body = "{\"segments\":[{}";
  for (int i = 0; i < 1'000'000; ++i) body += ",{}";
  EXPECT_NE(refusal(body + "]}").find("'format' not found"), std::string::npos);
}

}  // namespace
}  // namespace fabricast
