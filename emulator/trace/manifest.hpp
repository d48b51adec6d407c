// The manifest of a segment folder as text: JSON and a seal line, written atomically.
//
// Pure but for the two functions that read and write the file. Throws IoError and CheckError.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "emulator/trace/segment_folder.hpp"

namespace fabricast {

inline constexpr const char* manifest_name = "manifest.json";
inline constexpr std::size_t segment_name_length = 9;

// A file of the folder itself: six digits and ".h5".
bool is_segment_name(const std::string& name);
// Does the folder's manifest name our format, be it whole or damaged?
bool claims_to_be_manifest(const std::filesystem::path& folder);

std::string to_text(const Manifest& manifest);
Manifest manifest_from_text(const std::string& text, const std::filesystem::path& path);

void write_manifest(const std::filesystem::path& folder, const Manifest& manifest);
Manifest read_manifest(const std::filesystem::path& folder);

}  // namespace fabricast
