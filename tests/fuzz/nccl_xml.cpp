// NCCL topology dumps: read, written as a machine file that must be one of ours, and searched for
// rings and trees as NCCL does.
#include <array>

#include "emulator/nccl/choice.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "topologies/discover/local_machine.hpp"
#include "topologies/import/nccl_xml.hpp"
#include "topologies/model/machine_file.hpp"

namespace {

void as_machine(const std::string& text, const std::string& file) {
  const auto dump = fabricast::read_nccl_xml(text, file);
  const std::array hosts{fabricast::merge_nccl_xml({}, dump, file)};
  const std::string yaml = fabricast::to_machine_yaml(hosts);
  try {
    static_cast<void>(fabricast::parse_machine(yaml, "written.yaml"));
  } catch (const fabricast::Error& error) {
    fabricast::report_finding("the machine file written is refused", error.what());
  }
}

void as_nccl(const std::string& text, const std::string& file, int nodes) {
  const auto system = fabricast::nccl::read_system(text, file);
  fabricast::nccl::Overrides overrides;
  overrides.search_limit = 10'000'000;  // a hang is seen after seconds, with sanitizers
  const auto communicator = fabricast::nccl::make_communicator(system, nodes, {}, overrides);
  const auto choice =
      fabricast::nccl::choose(communicator, {fabricast::Collective::all_reduce, 1 << 20});
  if (choice.channels < 1) fabricast::report_finding("no channels", file);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fabricast::parse_or_refuse(data, size, "given/topology.xml", as_machine);
  for (const int nodes : {1, 2}) {
    fabricast::parse_or_refuse(
        data, size, "given/topology.xml",
        [nodes](const std::string& text, const std::string& file) { as_nccl(text, file, nodes); });
  }
  return 0;
}
