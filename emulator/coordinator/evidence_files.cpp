#include "emulator/coordinator/evidence_files.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/coordinator/machine_identity.hpp"
#include "emulator/coordinator/sample_tables.hpp"
#include "emulator/trace/trace_file.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view machine_prefix = "/machine/";

// Folders of unfinished runs (NAME.h5.d) are read_trace's own matter.
bool is_campaign(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored) && !path.ends_with(".h5.d");
}

std::vector<std::string> traces_in(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder, failure)) {
    if (entry.path().extension() == ".h5") files.push_back(entry.path().string());
  }
  if (failure) {
    throw IoError(fmt::format("cannot read the folder {} ({})", folder, failure.message()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

void add_machines(const TraceContent& content, const std::string& file, Evidence& evidence) {
  for (const auto& [path, text] : content.documents) {
    if (!path.starts_with(machine_prefix)) continue;
    const std::string name = path.substr(machine_prefix.size());
    const auto [known, added] = evidence.machines.try_emplace(name, text);
    if (added || known->second == text) continue;
    const std::string difference =
        machine_difference(*parse_machine(known->second, name), *parse_machine(text, name));
    if (difference.empty()) continue;
    throw UsageError(
        fmt::format("{} has another machine named {} than the files before it ({}): calibrate "
                    "them apart",
                    file, name, difference));
  }
}

// The same log imported into two traces is no second measurement.
void expect_new(const SampleSet& samples, const std::string& file, const Evidence& evidence) {
  std::map<std::string, std::string> before;  // digest -> log
  for (const SampleSource& source : evidence.samples.sources) before[source.sha256] = source.file;
  for (const SampleSource& source : samples.sources) {
    const auto same = before.find(source.sha256);
    if (same == before.end()) continue;
    throw UsageError(
        fmt::format("{} has samples of the log {} (SHA-256 {}), as a file before it; "
                    "give every log once",
                    file, same->second, source.sha256));
  }
}

void add_file(const std::string& file, bool of_folder, Evidence& evidence) {
  const auto content = read_trace(file);
  if (of_folder && content.find("/samples") == nullptr) return;
  const auto samples = read_sample_tables(content);
  // A profile's trace holds the samples it was fitted to: in a campaign they are there already.
  if (of_folder && content.find("/profile") != nullptr) return;
  add_machines(content, file, evidence);
  expect_new(samples, file, evidence);
  append(evidence.samples, samples);
  const auto backend = content.attributes.find("backend");
  const std::string name = backend == content.attributes.end() ? "unknown" : backend->second;
  if (evidence.backend.find(name) == std::string::npos) {
    evidence.backend += (evidence.backend.empty() ? "" : "+") + name;
  }
  evidence.files.push_back(file);
}

}  // namespace

Evidence read_evidence(const std::vector<std::string>& paths) {
  Evidence evidence;
  for (const std::string& path : paths) {
    if (!is_campaign(path)) {
      add_file(path, false, evidence);
      continue;
    }
    const std::size_t before = evidence.files.size();
    for (const std::string& file : traces_in(path)) add_file(file, true, evidence);
    if (evidence.files.size() == before) {
      throw UsageError(fmt::format(
          "the folder {} holds no trace with samples (NAME.h5 files of suites or measure)", path));
    }
  }
  return evidence;
}

std::shared_ptr<const Topology> machine_of(const Evidence& evidence, const std::string& name) {
  const auto found = evidence.machines.find(name);
  if (found != evidence.machines.end()) return parse_machine(found->second, name);
  return load_machine(name);
}

}  // namespace fabricast
