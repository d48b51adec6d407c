// A file of a stranger is opened in a child process first.
//
// libhdf5 1.10.8 crashes on some files whose checksums are all right but whose structure is not
// (docs/trace-format.md says how often). fork() copies the whole process, so the child does exactly
// what the parent would do next: what it survives, the parent survives. Not thread safe: call it
// while no other thread runs but the one that watches for signals (base/stop.hpp). Costs one more reading of the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

namespace fabricast {

// Runs `read` in a forked child. Exceptions in it are not errors here: the parent meets them
// itself. Throws IoError when the child is killed by a signal or takes more processor time than
// reading `bytes` of traces needs; RuntimeError when no child can be had.
void require_survivable(const std::filesystem::path& path, std::uintmax_t bytes,
                        const std::function<void()>& read);

}  // namespace fabricast
