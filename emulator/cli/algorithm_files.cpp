#include "emulator/cli/algorithm_files.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/base/text_file.hpp"
#include "emulator/cli/name_lists.hpp"
#include "emulator/coordinator/agreement.hpp"
#include "emulator/runtime/rank_buffers.hpp"
#include "emulator/schedule/plan.hpp"
#include "emulator/schedule/verify/verify.hpp"
#include "emulator/trace/sha256.hpp"

namespace fabricast {

AlgorithmList algorithm_list(const char* option, const std::string& text) {
  AlgorithmList list;
  if (text == "all") return list;
  for (const auto& name : names_option(option, text)) {
    (is_schedule_file(name) ? list.paths : list.names).push_back(name);
  }
  return list;
}

bool is_schedule_file(const std::string& what) {
  return what.ends_with(".xml") || what.ends_with(".json") || what.find('/') != std::string::npos;
}

AlgorithmFiles load_algorithm_files(const Communicator& communicator,
                                    const std::vector<std::string>& paths) {
  std::vector<AlgorithmFile> files;
  for (const auto& path : paths) {
    // What rank 0 could read, the others can.
    const std::string text = agree(communicator, [&path] {
      std::string content = read_text_file(path, most_schedule_file_bytes);
      read_algorithm_file(content, path);
      return content;
    });
    AlgorithmFile file;
    file.path = path;
    file.digest = sha256_hex(text);
    file.imported = read_algorithm_file(text, path);
    files.push_back(std::move(file));
  }
  label_files(files);
  AlgorithmFiles shared;
  for (auto& file : files) {
    shared.push_back(std::make_shared<const AlgorithmFile>(std::move(file)));
  }
  return shared;
}

void prove(const AlgorithmFile& file, bool in_place) {
  VerifyOptions options;
  options.in_place = in_place;
  const VerifyReport report = verify(plan_of(file.imported.schedule, 0, 4, {}), options);
  if (report.ok()) return;
  throw CheckError(fmt::format("{} does not compute {}{} ({}: {}): see fabricast verify {}",
                               file.path, to_string(file.collective()), in_place ? " in place" : "",
                               to_string(report.findings.front().kind),
                               report.findings.front().text, file.path));
}

std::vector<Collective> collectives_option(const AlgorithmFiles& files, const char* option,
                                           const std::string& text, bool given) {
  std::vector<Collective> collectives;
  const auto has = [&collectives](Collective collective) {
    return std::find(collectives.begin(), collectives.end(), collective) != collectives.end();
  };
  if (given || files.empty()) collectives = collectives_from_list(text);
  for (const auto& file : files) {
    if (has(file->collective())) continue;
    if (given) {
      throw UsageError(fmt::format("{} {}: {} does {}: leave {} out, or add {} to it", option, text,
                                   file->path, to_string(file->collective()), option,
                                   to_string(file->collective())));
    }
    collectives.push_back(file->collective());
  }
  return collectives;
}

void expect_ranks(const AlgorithmFiles& files, const char* option, std::int32_t ranks) {
  for (const auto& file : files) {
    if (ranks == 0 || file->ranks() == ranks) continue;
    throw UsageError(fmt::format("{} {}: {} is for {} ranks: leave {} out", option, ranks,
                                 file->path, file->ranks(), option));
  }
}

void expect_channels(const AlgorithmFiles& files, const char* option, std::int32_t channels) {
  for (const auto& file : files) {
    if (channels == 0 || file->imported.channels == channels) continue;
    throw UsageError(fmt::format("{} {}: {} has {} channels of its own: leave {} out", option,
                                 channels, file->path, file->imported.channels, option));
  }
}

void expect_in_place(const AlgorithmFiles& files, const char* option) {
  for (const auto& file : files) {
    if (!can_be_in_place(file->collective())) {
      throw UsageError(fmt::format("{}: {} does {}, which cannot be done in place: leave {} out",
                                   option, file->path, to_string(file->collective()), option));
    }
    if (file->imported.in_place) continue;
    throw UsageError(fmt::format("{}: {} says that it is out of place only: leave {} out", option,
                                 file->path, option));
  }
}

std::string reduction_option(const AlgorithmFiles& files, const char* option, std::string op,
                             bool given, bool alone) {
  for (const auto& file : files) {
    const std::string& own = file->imported.reduction;
    if (own.empty() || own == op || !reduces(file->collective())) continue;
    if (given || !alone) {
      throw UsageError(fmt::format("{} {}: {} reduces with {}: give {} {}", option, op, file->path,
                                   own, option, own));
    }
    op = own;
    given = true;  // the next file must agree
  }
  return op;
}

}  // namespace fabricast
