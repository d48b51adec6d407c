#include "emulator/trace/input_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <vector>

#include "emulator/base/interrupted_call.hpp"
#include "emulator/trace/partial_file.hpp"

namespace fabricast {

InputFile::InputFile(const std::filesystem::path& path) : path_(path) {
  fd_ = while_interrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  if (fd_ < 0) throw_io_error("read", path_, errno);
}

InputFile::~InputFile() { ::close(fd_); }

std::size_t InputFile::read(std::span<char> block) {
  std::size_t filled = 0;
  while (filled < block.size()) {
    const ssize_t count = while_interrupted(
        [&] { return ::read(fd_, block.data() + filled, block.size() - filled); });
    if (count < 0) throw_io_error("read", path_, errno);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  return filled;
}

std::string read_whole_file(const std::filesystem::path& path) {
  InputFile file(path);
  std::error_code unknown;
  const std::uintmax_t bytes = std::filesystem::file_size(path, unknown);
  std::vector<char> block(1u << 18);
  std::string text;
  if (!unknown) text.reserve(static_cast<std::size_t>(bytes));
  for (std::size_t count = 0; (count = file.read(block)) > 0;) text.append(block.data(), count);
  return text;
}

}  // namespace fabricast
