#include <array>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/trace/format.hpp"
#include "emulator/trace/hdf5_read.hpp"
#include "emulator/trace/laws.hpp"
#include "emulator/trace/schema.hpp"
#include "emulator/trace/sha256.hpp"
#include "emulator/trace/summary.hpp"
#include "emulator/trace/trace_file.hpp"

namespace fabricast {
namespace {

using Problems = std::vector<TraceProblem>;

void append(Problems& all, Problems more) {
  for (TraceProblem& problem : more) all.push_back(std::move(problem));
}

void check_attributes(const TraceContent& content, Problems& found) {
  constexpr std::array<const char*, 10> required{
      "schema", "schema_version", "created",  "software",       "software_versions",
      "seed",   "backend",        "complete", "content_digest", "command_line"};
  for (const char* name : required) {
    const auto attribute = content.attributes.find(name);
    if (attribute == content.attributes.end() || attribute->second.empty()) {
      found.push_back({"/", fmt::format("root attribute `{}` is missing or empty", name)});
    }
  }
  const auto value = [&](const char* name) {
    const auto attribute = content.attributes.find(name);
    return attribute == content.attributes.end() ? std::string() : attribute->second;
  };
  if (value("complete") != "yes") found.push_back({"/", "`complete` is not \"yes\""});
  if (value("content_digest") != content_digest(content)) {
    found.push_back({"/", "`content_digest` does not match the content"});
  }
  const auto config = content.documents.find("/config");
  if (config != content.documents.end() && value("config_digest") != sha256_hex(config->second)) {
    found.push_back({"/config", "`config_digest` does not match the document"});
  }
}

void check_summary(const hdf5::RawTrace& trace, Problems& found) {
  const Table* results = trace.content.find("/results");
  if (results == nullptr && !trace.has_summary) return;
  if (results == nullptr || !trace.has_summary) {
    found.push_back({format::summary, "must be there exactly when /results is"});
    return;
  }
  const hdf5::Summary wanted = hdf5::build_summary(*results);
  if (wanted.row_bytes != trace.summary_row_bytes || wanted.data != trace.summary) {
    found.push_back({format::summary, "does not say what /results says"});
  }
}

}  // namespace

std::vector<TraceProblem> check_trace(const std::filesystem::path& path) {
  hdf5::RawTrace trace;
  try {
    trace = hdf5::read_raw(path);
  } catch (const CheckError& error) {  // a trace, but damaged: a finding, not a failure
    std::string what = error.what();
    const std::string prefix = path.string() + ": ";
    if (what.starts_with(prefix)) what.erase(0, prefix.size());
    return {{path.string(), what}};
  }
  Problems found = std::move(trace.problems);
  for (const std::string& problem : format::storage_problems(trace.content)) {
    const std::size_t colon = problem.find(": ");
    found.push_back({problem.substr(0, colon), problem.substr(colon + 2)});
  }
  if (!found.empty()) return found;  // the rest would stumble over the same things
  check_attributes(trace.content, found);
  check_summary(trace, found);
  append(found, schema_problems(trace.content));
  append(found, law_problems(trace.content));
  return found;
}

}  // namespace fabricast
