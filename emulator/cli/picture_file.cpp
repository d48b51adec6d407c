#include "emulator/cli/picture_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <span>
#include <string_view>

#include "emulator/base/error.hpp"
#include "emulator/trace/publish.hpp"

namespace fabricast {
namespace {

std::string extension_of(const std::string& path) {
  std::string extension = std::filesystem::path(path).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

}  // namespace

void check_picture_name(const std::string& path) {
  constexpr std::array<std::string_view, 8> others{".png", ".jpg",  ".jpeg", ".gif",
                                                   ".pdf", ".webp", ".eps",  ".ps"};
  const std::string extension = extension_of(path);
  if (std::find(others.begin(), others.end(), extension) == others.end()) return;
  throw UsageError(
      fmt::format("{}: pictures are SVG or HTML (no {} is drawn) name it .svg, and rsvg-convert "
                  "makes others of it",
                  path, extension));
}

void publish_picture(const std::string& path, const std::string& svg, bool force) {
  check_picture_name(path);
  std::string text = svg;
  if (const auto extension = extension_of(path); extension == ".html" || extension == ".htm") {
    text = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta "
        "charset=\"utf-8\"><title>{}</title></head>\n"
        "<body style=\"margin:0\">\n{}\n</body>\n</html>\n",
        "fabricast", svg.substr(std::min(svg.find("<svg"), svg.size())));
  }
  publish_file(path, std::as_bytes(std::span(text)), force, [](const std::filesystem::path&) {});
}

}  // namespace fabricast
