#include "emulator/cli/machine_formats.hpp"

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "emulator/base/error.hpp"
#include "emulator/base/names.hpp"
#include "emulator/base/text_file.hpp"
#include "emulator/nccl/choice.hpp"
#include "emulator/trace/publish.hpp"
#include "topologies/discover/local_machine.hpp"
#include "topologies/export/infragraph_yaml.hpp"
#include "topologies/import/infragraph.hpp"
#include "topologies/import/nccl_xml.hpp"
#include "topologies/model/machine_file.hpp"

namespace fabricast {
namespace {

struct FormatOptions {
  std::string input, output, node, format = "infragraph";
  std::vector<std::string> set;
  std::int32_t ranks = 0;
  bool force = false;
};

void deliver(const std::string& text, const FormatOptions& options) {
  if (options.output.empty()) {
    fmt::print("{}", text);
    return;
  }
  publish_file(options.output, std::as_bytes(std::span(text)), options.force,
               [](const std::filesystem::path&) {});
  fmt::print("{}\n", options.output);
}

// XML is NCCL's, everything else is read as InfraGraph.
int import_machine(const FormatOptions& options) {
  const std::string text = read_text_file(options.input);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  std::string yaml;
  if (first != std::string::npos && text[first] == '<') {
    if (!options.node.empty()) {
      throw UsageError(
          "--node is for InfraGraph (a topology dump of NCCL holds its node); leave it out");
    }
    const auto dump = read_nccl_xml(text, options.input);
    const std::array hosts{merge_nccl_xml({}, dump, options.input)};
    yaml = to_machine_yaml(hosts);
  } else {
    yaml = machine_of(read_infragraph(text, options.input), options.input, options.node);
  }
  // What is written can be read.
  static_cast<void>(parse_machine(yaml, "the machine of " + options.input));
  deliver(yaml, options);
  return 0;
}

int export_machine(const FormatOptions& options) {
  const std::vector<std::string> formats{"infragraph", "nccl"};
  auto machine = load_machine(options.input, options.set);
  if (options.ranks > 0) machine = with_ranks(machine, options.ranks);
  if (options.format == "infragraph") {
    deliver(to_infragraph(dynamic_cast<const BuiltTopology&>(*machine)), options);
  } else if (options.format == "nccl") {
    const auto* built = dynamic_cast<const BuiltTopology*>(machine.get());
    if (built != nullptr && !built->spec().others.empty()) {
      throw UsageError(fmt::format(
          "{}: the file is of one node, and the nodes are of several kinds; export the machine "
          "file of a node, or the first of them: --ranks {}",
          machine->name(), built->spec().domain.domains_per_node * machine->space().domain_size()));
    }
    deliver(nccl::system_xml(*machine), options);
  } else {
    throw UsageError(unknown_name_message("format", options.format, formats));
  }
  return 0;
}

}  // namespace

void add_machine_formats(CLI::App& machine, CommandBody& run) {
  const auto options = std::make_shared<FormatOptions>();
  auto* import_command = machine.add_subcommand(
      "import", "write the machine file of an InfraGraph, or of a topology dump of NCCL");
  import_command->add_option("file", options->input, "the .yaml (InfraGraph) or .xml (NCCL) file")
      ->required();
  import_command->add_option(
      "--node", options->node,
      "machine of one node that the graph's nodes are (its own numbers are not used)");
  auto* export_command =
      machine.add_subcommand("export", "write a machine as InfraGraph or as NCCL's XML");
  export_command
      ->add_option("name", options->input, "name of a machine, NODExN[@FABRIC], or a .yaml file")
      ->required();
  export_command
      ->add_option("--as", options->format, "infragraph, or nccl (one node's NCCL_TOPO_FILE)")
      ->capture_default_str();
  export_command->add_option("--ranks", options->ranks, "only the first N ranks")
      ->check(CLI::PositiveNumber);
  export_command->add_option("--set", options->set, "change a key: --set fabric.rails=4")
      ->allow_extra_args(false);
  for (auto* command : {import_command, export_command}) {
    command->add_option("-o,--output", options->output, "the file to write (default: stdout)");
    command->add_flag("--force", options->force, "replace an existing file");
  }
  import_command->callback(
      [&run, options] { run = [options] { return import_machine(*options); }; });
  export_command->callback(
      [&run, options] { run = [options] { return export_machine(*options); }; });
}

}  // namespace fabricast
