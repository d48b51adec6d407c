// A file read from its beginning in blocks, every call checked: what std::ifstream does not say
// (why it cannot be opened, that reading failed) is an IoError naming path and cause. One thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

namespace fabricast {

class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  // Fills the block but for the end of the file. Returns the bytes read.
  std::size_t read(std::span<char> block);

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

std::string read_whole_file(const std::filesystem::path& path);

}  // namespace fabricast
