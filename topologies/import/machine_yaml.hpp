// Machine files: YAML to MachineSpec. The format is docs/machines.md; errors as in strict_yaml.hpp.
//
//   kind: single_node | nvl_rack | host   one scale-up domain
//   kind: nested                          count x node under a fabric; both are mappings or names
//     others: [{node, count, nic}]        further nodes, of other kinds
//   base: NAME, set: {key.path: value}    another machine with some keys changed
// Thread safety: reads files only through `MachineTexts`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "emulator/base/strict_yaml.hpp"
#include "topologies/model/machine_spec.hpp"

namespace fabricast {

// The largest machines that are read.
inline constexpr std::int64_t max_domain_members = 16384, max_domains = 1'000'000;

// What a name refers to: text and file of the machine or fabric of that name.
struct MachineText {
  std::string yaml, file;
};
using FindText = std::function<MachineText(const std::string& name)>;
struct MachineTexts {
  FindText machine, fabric;
};

// Who wrote the `set` of a machine: messages about it name the option or the place in the file.
enum class SetBy : std::uint8_t { file, option };

// Reads and checks a whole machine. `texts` may throw UsageError for unknown names.
MachineSpec read_machine(std::string_view yaml, const std::string& file, const MachineTexts& texts,
                         SetBy set_by = SetBy::file);

// The keys of one domain (fills gpu, processor, domain, scale_out, channels). `cut`: its size was
// set from outside. In domain_yaml.cpp, as the next.
void read_domain(const YamlCursor& at, const std::string& kind, bool cut, MachineSpec& spec);
Sourced read_channels(const YamlCursor& at);

// The fabric of `domains` domains of `spec.domain` (fills spec.fabric). In fabric_yaml.cpp.
FabricSpec read_fabric(const YamlCursor& at, const DomainSpec& domain, std::int64_t domains);
// What a part of the machine says of its NICs, of which the fabric has said the rest.
void read_part_nic(const YamlCursor& at, const FabricSpec& fabric, DomainPart& part);
// The ports of a switch that face down when down : up is `oversubscription`.
std::int32_t ports_facing_down(double radix, double oversubscription);

}  // namespace fabricast
