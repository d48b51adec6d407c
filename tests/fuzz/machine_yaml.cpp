// Machine files: read, checked, and built into a topology that routes.
#include "tests/fuzz/fuzz_input.hpp"
#include "topologies/model/machine_file.hpp"
#include "topologies/model/topology.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fabricast::parse_or_refuse(
      data, size, "given/machine.yaml", [](const std::string& text, const std::string& file) {
        const auto machine = fabricast::parse_machine(text, file);
        const std::int32_t last = machine->ranks() - 1;
        for (const std::int32_t to : {0, last / 2, last}) {
          static_cast<void>(machine->route(fabricast::RankId{0}, fabricast::RankId::from(to)));
        }
      });
}
