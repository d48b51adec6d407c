#include "emulator/schedule/import/algorithm_file.hpp"

#include <algorithm>

#include "emulator/schedule/import/msccl_xml.hpp"
#include "emulator/schedule/import/mscclpp_json.hpp"
#include "emulator/schedule/plan.hpp"

namespace fabricast {
namespace {

bool is_ours(const std::string& name) {
  const auto names = algorithm_names();
  return name == "nccl" || std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

ImportedSchedule read_algorithm_file(std::string_view text, const std::string& path) {
  return std::string_view(path).ends_with(".json") ? read_mscclpp_json(text, path)
                                                   : read_msccl_xml(text, path);
}

void label_files(std::vector<AlgorithmFile>& files) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string& name = files[i].schedule().algorithm;
    files[i].label = is_ours(name) ? "file:" + name : name;
    const auto taken = [&files, i](const std::string& label) {
      return std::any_of(files.begin(), files.begin() + static_cast<std::ptrdiff_t>(i),
                         [&label](const AlgorithmFile& earlier) { return earlier.label == label; });
    };
    const std::string wanted = files[i].label;
    for (int n = 2; taken(files[i].label); ++n) files[i].label = wanted + "#" + std::to_string(n);
  }
}

}  // namespace fabricast
