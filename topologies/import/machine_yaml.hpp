// Machine files: YAML to MachineSpec. The format is docs/machines.md; errors as in strict_yaml.hpp.
//
//   kind: single_node | nvl_rack | host     one scale-up domain
//   kind: nested                            count x node under a fabric; `node` is a mapping with
//   the
//                                           keys of a single_node or nvl_rack, or a machine's name
// Thread safety: reads files only through `read_machine_text`.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "emulator/base/strict_yaml.hpp"
#include "topologies/model/machine_spec.hpp"

namespace fabricast {

// What a `node: NAME` refers to: text and file of the machine of that name.
struct MachineText {
  std::string yaml, file;
};
using FindMachine = std::function<MachineText(const std::string& name)>;

// Reads and checks a whole machine. `find` may throw UsageError for unknown names.
MachineSpec read_machine(std::string_view yaml, const std::string& file, const FindMachine& find);

// The fabric of `domains` domains of `spec.domain` (fills spec.fabric). In fabric_yaml.cpp.
FabricSpec read_fabric(const YamlCursor& at, const DomainSpec& domain, std::int64_t domains);

}  // namespace fabricast
