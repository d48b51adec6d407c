// Names and limits of trace format 1 that writer, reader and validator share.
// The normative text is docs/trace-format.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/trace/table.hpp"

namespace fabricast::format {

inline constexpr const char* schema = "fabricast-trace";
inline constexpr const char* schema_version = "1.0.0";
inline constexpr const char* row_scale = "row";     // the dimension scale of every table
inline constexpr const char* summary = "/summary";  // derived compound table for pandas
inline constexpr const char* kind = "kind";         // attribute: "table" or "document"

inline constexpr std::size_t chunk_rows = 65'536;
// Wide texts get fewer rows per chunk, so that a reader's chunk buffer stays small.
inline constexpr std::size_t chunk_bytes = 16u << 20;
std::size_t rows_per_chunk(std::size_t rows, std::size_t element_bytes);

// Fill values no column may hold: an unwritten chunk must not look like data. Reals fill with NaN,
// int64 with int64_fill; text has no fill value.
inline constexpr std::uint8_t code_fill = 255;

// Links of a group and attributes of an object that stay in its header.
inline constexpr unsigned compact_entries = 1024;
// A message of an object header ends at 64 KiB; longer attributes are cut and end in "...".
inline constexpr std::size_t max_attribute_bytes = 60'000;
std::string stored_attribute(std::string_view text);

// What a reader is ready to allocate for a file of a stranger.
inline constexpr std::uint64_t max_rows = 1u << 28;
inline constexpr std::uint64_t max_column_bytes = 1u << 30;
inline constexpr std::size_t max_columns = 512;
// Deflate cannot expand by more (zlib's documentation, "Maximum Compression Factor": 1032:1).
inline constexpr std::uint64_t max_deflate_ratio = 1032;

// Root attributes that write_trace adds itself and ignores in TraceContent::attributes.
const std::set<std::string, std::less<>>& writer_attributes();

// "snake_case", starting with a letter.
bool valid_name(std::string_view name);
// "/results", "/machine/gb300-nvl72": letters, digits, '_', '-', '.', at most 8 levels.
bool valid_path(std::string_view path);
// Valid UTF-8 without NUL (fixed-length strings end there).
bool valid_text(std::string_view text);
// Every byte that makes a text invalid becomes U+FFFD.
std::string made_valid(std::string_view text);

// Problems that keep content from being stored faithfully; empty means storable. The same rules
// hold for what a reader finds. Each entry is "WHERE: what".
std::vector<std::string> storage_problems(const TraceContent& content);

}  // namespace fabricast::format
