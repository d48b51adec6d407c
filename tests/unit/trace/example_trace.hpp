// A small, complete and valid trace made by hand, for the tests of trace and report.
#pragma once

#include <filesystem>
#include <string>

#include "emulator/trace/table.hpp"

namespace fabricast {

// Two machines, two collectives, two algorithms, 1 KiB .. 1 GiB, plus measured host rows.
TraceContent example_trace();

// A fresh directory, removed with everything in it.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }
  std::size_t entries() const;

 private:
  std::filesystem::path path_;
};

std::string file_bytes(const std::filesystem::path& path);
void put_file(const std::filesystem::path& path, const std::string& bytes);

}  // namespace fabricast
