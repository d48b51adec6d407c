// NCCL topology dumps: read, and written as a machine file that must be one of ours.
#include <array>

#include "tests/fuzz/fuzz_input.hpp"
#include "topologies/discover/local_machine.hpp"
#include "topologies/import/nccl_xml.hpp"
#include "topologies/model/machine_file.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fabricast::parse_or_refuse(
      data, size, "given/topology.xml", [](const std::string& text, const std::string& file) {
        const auto dump = fabricast::read_nccl_xml(text, file);
        const std::array hosts{fabricast::merge_nccl_xml({}, dump, file)};
        const std::string yaml = fabricast::to_machine_yaml(hosts);
        try {
          static_cast<void>(fabricast::parse_machine(yaml, "written.yaml"));
        } catch (const fabricast::Error& error) {
          fabricast::report_finding("the machine file written is refused", error.what());
        }
      });
}
