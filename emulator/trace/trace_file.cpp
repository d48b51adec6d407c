#include "emulator/trace/trace_file.hpp"

#include <cstdlib>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/trace/format.hpp"
#include "emulator/trace/hdf5_read.hpp"
#include "emulator/trace/hdf5_write.hpp"
#include "emulator/trace/publish.hpp"

namespace fabricast {
namespace {

// UTC, ISO 8601. SOURCE_DATE_EPOCH (reproducible-builds.org) fixes it for byte-equal files.
std::string now() {
  std::time_t seconds = std::time(nullptr);
  if (const char* fixed = std::getenv("SOURCE_DATE_EPOCH")) {
    char* end = nullptr;
    const long long value = std::strtoll(fixed, &end, 10);
    // The end of the year 9999: later years do not fit the format.
    if (end != fixed && *end == '\0' && value >= 0 && value <= 253'402'300'799) {
      seconds = static_cast<std::time_t>(value);
    }
  }
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds));
}

// Every read of a trace ends here: what is stored must mean what it says.
void require_sound(const std::filesystem::path& path, const TraceContent& content) {
  const auto problems = format::storage_problems(content);
  if (!problems.empty()) {
    throw CheckError(fmt::format("{}: {} (the trace is damaged) write it again", path.string(),
                                 problems.front()));
  }
  const auto stored = content.attributes.find("content_digest");
  const auto complete = content.attributes.find("complete");
  if (complete == content.attributes.end() || complete->second != "yes") {
    throw CheckError(
        fmt::format("{}: not marked complete (its writer was interrupted) write it "
                    "again",
                    path.string()));
  }
  if (stored == content.attributes.end() || stored->second != content_digest(content)) {
    throw CheckError(
        fmt::format("{}: content_digest does not match the content (the trace is "
                    "damaged or was edited) write it again",
                    path.string()));
  }
}

}  // namespace

void check_writable(const std::filesystem::path& path, bool force) { require_target(path, force); }

void write_trace(const std::filesystem::path& path, const TraceContent& content,
                 const WriteOptions& options) {
  require_target(path, options.force);  // before any work
  const auto problems = format::storage_problems(content);
  if (!problems.empty()) {
    throw CheckError(fmt::format(
        "cannot store the trace {} ({}{}) nothing was written", path.string(), problems.front(),
        problems.size() > 1 ? fmt::format(", and {} more problems", problems.size() - 1) : ""));
  }
  const hdf5::Image image = hdf5::build_image(content, now(), options.gzip_level);
  const std::string digest = content_digest(content);
  publish_file(
      path, {image.bytes.get(), image.size}, options.force,
      [&](const std::filesystem::path& partial) {
        const TraceContent back = hdf5::read_raw(partial, Author::this_process).content;
        require_sound(partial, back);
        if (content_digest(back) != digest || back.tables.size() != content.tables.size()) {
          throw IoError(
              fmt::format("cannot write {} (what was read back differs) check "
                          "the disk",
                          path.string()));
        }
      });
}

TraceContent read_trace(const std::filesystem::path& path, Author author) {
  TraceContent content = hdf5::read_raw(path, author).content;
  require_sound(path, content);
  return content;
}

}  // namespace fabricast
