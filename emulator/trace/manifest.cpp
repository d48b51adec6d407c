#include "emulator/trace/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "emulator/base/error.hpp"
#include "emulator/trace/input_file.hpp"
#include "emulator/trace/publish.hpp"
#include "emulator/trace/seal.hpp"

namespace fabricast {
namespace {

constexpr const char* format_name = "fabricast-segments-1";

}  // namespace

bool is_segment_name(const std::string& name) {
  return name.size() == segment_name_length && name.ends_with(".h5") &&
         std::all_of(name.begin(), name.begin() + 6, [](char c) { return c >= '0' && c <= '9'; });
}

bool claims_to_be_manifest(const std::filesystem::path& folder) {
  return read_whole_file(folder / manifest_name).find(format_name) != std::string::npos;
}

std::string to_text(const Manifest& manifest) {
  nlohmann::json segments = nlohmann::json::array();
  for (const SegmentEntry& entry : manifest.segments) {
    segments.push_back({{"file", entry.file},
                        {"bytes", entry.bytes},
                        {"sha256", entry.sha256},
                        {"rows", entry.rows}});
  }
  const nlohmann::json json = {{"format", format_name},
                               {"trace", manifest.trace},
                               {"config", manifest.config},
                               {"attributes", manifest.attributes},
                               {"spent_s", manifest.spent_seconds},
                               {"segments", std::move(segments)}};
  // Command lines may hold bytes that are no text; they are replaced.
  const std::string body = json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return body + seal_of(std::as_bytes(std::span(body)));
}

Manifest manifest_from_text(const std::string& text, const std::filesystem::path& path) {
  const auto damaged = [&](const std::string& what) {
    return CheckError(fmt::format("{}: {} (damaged or edited) start the run over with --force",
                                  path.string(), what));
  };
  if (text.size() < seal_bytes) throw damaged("it is cut off");
  const std::string body = text.substr(0, text.size() - seal_bytes);
  if (text.substr(body.size()) != seal_of(std::as_bytes(std::span(body)))) {
    throw damaged("its seal does not match its text");
  }
  try {
    const auto json = nlohmann::json::parse(body);
    if (json.at("format") != format_name) {
      throw damaged(fmt::format("its format is {}, this program reads {}",
                                json.at("format").dump(), format_name));
    }
    Manifest manifest;
    json.at("trace").get_to(manifest.trace);
    json.at("config").get_to(manifest.config);
    json.at("attributes").get_to(manifest.attributes);
    json.at("spent_s").get_to(manifest.spent_seconds);
    for (const auto& entry : json.at("segments")) {
      SegmentEntry segment;
      entry.at("file").get_to(segment.file);
      entry.at("bytes").get_to(segment.bytes);
      entry.at("sha256").get_to(segment.sha256);
      entry.at("rows").get_to(segment.rows);
      if (!is_segment_name(segment.file)) throw damaged("it names " + segment.file);
      manifest.segments.push_back(std::move(segment));
    }
    return manifest;
  } catch (const nlohmann::json::exception& error) {
    throw damaged(error.what());
  }
}

void write_manifest(const std::filesystem::path& folder, const Manifest& manifest) {
  const std::string text = to_text(manifest);
  publish_file(folder / manifest_name, std::as_bytes(std::span(text)), true,
               [](const std::filesystem::path&) {});
}

Manifest read_manifest(const std::filesystem::path& folder) {
  const auto path = folder / manifest_name;
  return manifest_from_text(read_whole_file(path), path);
}

}  // namespace fabricast
