#include "emulator/trace/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>

#include "emulator/base/error.hpp"
#include "emulator/trace/input_file.hpp"
#include "emulator/trace/publish.hpp"
#include "emulator/trace/seal.hpp"

namespace fabricast {
namespace {

constexpr const char* format_name = "fabricast-segments-1";
constexpr int max_depth = 8;

// How deep brackets stand in each other: JSON that nests deeply, which no manifest does, would end
// in a deep recursion. Before parsing, because a parser callback takes quadratic time.
int depth_of(const std::string& text) {
  int depth = 0, deepest = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') quoted = !quoted;
    if (quoted && c == '\\') ++i;
    if (quoted) continue;
    if (c == '[' || c == '{') deepest = std::max(deepest, ++depth);
    if (c == ']' || c == '}') --depth;
  }
  return deepest;
}

class ManifestReader {
 public:
  explicit ManifestReader(const std::filesystem::path& path) : path_(path) {}

  CheckError damaged(const std::string& what) const {
    return CheckError(fmt::format("{}: {} (damaged or edited) start the run over with --force",
                                  path_.string(), what));
  }

  Manifest read(const std::string& body) const {
    try {
      if (depth_of(body) > max_depth) {
        throw damaged(fmt::format("it nests deeper than {} levels", max_depth));
      }
      return read(nlohmann::json::parse(body));
    } catch (const nlohmann::json::exception& error) {
      throw damaged(error.what());
    }
  }

 private:
  Manifest read(const nlohmann::json& json) const {
    if (const auto& format = json.at("format"); format != format_name) {
      throw damaged(
          fmt::format("its format is {}, this program reads {}", format.dump(), format_name));
    }
    Manifest manifest;
    json.at("trace").get_to(manifest.trace);
    json.at("config").get_to(manifest.config);
    json.at("attributes").get_to(manifest.attributes);
    json.at("spent_s").get_to(manifest.spent_seconds);
    if (json.contains("replaces")) json.at("replaces").get_to(manifest.replaces);
    if (manifest.spent_seconds < 0) throw damaged("it says that the run took less than no time");
    for (const auto& entry : json.at("segments")) {
      SegmentEntry segment;
      entry.at("file").get_to(segment.file);
      segment.bytes = count(entry.at("bytes"), UINT64_MAX);
      entry.at("sha256").get_to(segment.sha256);
      for (const auto& [table, rows] : entry.at("rows").items()) {
        segment.rows[table] = static_cast<std::int64_t>(count(rows, INT64_MAX));
      }
      if (!is_segment_name(segment.file)) throw damaged("it names " + segment.file);
      manifest.segments.push_back(std::move(segment));
    }
    return manifest;
  }

  // nlohmann::json itself converts any number to any type, 1e300 and -1 to a size too.
  std::uint64_t count(const nlohmann::json& number, std::uint64_t most) const {
    if (!number.is_number_unsigned() || number.get<std::uint64_t>() > most) {
      throw damaged(number.dump() + " is no number of bytes or rows");
    }
    return number.get<std::uint64_t>();
  }

  const std::filesystem::path& path_;
};

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
  nlohmann::json json = {{"format", format_name},
                         {"trace", manifest.trace},
                         {"config", manifest.config},
                         {"attributes", manifest.attributes},
                         {"spent_s", manifest.spent_seconds},
                         {"segments", std::move(segments)}};
  if (!manifest.replaces.empty()) json["replaces"] = manifest.replaces;
  // Command lines may hold bytes that are no text; they are replaced.
  const std::string body =
      json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return body + seal_of(std::as_bytes(std::span(body)));
}

Manifest manifest_from_text(const std::string& text, const std::filesystem::path& path) {
  const ManifestReader reader(path);
  if (text.size() < seal_bytes) throw reader.damaged("it is cut off");
  const std::string body = text.substr(0, text.size() - seal_bytes);
  if (text.substr(body.size()) != seal_of(std::as_bytes(std::span(body)))) {
    throw reader.damaged("its seal does not match its text");
  }
  return reader.read(body);
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
