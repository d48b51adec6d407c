// The manifest of a segment folder as text: JSON and a seal line, written atomically.
//
// Pure but for the two functions that read and write the file. Throws IoError and CheckError.
#pragma once

#include <filesystem>

#include "emulator/trace/segment_folder.hpp"

namespace fabricast {

inline constexpr const char* manifest_name = "manifest.json";

std::string to_text(const Manifest& manifest);
Manifest manifest_from_text(const std::string& text, const std::filesystem::path& path);

void write_manifest(const std::filesystem::path& folder, const Manifest& manifest);
Manifest read_manifest(const std::filesystem::path& folder);

}  // namespace fabricast
