// Atomic publication of a finished file: all or nothing under its final name.
//
// NAME.PID.partial in the same directory (exclusive, never through a link) -> write -> fsync ->
// caller's verification -> rename -> fsync of the directory. Without `force` the rename refuses to
// replace anything, also a file that appeared meanwhile. The partial file goes away on every path.
// Partial files of the same name whose writers were killed go first (partial_file.hpp).
// SIGXFSZ (file size limit) becomes the error "File too large". Throws IoError naming the path.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>

namespace fabricast {

// Throws IoError unless `path` may be written: see check_writable in trace_file.hpp.
void require_target(const std::filesystem::path& path, bool force);

// `verify` gets the partial file's path after it is on disk; an exception from it stops the
// publication.
void publish_file(const std::filesystem::path& path, std::span<const std::byte> bytes, bool force,
                  const std::function<void(const std::filesystem::path&)>& verify);

// Makes the name `path` itself, new or renamed, survive a power loss. Throws IoError when it may not.
void sync_directory_of(const std::filesystem::path& path);

}  // namespace fabricast
