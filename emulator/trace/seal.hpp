// The seal: SHA-256 of all other bytes of a trace file, as one line of text at its very end.
//
//   fabricast-seal-1 sha256:<64 hex digits>\n
//
// HDF5 ignores what follows its own end of file, so every reader still opens the trace. HDF5's
// checksums do not cover everything (heaps, references), and libhdf5 1.10 can crash on a damaged
// index; with the seal checked first, accidental damage never reaches it. A seal says "unchanged",
// not "authentic": who edits a file can seal it again.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace fabricast {

inline constexpr std::string_view seal_prefix = "fabricast-seal-1 sha256:";
inline constexpr std::size_t seal_bytes = seal_prefix.size() + 64 + 1;

std::string seal_of(std::span<const std::byte> bytes);

// All bytes of the file at `path`: throws CheckError when it has no seal or another one.
void require_seal(std::span<const char> bytes, const std::filesystem::path& path);

}  // namespace fabricast
