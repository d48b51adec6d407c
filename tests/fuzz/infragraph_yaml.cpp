// InfraGraphs: read, turned into a machine file that must be one of ours, and that one written
// again.
#include "topologies/export/infragraph_yaml.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "topologies/builders/built_topology.hpp"
#include "topologies/import/infragraph.hpp"
#include "topologies/model/machine_file.hpp"

namespace {

void as_machine(const std::string& text, const std::string& file) {
  const std::string yaml = fabricast::machine_of(fabricast::read_infragraph(text, file), file, "");
  const auto machine = fabricast::parse_machine(yaml, file);
  const auto& built = dynamic_cast<const fabricast::BuiltTopology&>(*machine);
  if (built.links() > 100'000) return;
  const std::string again = fabricast::to_infragraph(built);
  try {
    static_cast<void>(fabricast::read_infragraph(again, "written.yaml"));
  } catch (const fabricast::Error& error) {
    fabricast::report_finding("the graph written is refused", error.what());
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fabricast::parse_or_refuse(data, size, "given/graph.yaml", as_machine);
  return 0;
}
