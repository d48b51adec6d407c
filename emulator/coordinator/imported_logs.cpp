#include "emulator/coordinator/imported_logs.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/version.hpp"
#include "emulator/profile/nccl_tests_json.hpp"
#include "emulator/profile/nccl_tests_log.hpp"
#include "emulator/trace/sha256.hpp"
#include "topologies/builders/built_topology.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

// Words of letters and digits, lower case: "NVIDIA H100 80GB HBM3" -> nvidia h100 80gb hbm3.
std::vector<std::string> words_of_model(std::string_view name) {
  std::vector<std::string> words(1);
  for (const char c : name) {
    const auto letter = static_cast<unsigned char>(c);
    if (std::isalnum(letter) != 0) {
      words.back() += static_cast<char>(std::tolower(letter));
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

// Whether `word` is one of these, or some that follow each other: rtx4090 is "RTX 4090".
bool holds(const std::vector<std::string>& words, const std::string& word) {
  for (std::size_t first = 0; first < words.size(); ++first) {
    std::string joined;
    for (std::size_t i = first; i < words.size() && joined.size() < word.size(); ++i) {
      joined += words[i];
      if (joined == word) return true;
    }
  }
  return false;
}

// A model's number is the word with a digit in it ("h100", "4090").
bool same_model(std::string_view machine, std::string_view device) {
  const auto known = words_of_model(device);
  for (const std::string& word : words_of_model(machine)) {
    const bool number = std::any_of(word.begin(), word.end(), [](char c) {
      return std::isdigit(static_cast<unsigned char>(c)) != 0;
    });
    const bool in_superchip = word == "b200" || word == "b300";  // GB200 holds a B200
    if (number) return holds(known, word) || (in_superchip && holds(known, "g" + word));
  }
  return true;  // a model without a number: nothing to compare
}

// Boards of a model that lie in slots, and modules for boxes with NVLink: "H100 PCIe" and "H100
// NVL" are not "H100 80GB HBM3", which is the driver's name of the SXM5 module.
bool is_card(const std::vector<std::string>& words) {
  return holds(words, "pcie") || holds(words, "nvl");
}

bool is_module(const std::vector<std::string>& words) {
  return !is_card(words) && std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return word.starts_with("sxm") || word == "hbm3" || word == "hbm3e";
  });
}

// How the machine's GPUs are joined, where GPUs like `device` are not, unless its file says so.
std::string other_joint(const Topology& machine, std::string_view device) {
  const auto classes = machine.link_classes();
  if (classes.empty()) return {};
  const auto known = words_of_model(device), own = words_of_model(machine.gpu().name);
  const LinkKind kind = classes.front().kind;
  if (kind == LinkKind::nvlink && is_card(known) && !is_card(own)) return "NVLink";
  if (kind == LinkKind::pcie && is_module(known) && !is_module(own)) return "PCIe";
  return {};
}

std::string hosts_problem(const NcclTestsShape& shape, const Topology& machine) {
  if (shape.hosts == 0) return {};
  if (shape.per_host == 0) return "its hosts do not have equally many ranks";
  const auto* built = dynamic_cast<const BuiltTopology*>(&machine);
  // Of nodes of several sizes, that of the first.
  const std::int32_t domain = machine.space().domain_size() *
                              (built == nullptr ? 1 : built->spec().domain.domains_per_node);
  const std::int32_t tray = built == nullptr ? 0 : built->spec().domain.members_per_tray;
  const std::int32_t node = tray > 0 ? tray : domain;
  // Trays of one domain are alike to each other, however many of their GPUs take part.
  const bool one_domain = shape.hosts == 1 || (tray > 0 && shape.ranks <= domain);
  const bool fits = one_domain ? shape.per_host <= node : shape.per_host == node;
  if (fits) return {};
  return fmt::format("it has {} ranks on each of {} hosts, a {} of {} has {} GPUs", shape.per_host,
                     shape.hosts, tray > 0 ? "tray" : "node", machine.name(), node);
}

ImportedRun read_run(const NcclTestsRun& run, const std::string& file, const ImportRules& rules,
                     const std::shared_ptr<const Topology>& machine) {
  ImportedRun made;
  made.shape = shape_of(run, file, rules);
  if (made.shape.refusal.empty() && machine != nullptr) {
    made.shape.refusal = machine_problem(made.shape, machine);
  }
  made.file = file;
  made.description = describe(run);
  made.line = run.line;
  made.rows = static_cast<int>(run.rows.size());
  for (const NcclTestsRow& row : run.rows) {
    made.min_bytes = made.min_bytes == 0 ? row.bytes : std::min(made.min_bytes, row.bytes);
    made.max_bytes = std::max(made.max_bytes, row.bytes);
  }
  return made;
}

// What a reader of the trace asks first; /sample_sources has the rest.
void describe_environment(ImportedLogs& made) {
  auto& environment = made.samples.environment;
  environment["software"] = std::string("fabricast ") + std::string(version());
  environment["imported"] = "nccl-tests output, not measured by this program";
  for (std::size_t i = 0; i < made.files.size(); ++i) {
    const ImportedFile& file = made.files[i];
    environment[fmt::format("imported_file_{}", i + 1)] =
        fmt::format("{} sha256 {}", file.file, file.sha256);
  }
  for (std::size_t i = 0; i < made.runs.size(); ++i) {
    const ImportedRun& run = made.runs[i];
    if (run.count.accepted == 0) continue;
    environment[fmt::format("imported_run_{}", i + 1)] =
        fmt::format("{}:{} {} of {} ranks on {} hosts, {}; {}", run.file, run.line,
                    to_string(*run.shape.collective), run.shape.ranks, run.shape.hosts,
                    run.shape.device, run.description);
  }
}

}  // namespace

std::string machine_problem(const NcclTestsShape& shape,
                            const std::shared_ptr<const Topology>& machine) {
  if (!shape.device.empty() && !same_model(machine->gpu().name, shape.device)) {
    // Not every driver has the name of a new GPU (amdgpu.ids of libdrm; NVML before a product's).
    const bool unnamed =
        shape.device == "AMD Radeon Graphics" || shape.device == "NVIDIA Graphics Device";
    return fmt::format("it ran on {}{}, {} has {}", shape.device,
                       unnamed ? " (so the driver calls GPUs that it has no name for: write the "
                                 "GPU's own in its place)"
                               : "",
                       machine->name(), machine->gpu().name);
  }
  if (const std::string joint = other_joint(*machine, shape.device); !joint.empty()) {
    return fmt::format("it ran on {}, the GPUs of {} are joined by {}", shape.device,
                       machine->name(), joint);
  }
  if (auto problem = hosts_problem(shape, *machine); !problem.empty()) return problem;
  try {
    with_ranks(machine, shape.ranks);
  } catch (const UsageError& error) {
    return error.what();
  }
  return {};
}

namespace {

// The same text again is no second measurement: counted twice it would halve the noise.
void expect_new(const std::vector<ImportedFile>& before, const ImportedFile& file) {
  const auto same = std::find_if(before.begin(), before.end(), [&](const ImportedFile& one) {
    return one.sha256 == file.sha256;
  });
  if (same == before.end()) return;
  throw UsageError(
      fmt::format("{} is the same log as {} (equal SHA-256 {}), no second measurement; "
                  "give it once",
                  file.file, same->file, file.sha256));
}

}  // namespace

ImportedLogs import_logs(const std::vector<LogText>& texts,
                         const std::shared_ptr<const Topology>& machine, const ImportRules& rules) {
  ImportedLogs made;
  for (const LogText& log : texts) {
    const NcclTestsOutput output = looks_like_json(log.text)
                                       ? read_nccl_tests_json(log.text, log.file)
                                       : read_nccl_tests_log(log.text, log.file);
    Sha256 digest;
    digest.update(log.text);
    ImportedFile file{std::filesystem::path(log.file).filename().string(),
                      digest.finish(),
                      output.lines,
                      output.library_lines,
                      output.unknown_lines,
                      output.cut,
                      output.refused};
    expect_new(made.files, file);
    for (const NcclTestsRun& run : output.runs) {
      ImportedRun imported = read_run(run, file.file, rules, machine);
      if (imported.shape.refusal.empty()) {
        const SampleOrigin origin{machine == nullptr ? "" : machine->name(), file.file,
                                  file.sha256};
        imported.count =
            add_samples(run, imported.shape, rules, origin, made.samples, file.refused);
      } else {
        file.refused.push_back({run.line, "the run that begins here: " + imported.shape.refusal});
      }
      made.runs.push_back(std::move(imported));
    }
    std::stable_sort(file.refused.begin(), file.refused.end(),
                     [](const auto& a, const auto& b) { return a.line < b.line; });
    made.files.push_back(std::move(file));
  }
  describe_environment(made);
  return made;
}

}  // namespace fabricast
