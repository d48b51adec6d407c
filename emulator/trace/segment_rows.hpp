// What makes a trace file a segment: the table /segment_rows, the attributes `segment_of` and
// `segment_frames`, and its entry in the manifest.
//
// /segment_rows has one row per row of a keyed table: `table` (its path) and `position` (where the
// row belongs in the finished trace), in the order of the rows. Pure but for the file's digest.
#pragma once

#include <filesystem>
#include <string>

#include "emulator/trace/segment_folder.hpp"

namespace fabricast {

// The content of the file that stores `piece`, and back. piece_from throws CheckError naming
// `where` when the content is no segment.
TraceContent segment_content(const RowPiece& piece, const Manifest& manifest);
RowPiece piece_from(TraceContent content, const std::string& where);

// Fills bytes and sha256 of the entry from its file.
void describe_segment_file(const std::filesystem::path& folder, SegmentEntry& entry);

}  // namespace fabricast
